import { mostDescriptors } from "../process-figures.ts";
import { Client, closeAll } from "../wire/client.ts";
import type { Prepared } from "./measured.ts";

/** They are there before: what a relay needs for its first connections it needs once. */
const FIRST = 100;
/** Descriptors of a relay that are no connections. */
const OTHERS = 100;

/** Each run adds so many clients, or as many as a relay can have, that register and say nothing any more. */
export async function idle(port: number, clients: number): Promise<Prepared> {
  const all = await Client.connectMany(FIRST, port);
  const count = Math.min(clients, connectionsOfRelay() - FIRST);
  return {
    run: async (ms) => {
      const start = performance.now();
      all.push(...(await Client.connectMany(count, port)));
      await new Promise((resolve) => setTimeout(resolve, ms));
      return { seconds: (performance.now() - start) / 1000, amount: count, messages: 1, waits: [] };
    },
    close: () => closeAll(all),
  };
}

/** A relay has two descriptors for each. */
function connectionsOfRelay(): number {
  return Math.floor(((mostDescriptors() ?? Infinity) - OTHERS) / 2);
}
