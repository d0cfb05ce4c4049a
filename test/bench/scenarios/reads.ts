import { percentile } from "../statistics.ts";
import { Client, closeAll, forgetMessages, sumOfMessages } from "../wire/client.ts";
import { allTold, commit, OBSERVERS } from "./commits.ts";
import { loadOf } from "./loads.ts";
import { SLOW_STORAGE, type Prepared } from "./measured.ts";

const READERS = 4;
/** A reader's pause between an answer and its next load, so that nothing is measured but the wait for the answer. */
const PAUSE_MS = 1;
/** A writer's pause between commits. */
const COMMIT_PAUSE_MS = 10;
const SIZE = 400;

/** What loads take while somebody commits, in a storage whose commits take some milliseconds. */
export async function reads(port: number): Promise<Prepared> {
  const writer = await Client.connect(port, SLOW_STORAGE);
  const observers = await Client.connectMany(OBSERVERS, port, SLOW_STORAGE);
  const readers = await Client.connectMany(READERS, port, SLOW_STORAGE);
  const all = [writer, ...observers, ...readers];
  let committed = 0;
  return {
    run: async (ms) => {
      forgetMessages(all);
      const start = performance.now();
      const until = start + ms;
      const waits: number[] = [];
      const reading = readers.map((reader) => keepReading(reader, waits, until));
      const before = committed;
      while (performance.now() < until) {
        const told = allTold(observers);
        await commit(writer, committed++);
        await told;
        await pause(COMMIT_PAUSE_MS);
      }
      await Promise.all(reading);
      const seconds = (performance.now() - start) / 1000;
      const repairable = (committed - before) * (OBSERVERS + READERS);
      return {
        seconds,
        amount: waits.length,
        messages: sumOfMessages(all),
        p99Ms: percentile(waits, 0.99),
        repairable,
      };
    },
    close: () => closeAll(all),
  };
}

/** Loads one at a time; what comes beside the replies are invalidations. */
async function keepReading(reader: Client, waits: number[], until: number): Promise<void> {
  for (let number = 0; performance.now() < until; number++) {
    const asked = performance.now();
    await new Promise<void>((resolve) => {
      reader.onFrame = (_head, length) => {
        if (length > SIZE) resolve();
      };
      reader.send(loadOf(SIZE, number));
    });
    waits.push(performance.now() - asked);
    await pause(PAUSE_MS);
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
