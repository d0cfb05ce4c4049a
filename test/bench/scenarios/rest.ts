import { Client, closeAll } from "../wire/client.ts";
import type { Prepared } from "./measured.ts";

/** Clients that say nothing; all that is measured is what their relay does meanwhile. */
export async function rest(port: number, clients: number): Promise<Prepared> {
  const all = await Client.connectMany(clients, port);
  return {
    run: async (ms) => {
      const start = performance.now();
      await new Promise((resolve) => setTimeout(resolve, ms));
      const seconds = (performance.now() - start) / 1000;
      // What is said of a message is said of a second here.
      return { seconds, amount: 1, messages: seconds, waits: [] };
    },
    close: () => closeAll(all),
  };
}
