import type { Clock } from "../../clock.ts";
import type { UnableReason } from "../../storage/witness.ts";
import type { Found, RangeRead } from "../../storage/witness.ts";
import type { Transport } from "../../upstream/transport.ts";
import type { InvalidationArgs } from "../../wire/codec.ts";
import type { Protocol } from "../../wire/handshake.ts";
import { NO_TID, type Tid } from "../../wire/ids.ts";
import { BackOff } from "../../witness/back-off.ts";
import { Witness } from "../../witness/witness.ts";
import { oidsIn, type Source, type Transaction } from "./transaction.ts";

/** How far a connection that is not up yet has come: it is dialled; the server is to greet; the storage is asked for. */
export type Phase = "dialling" | "greeting" | "entering";

/** What a follower tells. */
export interface FollowerTold {
  /** A connection has come that far. */
  phase(phase: Phase): void;
  /** Connected; the storage's last transaction is that one. */
  up(last: Tid, protocol: Protocol): void;
  /** Each transaction once, by growing tids. */
  transaction(transaction: Transaction): void;
  /** All that was there when it connected has been told of. */
  caughtUp(last: Tid): void;
  /** Not connected, or not any more; it tries again by itself. */
  down(reason: string): void;
  /** It can't be followed; it tries again once a minute. */
  unable(reason: UnableReason): void;
  /** The storage could not be read; it is read again. */
  unread(reason: string): void;
  /** The storage's last transaction is older than one that was told of: another database, or a backup. It goes on from there. */
  setBack(last: Tid): void;
}

export interface FollowerOptions {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly storage: string;
  /** Transactions behind this one are told of; undefined: behind the last one when it connects first. */
  readonly since?: Tid;
  /** How often the last transaction is asked for, in ms: servers before ZEO 5 tell nobody of one that only created objects. */
  readonly pollMs: number;
  /** How long the server may take to greet, and to answer, in ms. */
  readonly timeoutMs: number;
  readonly told: FollowerTold;
}

/** A new server may answer that question before it tells of the transaction (`ZEO_MTACCEPTOR`): so long it is given. */
const GRACE_MS = 1_000;
/** The longest that a timer can be: a range takes as long as it takes. */
const NEVER_MS = 2 ** 31 - 1;
/** What was told and not read yet; beyond it the oldest are forgotten, and are told of as `asked`. */
const MAX_TOLD = 10_000;
const NOWHERE = { host: "", port: 1 };

/**
 * Follows a storage: each transaction with all its objects, as the storage has it, without a gap or a second time, over any
 * number of connections. What the server says of one only says that there is something to read.
 */
export class Follower {
  readonly #options: FollowerOptions;
  readonly #clock: Clock;
  readonly #witness: Witness;
  readonly #backOff = new BackOff();
  /** What the server's messages named, by tid. */
  readonly #named = new Map<Tid, readonly string[]>();
  #protocol: Protocol | undefined;
  #isUp = false;
  /** All up to this one have been told of. */
  #at: Tid | undefined;
  /** The newest that is known to be there, */
  #newest: Tid = NO_TID;
  /** and when this connection was made. */
  #first: Tid = NO_TID;
  /** The last that was told of. */
  #shown: Tid = NO_TID;
  #isBehind = true;
  #isReading = false;
  #cancelPoll: () => void = () => undefined;
  #cancelRetry: (() => void) | undefined;
  #cancelGrace: (() => void) | undefined;

  constructor(options: FollowerOptions) {
    this.#options = options;
    this.#clock = options.clock;
    this.#at = options.since;
    const { transport, clock, storage, timeoutMs, told } = options;
    this.#witness = new Witness({
      server: NOWHERE,
      storage,
      dialling: { transport: noting(transport, (phase) => told.phase(phase)), clock, timeoutMs },
      limits: {
        answerMs: timeoutMs,
        transactions: Number.POSITIVE_INFINITY,
        rangeMs: NEVER_MS,
        oidBytes: 1024 ** 3,
        frameBytes: 1024 ** 3,
      },
      greeted: (protocol) => {
        this.#protocol = protocol;
        told.phase("entering");
      },
      told: {
        up: (last) => this.#up(last),
        told: (args) => this.#hear(args),
        down: (reason) => {
          this.#rest();
          told.down(reason);
        },
        unable: (reason) => {
          this.#rest();
          told.unable(reason);
        },
      },
      threw: (error) => {
        throw error;
      },
    });
  }

  stop(): void {
    this.#rest();
    this.#witness.stop();
  }

  #up(last: Tid): void {
    const { told, since } = this.#options;
    this.#isUp = true;
    this.#first = last;
    this.#newest = last;
    this.#isBehind = true;
    told.up(last, this.#protocol as Protocol);
    if (last < this.#shown || (this.#at !== undefined && since === undefined && last < this.#at)) {
      this.#at = last;
      this.#shown = NO_TID;
      told.setBack(last);
    }
    this.#at ??= last;
    this.#backOff.reset();
    this.#poll();
    this.#look();
  }

  #hear({ tid, oids }: InvalidationArgs): void {
    if (tid <= (this.#at ?? NO_TID)) return;
    const named = oidsIn(oids);
    const before = this.#named.get(tid);
    this.#named.set(tid, before === undefined ? named : [...new Set([...before, ...named])]);
    if (this.#named.size > MAX_TOLD) this.#named.delete(this.#named.keys().next().value as Tid);
    this.#knows(tid);
  }

  #knows(tid: Tid): void {
    if (tid > this.#newest) this.#newest = tid;
    this.#look();
  }

  // --- the last transaction ----------------------------------------------------------------------------------------

  #poll(): void {
    this.#cancelPoll = this.#clock.after(this.#options.pollMs, () => {
      this.#witness.ask((last) => {
        this.#poll();
        if (last <= this.#newest || this.#cancelGrace !== undefined) return;
        // An old server tells of a transaction before anything shows it.
        if (this.#protocol?.family === "old") this.#knows(last);
        else this.#cancelGrace = this.#clock.after(GRACE_MS, () => this.#graceIsOver(last));
      });
    });
  }

  #graceIsOver(last: Tid): void {
    this.#cancelGrace = undefined;
    this.#knows(last);
  }

  // --- reading -----------------------------------------------------------------------------------------------------

  #look(): void {
    const above = this.#at;
    if (!this.#isUp || this.#isReading || this.#cancelRetry !== undefined || above === undefined) return;
    const upTo = this.#newest;
    if (upTo <= above) {
      this.#isCaughtUp();
      return;
    }
    this.#isReading = true;
    this.#witness.read(
      { above, upTo },
      () => false,
      (read) => this.#read(read, upTo),
      (found) => this.#found(found),
    );
  }

  #found({ tid, oids }: Found): void {
    const named = this.#named.get(tid);
    const source: Source = named !== undefined ? "told" : tid <= this.#first ? "read" : "asked";
    this.#at = tid;
    this.#shown = tid;
    this.#named.delete(tid);
    const { told } = this.#options;
    told.transaction({ tid, oids: oidsIn(oids), source, named: source === "asked" ? [] : named });
    if (this.#isBehind && tid >= this.#first) this.#isCaughtUp();
  }

  #read(read: RangeRead, upTo: Tid): void {
    this.#isReading = false;
    if (read.kind !== "read") {
      this.#options.told.unread(read.kind === "failed" ? read.reason : read.kind);
      this.#cancelRetry = this.#clock.after(this.#backOff.next(), () => {
        this.#cancelRetry = undefined;
        this.#look();
      });
      return;
    }
    this.#backOff.reset();
    // There may be nothing at that tid: an empty transaction leaves no trace in some storages.
    if (upTo > (this.#at as Tid)) this.#at = upTo;
    for (const tid of this.#named.keys()) if (tid <= upTo) this.#named.delete(tid);
    this.#look();
  }

  #isCaughtUp(): void {
    if (!this.#isBehind) return;
    this.#isBehind = false;
    this.#options.told.caughtUp(this.#at as Tid);
  }

  /** Until it is up again. */
  #rest(): void {
    this.#isUp = false;
    this.#isReading = false;
    this.#cancelPoll();
    this.#cancelRetry?.();
    this.#cancelRetry = undefined;
    this.#cancelGrace?.();
    this.#cancelGrace = undefined;
    this.#named.clear();
  }
}

/** The same connections, and how far each has come. */
function noting(transport: Transport, at: (phase: Phase) => void): Transport {
  return {
    dial: (address, dialled) => {
      at("dialling");
      return transport.dial(address, {
        connected: (connection) => {
          at("greeting");
          dialled.connected(connection);
        },
        failed: (code) => dialled.failed(code),
      });
    },
    listen: (address, listened) => transport.listen(address, listened),
    shortage: (descriptors) => transport.shortage(descriptors),
  };
}
