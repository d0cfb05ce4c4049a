import type { Clock } from "../clock.ts";
import type { Address } from "../config/address.ts";
import type { Connection } from "../session/connection.ts";
import type { Found, Range, RangeRead, StorageWitness, UnableReason, WitnessTold } from "../storage/witness.ts";
import { dial, type Dialling } from "../upstream/dialling.ts";
import type { InvalidationArgs } from "../wire/codec.ts";
import type { Protocol } from "../wire/handshake.ts";
import { ID_BYTES, tidBytes, type Tid } from "../wire/ids.ts";
import type { Value } from "../wire/value.ts";
import { enter, lastIn, reasonOf } from "./entry.ts";
import { Link } from "./link.ts";
import { BackOff } from "./back-off.ts";
import { RangeReader, type RangeBounds, type RangeCall, type RangePace } from "./range-reader.ts";

export interface WitnessLimits {
  /** How long nothing may come of the greeting or of any reply until that is told, in ms. */
  readonly stallMs: number;
  /** How long nothing may come of any reply that is waited for, in ms: then the connection is closed. */
  readonly answerMs: number;
  /** The longest invalidation that is read, in bytes. */
  readonly frameBytes: number;
  /** So many transactions may a range have, those that are skipped too, */
  readonly transactions: number;
  /** so long may reading it take, in ms, */
  readonly rangeMs: number;
  /** and so many bytes may its oids have, packed. */
  readonly oidBytes: number;
}

export const WITNESS_LIMITS: WitnessLimits = {
  stallMs: 500,
  answerMs: 30_000,
  frameBytes: 64 * 1024 * 1024,
  transactions: 10_000,
  rangeMs: 30_000,
  oidBytes: 64 * 1024 * 1024,
};

export interface WitnessOptions {
  readonly server: Address;
  /** The storage's name at the server. */
  readonly storage: string;
  /** Of which the server's protocol must be; undefined: any. */
  readonly family?: Protocol["family"];
  readonly dialling: Dialling;
  readonly told: WitnessTold;
  /** Its connection: nothing came for `stallMs` of what it waits for, and then something did. */
  readonly stall?: { stalled(): void; goesOn(): void };
  /** Asked for at each connection and each range: they may change. */
  readonly limits?: Partial<WitnessLimits>;
  /** Has the server ever greeted anybody? Then one that is silent is no TLS server. Without it only the witness's own count. */
  readonly greets?: () => boolean;
  /** The server has greeted, and is answered that this will be spoken. */
  readonly greeted?: (protocol: Protocol) => void;
  /** What one of the callbacks has thrown. The witness goes on. */
  readonly threw?: (error: unknown) => void;
}

/** Descriptors that must be left for clients. */
const SPARE = 8;

/** A connection that was up for so long was a good one: what comes next is another story. */
const STEADY_MS = 10_000;

/** What can't be may be otherwise some day: a server is exchanged for another one. */
const UNABLE_MS = 60_000;

/** Before it is up it may be told of transactions that take so much memory. */
const MAX_EARLY_BYTES = 16 * 1024 * 1024;

/** So many iterators may be left behind on one connection, each with a file that the server keeps open. */
const MAX_LEFT = 8;

/** A range that is being read. */
interface Reading {
  readonly reader: RangeReader;
  readonly done: (read: RangeRead) => void;
  readonly each: ((found: Found) => void) | undefined;
  readonly cancel: () => void;
}

/** What it is at a time. */
type Life =
  /** It dials when the time has come. */
  | { readonly is: "waiting"; readonly cancel: () => void }
  | { readonly is: "dialling"; readonly cancel: () => void }
  /** Up to `lastTransaction`. Who registers is told of transactions: these wait until it is up. */
  | { readonly is: "entering"; readonly link: Link; readonly early: InvalidationArgs[] }
  | { readonly is: "up"; readonly link: Link; readonly cancelSteady: () => void }
  | { readonly is: "stopped" };

/**
 * A ZEO client of the proxy's own, read-only, with one connection at a time. It begins at once, and tries again until it is
 * stopped: soon after its connection has ended, and more and more slowly, up to 5 s; once a minute where it was unable.
 *
 * A server that accepts and says nothing may wait for its client to speak (TLS), or hang. It is taken for the first only if
 * it has never greeted anybody.
 */
export class Witness implements StorageWitness {
  readonly #options: WitnessOptions;
  readonly #clock: Clock;
  readonly #backOff = new BackOff();
  #life: Life;
  /** The server has greeted. */
  #isGreeted = false;
  /** Why it was unable the last time, as long as nothing else has come of it. */
  #unable: UnableReason | undefined;
  #reading: Reading | undefined;
  /** How this connection's ranges are read. */
  #pace: RangePace = "single";
  /** Iterators that were left behind on this connection. */
  #left = 0;
  /** Answers about ranges that have come. */
  progress = 0;

  constructor(options: WitnessOptions) {
    this.#options = options;
    this.#clock = options.dialling.clock;
    this.#life = this.#dial();
  }

  get #limits(): WitnessLimits {
    return { ...WITNESS_LIMITS, ...this.#options.limits };
  }

  ask(named: (last: Tid) => void): void {
    const life = this.#life;
    if (life.is !== "up") return;
    life.link.call("lastTransaction", [], (reply) => {
      const last = lastIn(reply);
      if (last === undefined) {
        life.link.fail(reasonOf(reply));
        return;
      }
      this.#tell(() => named(last));
    });
  }

  /** With `each` that is told of every transaction as soon as it and those before it are read, and `done` of none. */
  read(
    range: Range,
    isSkipped: (tid: Tid) => boolean,
    done: (read: RangeRead) => void,
    each?: (found: Found) => void,
  ): void {
    const life = this.#life;
    if (life.is !== "up") return;
    if (this.#reading !== undefined) throw new Error("one range at a time");
    const { transactions, rangeMs, oidBytes } = this.#limits;
    const bounds: RangeBounds = { transactions, oidBytes };
    const reader = new RangeReader(range, (tid) => this.#asks(isSkipped, tid), bounds, this.#pace);
    const calls = reader.begin();
    const isOver = reader.over !== undefined;
    const cancel = this.#clock.after(isOver ? 0 : rangeMs, () => {
      reader.giveUp();
      this.#finish(life.link);
    });
    this.#reading = { reader, done, each, cancel };
    this.#make(life.link, reader, calls);
  }

  stop(): void {
    this.#leave();
    this.#life = { is: "stopped" };
  }

  /** Tries again now, where it waits to do so. */
  retry(): void {
    if (this.#life.is !== "waiting") return;
    this.#life.cancel();
    this.#life = this.#dial();
  }

  // --- lives -------------------------------------------------------------------------------------------------------

  #dial(): Life {
    const { server, dialling } = this.#options;
    const code = dialling.transport.shortage(SPARE);
    if (code !== undefined) return { is: "dialling", cancel: this.#clock.after(0, () => this.#down(code)) };
    const cancel = dial(server, dialling, {
      connected: (connection) => this.#connected(connection),
      failed: (reason) => this.#down(reason),
    });
    return { is: "dialling", cancel };
  }

  #connected(connection: Connection): void {
    const { dialling } = this.#options;
    const { stallMs, answerMs, frameBytes } = this.#limits;
    const early: InvalidationArgs[] = [];
    const link = new Link(
      connection,
      this.#clock,
      { stallMs, greetMs: dialling.timeoutMs, answerMs, frameBytes },
      {
        greeted: (protocol) => this.#greeted(link, protocol),
        unknown: () => this.#cannot("protocol"),
        silent: () => this.#silent(),
        told: (args) => this.#told(args),
        stalled: () => this.#tell(() => this.#options.stall?.stalled()),
        goesOn: () => this.#tell(() => this.#options.stall?.goesOn()),
        over: (reason) => this.#down(reason),
      },
    );
    this.#life = { is: "entering", link, early };
  }

  #silent(): void {
    const greets = this.#isGreeted || this.#options.greets?.() === true;
    if (greets) this.#down("silent");
    else this.#cannot("tls");
  }

  #greeted(link: Link, protocol: Protocol): void {
    this.#isGreeted = true;
    const { family, storage, greeted } = this.#options;
    if (greeted !== undefined) this.#tell(() => greeted(protocol));
    // Who is told may have stopped it.
    if (this.#life.is !== "entering") return;
    if (family !== undefined && protocol.family !== family) {
      this.#cannot("family");
      return;
    }
    this.#pace = protocol.family === "old" ? "single" : "together";
    enter(link, protocol, storage, {
      entered: (last) => this.#entered(link, last),
      unable: (reason) => this.#cannot(reason),
      failed: (reason) => this.#down(reason),
    });
  }

  #entered(link: Link, last: Tid): void {
    const life = this.#life;
    if (life.is !== "entering") return;
    const cancelSteady = this.#clock.after(STEADY_MS, () => this.#backOff.reset());
    this.#life = { is: "up", link, cancelSteady };
    this.#unable = undefined;
    const { told } = this.#options;
    this.#tell(() => told.up(last));
    for (const args of life.early) {
      if (this.#link !== link) return;
      this.#tell(() => told.told(args));
    }
  }

  #told(args: InvalidationArgs): void {
    const life = this.#life;
    if (life.is === "up") this.#tell(() => this.#options.told.told(args));
    if (life.is !== "entering") return;
    life.early.push(args);
    if (sizeOf(life.early) > MAX_EARLY_BYTES) this.#down("too much before it is up");
  }

  #down(reason: string): void {
    if (this.#life.is === "stopped") return;
    this.#unable = undefined;
    this.#wait(this.#backOff.next());
    this.#tell(() => this.#options.told.down(reason));
  }

  #cannot(reason: UnableReason): void {
    if (this.#life.is === "stopped") return;
    this.#wait(UNABLE_MS);
    if (reason === this.#unable) return;
    this.#unable = reason;
    this.#tell(() => this.#options.told.unable(reason));
  }

  #wait(ms: number): void {
    this.#leave();
    const cancel = this.#clock.after(ms, () => {
      this.#life = this.#dial();
    });
    this.#life = { is: "waiting", cancel };
  }

  /** Ends what it is now. */
  #leave(): void {
    const life = this.#life;
    switch (life.is) {
      case "waiting":
      case "dialling":
        life.cancel();
        break;
      case "up":
        life.cancelSteady();
        life.link.close();
        break;
      case "entering":
        life.link.close();
        break;
      case "stopped":
        break;
      default:
        life satisfies never;
    }
    this.#reading?.cancel();
    this.#reading = undefined;
    this.#left = 0;
  }

  get #link(): Link | undefined {
    return this.#life.is === "up" ? this.#life.link : undefined;
  }

  // --- ranges ------------------------------------------------------------------------------------------------------

  #make(link: Link, reader: RangeReader, calls: readonly RangeCall[]): void {
    for (const call of calls) {
      const { method, args } = messageOf(call);
      link.call(method, args, (reply) => {
        if (this.#reading?.reader !== reader) return;
        this.progress++;
        this.#make(link, reader, reader.answered(call, reply));
        this.#tellEach(reader);
        this.#finish(link);
      });
    }
  }

  #tellEach(reader: RangeReader): void {
    const each = this.#reading?.each;
    if (each === undefined) return;
    for (const found of reader.take()) {
      this.#tell(() => each(found));
      // Who is told may have stopped it.
      if (this.#reading?.reader !== reader) return;
    }
  }

  /** Tells what became of the range, as soon as that is known. */
  #finish(link: Link): void {
    const reading = this.#reading;
    const over = reading?.reader.over;
    if (reading === undefined || over === undefined) return;
    const { reader, done, cancel } = reading;
    this.#reading = undefined;
    cancel();
    if (reader.left.length > 0) link.oneWay("iterator_gc", [reader.left]);
    if (reader.leavesFile) this.#left++;
    // What did not go well once is not tried again.
    this.#pace = reader.pace;
    this.#tell(() => done(over));
    if (this.#left >= MAX_LEFT && this.#link === link) link.fail("iterators were left behind");
  }

  // --- others' code ------------------------------------------------------------------------------------------------

  /** Who can't say is read. */
  #asks(isSkipped: (tid: Tid) => boolean, tid: Tid): boolean {
    let isIt = false;
    this.#tell(() => {
      isIt = isSkipped(tid);
    });
    return isIt;
  }

  #tell(tell: () => void): void {
    try {
      tell();
    } catch (error) {
      this.#options.threw?.(error);
    }
  }
}

function sizeOf(early: readonly InvalidationArgs[]): number {
  return early.reduce((bytes, { oids }) => bytes + ID_BYTES + oids.length, 0);
}

function messageOf(call: RangeCall): { readonly method: string; readonly args: readonly Value[] } {
  switch (call.kind) {
    case "last":
      return { method: "lastTransaction", args: [] };
    case "start":
      return { method: "iterator_start", args: [tidBytes(call.start), tidBytes(call.stop)] };
    case "next":
      return { method: "iterator_next", args: [call.iid] };
    case "record-start":
      return { method: "iterator_record_start", args: [call.iid, tidBytes(call.opened.tid)] };
    case "record-next":
      return { method: "iterator_record_next", args: [call.opened.iid] };
    default:
      return call satisfies never;
  }
}
