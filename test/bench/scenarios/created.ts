import { Client, closeAll, forgetMessages, sumOfMessages } from "../wire/client.ts";
import { writeAll } from "../wire/flow.ts";
import * as z5 from "../wire/z5.ts";
import type { Prepared } from "./measured.ts";
import { Observer } from "./observer.ts";
import { storeOf, TPC_BEGIN, TPC_FINISH, TPC_VOTE } from "./transaction.ts";

const STORES_PER_WRITE = 1_000;
/** Numbers from 0 to below it are scattered over it by this factor, with which it shares no divisor. */
const PRIME = 1_000_003;
const FACTOR = 7_919;

/** One transaction that creates so many objects at once, and those who look on. The time is that of all of it. */
export async function created(port: number, oids: number, observers: number): Promise<Prepared> {
  const all = await Client.connectMany(1 + observers, port);
  const [writer, ...others] = all as [Client, ...Client[]];
  let waiting = 0;
  let told: () => void = () => undefined;
  for (const client of others) {
    new Observer(oids, () => {
      if (--waiting === 0) told();
    }).listen(client);
  }
  const stores = storesOf(oids);
  return {
    run: async () => {
      forgetMessages(all);
      waiting = observers;
      const start = performance.now();
      const allTold = new Promise<void>((resolve) => (told = resolve));
      await writeAll(writer.socket, [TPC_BEGIN, ...stores]);
      await call(writer, TPC_VOTE);
      await call(writer, TPC_FINISH);
      await allTold;
      const ms = performance.now() - start;
      writer.messages += oids + 1;
      return { seconds: ms / 1000, amount: 1, messages: sumOfMessages(all), waits: [ms], repairable: observers };
    },
    close: () => closeAll(all),
  };
}

function call(client: Client, frame: Buffer): Promise<Buffer> {
  const reply = client.next();
  client.send(frame);
  return reply;
}

const made = new Map<number, readonly Buffer[]>();

/** `storea` of so many new objects, in no order, many to a write; the same for all ways. */
export function storesOf(oids: number): readonly Buffer[] {
  const known = made.get(oids);
  if (known !== undefined) return known;
  const { frame, oidAt } = storeOf(true, z5.bytes(Buffer.from("record")));
  const writes: Buffer[] = [];
  for (let first = 0; first < oids; first += STORES_PER_WRITE) {
    const write = Buffer.alloc(frame.length * Math.min(STORES_PER_WRITE, oids - first), frame);
    for (let at = oidAt, i = first; at < write.length; at += frame.length, i++) {
      write.writeUInt32BE(0, at);
      write.writeUInt32BE((i * FACTOR) % PRIME, at + 4);
    }
    writes.push(write);
  }
  made.set(oids, writes);
  return writes;
}
