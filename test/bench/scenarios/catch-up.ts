import { Client } from "../wire/client.ts";
import { readHead } from "../wire/head.ts";
import * as z5 from "../wire/z5.ts";
import type { Prepared } from "./measured.ts";
import { Observer } from "./observer.ts";
import type { Place } from "./place.ts";
import { RangeOfWire } from "./range-of-wire.ts";
import { Transactions } from "./transaction.ts";
import { Writer } from "./writer.ts";

export interface CatchUpPlan {
  readonly transactions: number;
  /** Of each. */
  readonly oids: number;
}

const GET = 9;

/**
 * A client comes back to a proxy that knows nothing of what was before, and asks what it missed: the time until it is answered.
 * Each time the storage has another name, and so a ledger and a witness of its own: the proxy is as new, and its code warm.
 * On the direct way a client of this program's own reads the same range.
 */
export async function catchUp({ way, port, serverPort }: Place, plan: CatchUpPlan): Promise<Prepared> {
  const last = await fill(serverPort, plan);
  const above = last - plan.transactions;
  let asked = 0;
  const read =
    way === "direct" ? () => readDirectly(port, above, last, plan) : () => ask(port, `as-new-${++asked}`, above, plan);
  return {
    run: async () => {
      const ms = await read();
      return { seconds: ms / 1000, amount: 1, messages: plan.transactions, waits: [ms] };
    },
    close: () => undefined,
  };
}

/** Commits so many transactions at the server's own port. Returns the last tid. */
async function fill(serverPort: number, { transactions, oids }: CatchUpPlan): Promise<number> {
  const client = await Client.connect(serverPort);
  const nobody = new Observer(oids, () => undefined, client.isOld);
  const writer = new Writer(client, new Transactions(oids, 0), nobody);
  for (let n = 0; n < transactions; n++) await new Promise<void>((resolve) => writer.commit(resolve));
  const reply = await client.ask("lastTransaction", z5.EMPTY);
  client.close();
  return reply.readUInt32BE(readHead(reply, 0).argsAt + 6);
}

async function ask(port: number, storage: string, above: number, plan: CatchUpPlan): Promise<number> {
  const client = await Client.connect(port, storage);
  // As every client does with a cache.
  await client.ask("lastTransaction", z5.EMPTY);
  const start = performance.now();
  const answer = await new Promise<Buffer>((resolve) => {
    client.onWholeFrame(resolve);
    client.send(z5.call(z5.int(GET), "getInvalidations", z5.tuple(z5.bytes(z5.eight(above)))));
  });
  const ms = performance.now() - start;
  client.close();
  const least = plan.transactions * plan.oids * 0.5 * z5.OID_BYTES;
  if (answer.length < least) throw new Error(`getInvalidations was answered with ${answer.length} bytes only`);
  return ms;
}

async function readDirectly(port: number, above: number, last: number, plan: CatchUpPlan): Promise<number> {
  const client = await Client.connect(port);
  const range = new RangeOfWire(client, plan.oids);
  const start = performance.now();
  const oids = await range.read(above + 1, last);
  const ms = performance.now() - start;
  client.close();
  if (oids !== plan.transactions * plan.oids) throw new Error(`${oids} oids were read`);
  return ms;
}
