import type { Client } from "../wire/client.ts";
import { readHead } from "../wire/head.ts";
import * as z5 from "../wire/z5.ts";

/** Of so many transactions the records are asked for in one write. */
const TOGETHER = 16;

const MARK = 0x28;
const BYTES = 0x43;
/** Behind the mark: an oid. */
const OID_END = 1 + z5.OID_BYTES;

/**
 * Reads a range of transactions over the wire. It knows beforehand how many there are and how many records each has, which
 * nobody else does: so before a new server it asks for sixteen at a time, and never waits for an end. Before an old one it
 * makes one call at a time, as anybody does who does not want to wait for Nagle.
 */
export class RangeOfWire {
  readonly #client: Client;
  readonly #records: number;
  #id = 0;
  #iids = 0;
  #read = 0;
  /** Replies that are missing. */
  #missing = 0;
  #all: () => void = () => undefined;

  constructor(client: Client, records: number) {
    this.#client = client;
    this.#records = records;
    client.onFrame((bytes, start) => this.#reply(bytes, start));
  }

  /** @returns how many oids there were */
  async read(first: number, last: number): Promise<number> {
    const range = z5.tuple(z5.bytes(z5.eight(first)), z5.bytes(z5.eight(last)));
    const iid = z5.int(this.#iids++);
    await this.#ask([this.#call("iterator_start", range)]);
    const before = this.#read;
    const one = this.#client.isOld;
    for (let tid = first; tid <= last; tid += one ? 1 : TOGETHER) {
      const calls: Buffer[] = [];
      for (let i = tid; i <= last && i < tid + (one ? 1 : TOGETHER); i++) calls.push(...this.#transaction(iid, i));
      if (one) for (const call of calls) await this.#ask([call]);
      else await this.#ask(calls);
    }
    return this.#read - before;
  }

  #transaction(iid: Buffer, tid: number): Buffer[] {
    const records = z5.tuple(z5.int(this.#iids++));
    const next = this.#call("iterator_next", z5.tuple(iid));
    const start = this.#call("iterator_record_start", z5.tuple(iid, z5.bytes(z5.eight(tid))));
    const all = Array.from({ length: this.#records + 1 }, () => this.#call("iterator_record_next", records));
    return [next, start, ...all];
  }

  #call(method: string, args: Buffer): Buffer {
    return z5.call(z5.int(++this.#id), method, args);
  }

  async #ask(calls: readonly Buffer[]): Promise<void> {
    this.#missing = calls.length;
    const answered = new Promise<void>((resolve) => (this.#all = resolve));
    this.#client.socket.write(Buffer.concat(calls));
    await answered;
  }

  #reply(bytes: Buffer, start: number): void {
    const { argsAt } = readHead(bytes, start);
    // A record begins with an oid, as a transaction does with its tid.
    if (bytes[argsAt] === MARK && bytes[argsAt + OID_END] === BYTES) this.#read++;
    if (--this.#missing === 0) this.#all();
  }
}
