import type { InvalidationArgs } from "../wire/codec.ts";
import { NO_TID, type Tid } from "../wire/ids.ts";
import type { OidSet } from "./oid-set.ts";

// What is seen of the database itself, over a connection that is nobody's: the witness. It looks (what is the last
// transaction, and what stands between that and what is known?), and reads back what the history does not reach.

/** Whether there is a witness. */
export type SightLife =
  /** There is none, or it can't be had: what did not pass through here is told as the server tells it. */
  | "off"
  /** It is not there at present, and will be. */
  | "away"
  | "up";

/** Plain data, a part of `StorageState`. */
export interface Sight {
  life: SightLife;
  /** Every commit up to this tid is known here, or was before anybody registered; undefined: nothing was seen yet. */
  readUpTo: Tid | undefined;
  /** Up to where everything was known when the witness was given up; NO_TID: nothing was. */
  offAt: Tid;
  /** Looks are numbered. The newest that has begun, that is over, and that is wanted. */
  begun: number;
  over: number;
  wanted: number;
  /** The newest that is over and has named a transaction above which nothing lay. */
  sure: number;
  /** One has been over without what somebody waits for: another one is to begin, soon. */
  isWantedAgain: boolean;
  /** The one that is on its way. */
  look: Look | undefined;
  /** What the server has announced to the witness above `readUpTo`, by growing tids. */
  told: InvalidationArgs[];
  /** It has announced all above this tid; ANY_TID: above which one is not known. */
  toldAbove: Tid;
  /** The highest tid that somebody has committed, or was told of, who has left before all below it was read. NO_TID: nobody. */
  leftAt: Tid;
  /** What was found below that then. */
  missed: Found | undefined;
  /** So many commits did not pass through here, and were read. */
  foreign: number;
  /** A client that comes back asks for what the history does not reach: from above this tid on; undefined: none does. */
  back: Tid | undefined;
  /** What is being read for such clients. */
  reading: Range | undefined;
}

/** Tids above the first one, up to the second one. */
export interface Range {
  readonly above: Tid;
  readonly upTo: Tid;
}

/** One transaction that was read from the storage. */
export interface Found {
  readonly tid: Tid;
  readonly oids: OidSet;
}

export interface Look {
  readonly number: number;
  /** `StorageState.proven` when it began. */
  readonly proven: Tid;
  /** The last transaction that the server has named; undefined: it has not answered. */
  last: Tid | undefined;
  /** Nothing lay above that. */
  isSure: boolean;
  /** What was read up to that, by growing tids; undefined: it is still being read. */
  found: readonly Found[] | undefined;
  /** What was found may be a commit that is finishing: it waits until no one with this number or a lower one is. */
  after: number;
  /** When it was read, as the caller's clock has it. */
  at: number;
}

/** What the first message of an outbox waits for. */
export interface Awaited {
  /** The look with this number is to be over. */
  readonly look: number;
  /** When somebody saw first that it waits, as the caller's clock has it. */
  readonly since: number | undefined;
  /** It has waited long enough. */
  readonly isLate: boolean;
}

export function newSight(): Sight {
  return {
    life: "off",
    readUpTo: undefined,
    offAt: NO_TID,
    begun: 0,
    over: 0,
    wanted: 0,
    sure: 0,
    isWantedAgain: false,
    look: undefined,
    told: [],
    toldAbove: NO_TID,
    leftAt: NO_TID,
    missed: undefined,
    foreign: 0,
    back: undefined,
    reading: undefined,
  };
}
