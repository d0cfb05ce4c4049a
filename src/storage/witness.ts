import type { Range } from "../ledger/sight.ts";
import type { InvalidationArgs } from "../wire/codec.ts";
import type { Tid } from "../wire/ids.ts";

export type { Range } from "../ledger/sight.ts";

// How a storage sees its witness: a connection of the proxy's own to the same server, over which what is in the database is
// asked for and read. What follows from what it says is the ledger's affair.

/** One transaction that was read from the storage. */
export interface Found {
  readonly tid: Tid;
  /** Packed oids of all its records, in their order; an oid may stand there twice. */
  readonly oids: Buffer;
}

/** What became of reading a range. */
export type RangeRead =
  /** All transactions of the range that were not to be skipped, by growing tids. */
  | { readonly kind: "read"; readonly found: readonly Found[] }
  /** More transactions, or more time, than a range may take. */
  | { readonly kind: "too-much" }
  /** The server has answered with an exception; `reason` is its class, or what was wrong with the answer. */
  | { readonly kind: "failed"; readonly reason: string };

/** Why there will be no witness, however often it is tried, until the server is another one. */
export type UnableReason =
  /** The server wants a password (ZODB3, ZEO 4). */
  | "authentication"
  /** It says nothing until its client speaks. */
  | "tls"
  /** It announces a protocol that nobody here knows, */
  | "protocol"
  /** or one of the other family: this storage is none of its. */
  | "family"
  /** The storage can't be iterated over. */
  | "no-iteration"
  /** The server does not have this storage. */
  | "no-storage";

/** What a witness tells of itself; never while one of its own methods runs. */
export interface WitnessTold {
  /** It is registered, and the storage's last transaction, asked for behind that, is this one. */
  up(last: Tid): void;
  /** The server has announced a transaction to it, as to any other client. */
  told(args: InvalidationArgs): void;
  /** Its connection has ended, or has not come about; `reason` is a system's code or a few words. It tries again by itself. */
  down(reason: string): void;
  /** It tries again by itself, but seldom; the same reason is not told twice in a row. */
  unable(reason: UnableReason): void;
}

/** Makes one for that storage, which begins at once, and tells nothing before this returns. */
export type WitnessSource = (told: WitnessTold) => StorageWitness;

/** Calls are made only between `up` and `down`; whose connection ends before its answer is answered no more. */
export interface StorageWitness {
  /** Another number whenever something of a range has been read. */
  readonly progress: number;
  /** Asks for the storage's last transaction, now. */
  ask(named: (last: Tid) => void): void;
  /**
   * Reads the oids of all transactions with `above` < tid <= `upTo`; of those that `isSkipped` names (asked when the
   * transaction's head is read) nothing is read or told. One range at a time.
   */
  read(range: Range, isSkipped: (tid: Tid) => boolean, done: (read: RangeRead) => void): void;
  /** The server seems to be there: if it waits to try again, it does so now. */
  retry(): void;
  stop(): void;
}
