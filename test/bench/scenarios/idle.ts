import { Client, closeAll } from "../wire/client.ts";
import type { Prepared } from "./measured.ts";

/** Clients that have registered, and say nothing any more. */
export async function idle(port: number, clients: number): Promise<Prepared> {
  const all = await Client.connectMany(clients, port);
  return {
    run: (ms) =>
      new Promise((resolve) => {
        const start = performance.now();
        setTimeout(() => {
          resolve({ seconds: (performance.now() - start) / 1000, amount: clients, messages: 1, waits: [] });
        }, ms);
      }),
    close: () => closeAll(all),
  };
}
