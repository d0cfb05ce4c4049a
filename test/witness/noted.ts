import { onTestFinished } from "vitest";
import { SocketTransport } from "../../src/net/socket-transport.ts";
import { systemClock } from "../../src/net/system-clock.ts";
import type { Range, RangeRead, UnableReason } from "../../src/storage/witness.ts";
import type { InvalidationArgs } from "../../src/wire/codec.ts";
import { ID_BYTES, type Tid, tidHex } from "../../src/wire/ids.ts";
import { Witness, type WitnessOptions } from "../../src/witness/witness.ts";

/** What a witness has told. */
export type Telling =
  | { readonly kind: "up"; readonly last: Tid }
  | { readonly kind: "told"; readonly args: InvalidationArgs }
  | { readonly kind: "down"; readonly reason: string }
  | { readonly kind: "unable"; readonly reason: UnableReason };

const PATIENCE_MS = 15_000;

/** A witness over real sockets, and all that it tells. */
export class NotedWitness {
  readonly tellings: Telling[] = [];
  readonly thrown: unknown[] = [];
  readonly witness: Witness;
  readonly #heard: (() => void)[] = [];

  constructor(port: number, options: Partial<WitnessOptions> = {}) {
    const note = (telling: Telling): void => {
      this.tellings.push(telling);
      for (const heard of this.#heard.splice(0)) heard();
    };
    const dialling = { transport: new SocketTransport(60_000), clock: systemClock, timeoutMs: 5_000 };
    this.witness = new Witness({
      server: { host: "127.0.0.1", port },
      storage: "1",
      dialling,
      told: {
        up: (last) => note({ kind: "up", last }),
        told: (args) => note({ kind: "told", args }),
        down: (reason) => note({ kind: "down", reason }),
        unable: (reason) => note({ kind: "unable", reason }),
      },
      threw: (error) => this.thrown.push(error),
      ...options,
    });
    onTestFinished(() => this.witness.stop());
  }

  /** The next telling of this kind, among those that have come, too; it and all before it are gone then. */
  async next<K extends Telling["kind"]>(kind: K): Promise<Extract<Telling, { kind: K }>> {
    const until = Date.now() + PATIENCE_MS;
    for (;;) {
      const index = this.tellings.findIndex((telling) => telling.kind === kind);
      if (index >= 0) return this.tellings.splice(0, index + 1)[index] as Extract<Telling, { kind: K }>;
      await patiently(
        new Promise<void>((resolve) => this.#heard.push(resolve)),
        until - Date.now(),
        `no ${kind}: ${JSON.stringify(this.tellings, (_, value: unknown) => (typeof value === "bigint" ? String(value) : value))}`,
      );
    }
  }

  ask(): Promise<Tid> {
    return patiently(new Promise((resolve) => this.witness.ask(resolve)), PATIENCE_MS, "no last transaction");
  }

  read(range: Range, isSkipped: (tid: Tid) => boolean = () => false): Promise<RangeRead> {
    const read = new Promise<RangeRead>((resolve) => this.witness.read(range, isSkipped, resolve));
    return patiently(read, 180_000, "the range is not read");
  }

  /** The same as hex digits: of each transaction its tid and its oids, or what became of it. */
  async shown(range: Range, isSkipped?: (tid: Tid) => boolean): Promise<unknown> {
    return shown(await this.read(range, isSkipped));
  }
}

export function shown(read: RangeRead): unknown {
  return read.kind === "read" ? read.found.map(({ tid, oids }) => [tidHex(tid), ...hexes(oids)]) : read;
}

export function hexes(oids: Buffer): string[] {
  const hex = oids.toString("hex");
  return Array.from({ length: oids.length / ID_BYTES }, (_, index) =>
    hex.slice(index * ID_BYTES * 2, (index + 1) * ID_BYTES * 2),
  );
}

function patiently<T>(work: Promise<T>, ms: number, why: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(why)), Math.max(0, ms));
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
