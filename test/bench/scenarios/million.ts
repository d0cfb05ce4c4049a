import { Client, closeAll, sumOfMessages } from "../wire/client.ts";
import { writeAll } from "../wire/flow.ts";
import * as z5 from "../wire/z5.ts";
import { allTold } from "./commits.ts";
import { QUICK_STORAGE, type Prepared } from "./measured.ts";

export const MILLION = 1_000_000;
const STORES_PER_WRITE = 1_000;
const OBSERVERS = 2;
const TRANSACTION = z5.int(1);

/** One transaction that creates a million objects, with some observers. */
export async function millionCreated(port: number): Promise<Prepared> {
  const writer = await Client.connect(port, QUICK_STORAGE);
  const observers = await Client.connectMany(OBSERVERS, port, QUICK_STORAGE);
  const all = [writer, ...observers];
  return {
    run: async () => {
      const start = performance.now();
      const told = allTold(observers);
      writer.send(
        z5.oneWay("tpc_begin", z5.tuple(TRANSACTION, z5.text("u"), z5.text("d"), z5.NONE, z5.NONE, z5.text(" "))),
      );
      await writeAll(writer.socket, stores());
      writer.messages += MILLION;
      await writer.ask("vote", z5.tuple(TRANSACTION));
      await writer.ask("tpc_finish", z5.tuple(TRANSACTION));
      await told;
      const seconds = (performance.now() - start) / 1000;
      return { seconds, amount: MILLION, messages: sumOfMessages(all), repairable: OBSERVERS };
    },
    close: () => closeAll(all),
  };
}

/** `storea` of a million new objects, in no order, many to a piece. */
function* stores(): Iterable<Buffer> {
  const marker = Buffer.from("oid=oid=");
  const args = z5.tuple(z5.bytes(marker), z5.bytes(Buffer.alloc(8)), z5.bytes(Buffer.from("record")), TRANSACTION);
  const store = z5.oneWay("storea", args);
  const oidAt = store.indexOf(marker);
  for (let first = 0; first < MILLION; first += STORES_PER_WRITE) {
    const piece = Buffer.alloc(store.length * STORES_PER_WRITE, store);
    for (let i = 0; i < STORES_PER_WRITE; i++) {
      z5.eight(scattered(first + i)).copy(piece, i * store.length + oidAt);
    }
    yield piece;
  }
}

/** Each number below the modulus once: the factor and the prime modulus share no divisor. */
function scattered(index: number): number {
  return (index * 7_919) % 1_000_003;
}
