import { Client, closeAll, forgetMessages, sumOfMessages } from "../wire/client.ts";
import { loadOf } from "./loads.ts";
import type { Measured, Prepared } from "./measured.ts";
import { Observer } from "./observer.ts";
import { Transactions } from "./transaction.ts";
import { Waits } from "./waits.ts";
import { Writer } from "./writer.ts";

const READERS = 8;
const OIDS = 10;
const SIZE = 200;
/** Between commits: so many come on each way, however fast it is. */
const COMMIT_PAUSE_MS = 2;
/** The first opcode of a load's id: bytes, where one-way messages have a number. */
const IS_LOAD_ID = 0x43;

/** Loads one after the other at full speed, by clients that are told of a commit each two milliseconds. */
export async function reads(port: number): Promise<Prepared> {
  const [first, ...others] = await Client.connectMany(1 + READERS, port);
  const stage = new Reads(first as Client, others);
  return { run: (ms) => stage.run(ms), close: () => closeAll([first as Client, ...others]) };
}

class Reads {
  readonly #writer: Writer;
  readonly #all: readonly Client[];
  readonly #readers: readonly Client[];
  readonly #waits = new Waits();
  #until = 0;
  #loads = 0;
  #owed = 0;
  /** Readers whose load is on its way, and the writer. */
  #busy = 0;
  #settled: () => void = () => undefined;

  constructor(writer: Client, readers: readonly Client[]) {
    this.#all = [writer, ...readers];
    this.#readers = readers;
    this.#writer = new Writer(writer, new Transactions(OIDS, 0), new Observer(OIDS, () => undefined));
  }

  async run(ms: number): Promise<Measured> {
    forgetMessages(this.#all);
    this.#waits.clear();
    this.#loads = 0;
    this.#writer.committed = 0;
    const start = performance.now();
    this.#until = start + ms;
    await new Promise<void>((resolve) => {
      this.#settled = resolve;
      this.#busy = this.#all.length;
      this.#commit();
      for (const [index, reader] of this.#readers.entries()) this.#read(reader, index);
    });
    const seconds = (performance.now() - start) / 1000;
    return {
      seconds,
      amount: this.#loads,
      messages: sumOfMessages(this.#all),
      waits: this.#waits.kept(),
      repairable: this.#writer.committed * READERS,
    };
  }

  #commit(): void {
    this.#writer.commit(() => {
      this.#owed += READERS;
      if (performance.now() < this.#until) setTimeout(() => this.#commit(), COMMIT_PAUSE_MS);
      else this.#ended();
    });
  }

  #read(reader: Client, index: number): void {
    const load = loadOf(SIZE, index);
    const observer = new Observer(OIDS, () => {
      this.#owed--;
      this.#settle();
    });
    let asked = performance.now();
    reader.onFrame((bytes, start, _end, length) => {
      if (bytes[start + 3] !== IS_LOAD_ID) {
        observer.told(bytes, start, length);
        return;
      }
      const now = performance.now();
      this.#waits.add(now - asked);
      this.#loads++;
      if (now >= this.#until) {
        this.#ended();
        return;
      }
      asked = now;
      reader.send(load);
    });
    reader.send(load);
  }

  #ended(): void {
    this.#busy--;
    this.#settle();
  }

  #settle(): void {
    if (this.#busy === 0 && this.#owed === 0) this.#settled();
  }
}
