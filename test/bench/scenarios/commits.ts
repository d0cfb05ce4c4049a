import { Client, closeAll, forgetMessages, sumOfMessages } from "../wire/client.ts";
import * as z5 from "../wire/z5.ts";
import { QUICK_STORAGE, type Prepared } from "./measured.ts";

export const OBSERVERS = 200;
const OBJECTS = 10;
const DATA = z5.bytes(Buffer.alloc(400, "x"));
const CREATED = z5.bytes(Buffer.alloc(8));
const MODIFIED = z5.bytes(z5.eight(0x1_0000_0000));

/** Commits of ten objects, half of them created, one after the other: the next when everyone was told of the last. */
export async function commits(port: number): Promise<Prepared> {
  const writer = await Client.connect(port, QUICK_STORAGE);
  const observers = await Client.connectMany(OBSERVERS, port, QUICK_STORAGE);
  const all = [writer, ...observers];
  return {
    run: async (ms) => {
      forgetMessages(all);
      const start = performance.now();
      let amount = 0;
      do {
        const told = allTold(observers);
        await commit(writer, amount);
        await told;
        amount++;
      } while (performance.now() < start + ms);
      const seconds = (performance.now() - start) / 1000;
      return { seconds, amount, messages: sumOfMessages(all), repairable: amount * OBSERVERS };
    },
    close: () => closeAll(all),
  };
}

/** Each of them has got one message. */
export function allTold(observers: readonly Client[]): Promise<void> {
  return new Promise((resolve) => {
    let waiting = observers.length;
    const told = (): void => {
      if (--waiting === 0) resolve();
    };
    for (const observer of observers) observer.onFrame = told;
  });
}

/** Resolves with the reply to `tpc_finish`. */
export async function commit(writer: Client, number: number): Promise<void> {
  const id = z5.int(1 + (number % 1_000_000));
  writer.send(z5.oneWay("tpc_begin", z5.tuple(id, z5.text("u"), z5.text("d"), z5.NONE, z5.NONE, z5.text(" "))));
  for (let i = 0; i < OBJECTS; i++) {
    const oid = z5.bytes(z5.eight(1_000_000 + number * OBJECTS + i));
    writer.send(z5.oneWay("storea", z5.tuple(oid, i % 2 === 0 ? CREATED : MODIFIED, DATA, id)));
  }
  await writer.ask("vote", z5.tuple(id));
  await writer.ask("tpc_finish", z5.tuple(id));
}
