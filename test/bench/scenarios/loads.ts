import { Client, closeAll, forgetMessages, sumOfMessages } from "../wire/client.ts";
import * as z5 from "../wire/z5.ts";
import type { Prepared } from "./measured.ts";
import { Waits } from "./waits.ts";

export interface LoadPlan {
  readonly clients: number;
  /** So many loads are one write of a client's; the next are sent when all of them are answered. */
  readonly batch: number;
  /** Of an object. */
  readonly size: number;
}

/** Loads of objects of one size. */
export async function loads(port: number, { clients, batch, size }: LoadPlan): Promise<Prepared> {
  const all = await Client.connectMany(clients, port);
  const replyBytes = await lengthOfReply(all[0] as Client, size);
  const waits = new Waits();
  const loaders = all.map((client, index) => new Loader(client, burstOf(size, batch, index), batch, replyBytes, waits));
  return {
    run: async (ms) => {
      forgetMessages(all);
      waits.clear();
      const start = performance.now();
      const counts = await Promise.all(loaders.map((loader) => loader.run(start + ms)));
      const seconds = (performance.now() - start) / 1000;
      const amount = counts.reduce((sum, count) => sum + count, 0);
      return { seconds, amount, messages: sumOfMessages(all), waits: waits.kept() };
    },
    close: () => closeAll(all),
  };
}

/** One client that loads. Every reply has the same length, so it only counts bytes. */
class Loader {
  readonly #client: Client;
  readonly #burst: Buffer;
  readonly #batch: number;
  readonly #replyBytes: number;
  readonly #waits: Waits;
  #left = 0;
  #asked = 0;
  #answered = 0;
  #until = 0;
  #done: (loads: number) => void = () => undefined;

  constructor(client: Client, burst: Buffer, batch: number, replyBytes: number, waits: Waits) {
    this.#client = client;
    this.#burst = burst;
    this.#batch = batch;
    this.#replyBytes = batch * replyBytes;
    this.#waits = waits;
    client.onBytes((_bytes, length) => this.#received(length));
  }

  run(until: number): Promise<number> {
    return new Promise((resolve) => {
      this.#until = until;
      this.#answered = 0;
      this.#done = resolve;
      this.#ask(performance.now());
    });
  }

  #ask(now: number): void {
    this.#left = this.#replyBytes;
    this.#asked = now;
    this.#client.socket.write(this.#burst);
  }

  #received(length: number): void {
    this.#left -= length;
    if (this.#left > 0) return;
    if (this.#left < 0) throw new Error("more bytes than the replies have");
    const now = performance.now();
    this.#waits.add(now - this.#asked);
    this.#answered += this.#batch;
    this.#client.messages += 2 * this.#batch;
    if (now < this.#until) this.#ask(now);
    else this.#done(this.#answered);
  }
}

/** Of the whole frame, with its length. Looks at the reply, too. */
async function lengthOfReply(client: Client, size: number): Promise<number> {
  return new Promise((resolve, reject) => {
    client.onWholeFrame((frame) => {
      const dataAt = frame.indexOf(".reply") + 6;
      const isData = frame.subarray(dataAt).includes(Buffer.alloc(size, "x"));
      if (isData) resolve(4 + frame.length);
      else reject(new Error("a load was not answered with its data"));
    });
    client.send(loadOf(size, 0));
  });
}

function burstOf(size: number, count: number, number: number): Buffer {
  return Buffer.concat(Array.from({ length: count }, (_, i) => loadOf(size, number * count + i)));
}

const TID = Buffer.from([0x7f, 0xff, 0xff, 0xff]);

/** A `loadBefore` of the object of so many bytes; `number` makes it differ from others that are on their way. */
export function loadOf(size: number, number: number): Buffer {
  const tid = Buffer.concat([TID, z5.eight(number).subarray(4)]);
  // ZEO 5 numbers a load by what it asks for.
  const key = z5.tuple(z5.bytes(z5.eight(size)), z5.bytes(tid));
  return z5.call(key, "loadBefore", key);
}
