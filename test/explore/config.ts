import { ALL_RULES, type Rules } from "../../src/ledger/rules.ts";
import type { EndCode } from "../../src/ledger/state.ts";
import type { TrimMistake } from "./trim.ts";

/** Which server the world has. */
export type Variant =
  /** ZODB3, ZEO <= 4. */
  | "old"
  /** The same with the backport of the fix. */
  | "old-backport"
  /** ZEO 5 before 5.2.2. */
  | "new"
  /** ZEO 5.2.2 and later. */
  | "new-patched";

/**
 * What a transaction does, one letter each: Created only, Modified only, Both, Deleted (or restored) only, Empty,
 * Undo beside creations.
 */
export type Kind = "C" | "M" | "B" | "D" | "E" | "U";

export const KINDS: readonly Kind[] = ["C", "M", "B", "D", "E", "U"];

/** The oids of a transaction, one for each part that it has; a set of parts is a bit mask. */
export const MODIFIED = 1;
export const CREATED = 2;
export const DELETED = 4;
/** Only the server knows these. */
export const UNDONE = 8;

/** By the index of the kind. */
const FULL_PARTS: readonly number[] = [CREATED, MODIFIED, CREATED | MODIFIED, DELETED, 0, UNDONE | CREATED];

/** Index in `KINDS`. */
export type KindIndex = number;

export const EMPTY: KindIndex = KINDS.indexOf("E");
export const UNDO: KindIndex = KINDS.indexOf("U");

export function fullParts(kind: KindIndex): number {
  return FULL_PARTS[kind] ?? 0;
}

/** A world: who is in it, and how often each thing may happen. */
export interface Config {
  readonly server: Variant;
  readonly clients: number;
  /** So many of the last ones that the proxy sees connect later, with a cache at tid 0. */
  readonly cold: number;
  /** ... with an empty cache. */
  readonly fresh: boolean;
  /** Old clients (only on an old server): an invalidation inside their `tpc_finish` deadlocks them. */
  readonly oldClients: boolean;
  /** Transactions begun in all. */
  readonly commits: number;
  /** Only the first so many clients write; 0: all. */
  readonly writers: number;
  readonly kinds: string;
  /** Reads for each client, and how many of them without a reply at once. */
  readonly polls: number;
  readonly reads: number;
  /** Reads can be loads, whose replies show no new tid. */
  readonly loads: boolean;
  /** Where a reply has its tids is unknown: the ledger is told of them as of a mere likeness. */
  readonly vague: boolean;
  /** Reads of a client that is ready are loads that show a tid; of a quiet session they pass the ledger by, unless that is new. */
  readonly passing: boolean;
  /** Connects for each client (not counted: after the proxy has ended it). */
  readonly connects: number;
  /** Aborts for each client. */
  readonly aborts: number;
  /** Disconnects in all, at any moment. */
  readonly disconnects: number;
  /** Votes and finishes may fail. */
  readonly fails: boolean;
  /** The last client is on the server's own port, from the beginning; the proxy does not see it. */
  readonly foreign: boolean;
  /** The server may answer a `getInvalidations` None: it has forgotten. */
  readonly forgets: boolean;
  /** The proxy has a connection of its own, and reads the storage. */
  readonly witness: boolean;
  /** So often that connection breaks; it comes again. */
  readonly witnessDowns: number;
  /** So often it is given up; it comes again. */
  readonly witnessOffs: number;
  /** Between the name of the last transaction and what a look finds anything may happen. */
  readonly slowLooks: boolean;
  /** So often somebody has waited for it too long. */
  readonly holds: number;
  /** Old: an empty transaction gets a tid of its own (other storages than FileStorage). */
  readonly emptyTid: boolean;
  /** So often a server connection breaks between `tpc_finish` and its reply. */
  readonly cuts: number;
  /** ... and the server may still read what was sent to it. */
  readonly lateCuts: boolean;
  /** So often the server closes a connection, at any moment; what it wrote before still arrives. */
  readonly hangups: number;
  /** So often a client closes its half of the connection, at any moment, and goes on reading. */
  readonly halfCloses: number;
  /** So often a client stops reading, for a while or for good. */
  readonly stalls: number;
  /** So often a client votes once more while it votes: the server says that it does already, and nothing changes. */
  readonly votesAgain: number;
  /** Transactions that are copied to a tid below the last one; then that is the last one, until the next commit. */
  readonly copies: number;
  /** To the lowest tid that is free, and not to the highest. */
  readonly copiesFarBelow: boolean;
  /** No time goes by: whoever copies is not done with it before its connection ends. */
  readonly swift: boolean;
  /** So often the server restarts with a backup that lacks the newest commit. */
  readonly restores: number;
  /** So often a `tpc_finish` is answered with an exception although the commit is in the database. */
  readonly throws: number;
  /** So often the server's invalidation is late for one client (old: that never commits): behind what has a higher tid. */
  readonly delays: number;
  /** A message of the server's may come too late for its client, and is told under the tid where that one stands. */
  readonly lates: boolean;
  /** The oids of a commit in limbo are told no more once a later commit has shown what became of it. */
  readonly limboEnds: boolean;
  /** So often the server skips one client in one invalidation. */
  readonly skips: number;
  /** The server invalidates towards the committer, too: early (old: before its reply; new: by the loop) or late. */
  readonly fanOut: "no" | "early" | "late";
  /** So often a `register` fails; the client tries again on the same connection. */
  readonly refusals: number;
  /** New: a vote may reply conflicts; the client stores again and votes again. */
  readonly resolves: boolean;
  /** Old: a refused store is told by `serialnos`, with a conflict that shows a tid, before the vote's None. */
  readonly serialnos: boolean;
  /** A server connection is not read while so many messages are held for its client and the ledger lets it; 0: never. */
  readonly outboxLimit: number;
  /** A second may pass at any moment: what is due is asked for. Where it can't, only what is asked for at once is. */
  readonly ticks: boolean;
  /** The ledger keeps so many bytes of history. */
  readonly historyBytes: number;
  /** So often the history is trimmed at any moment, to nothing or to its newest commit. */
  readonly trims: number;
  /** ... wrongly: then something must be found. */
  readonly trimMistake: TrimMistake | undefined;
  /** Connections at once. */
  readonly slots: number;
  /** Deliver to clients at once where that loses nothing. */
  readonly eager: boolean;
  readonly rules: Rules;
  /** Why the ledger may end a session here. */
  readonly ends: readonly EndCode[];
  /** `getInvalidations` may be answered None here. */
  readonly nones: boolean;
}

const DEFAULTS: Config = {
  server: "old",
  clients: 2,
  cold: 0,
  fresh: false,
  oldClients: true,
  commits: 2,
  writers: 0,
  kinds: "CM",
  polls: 1,
  reads: 1,
  loads: false,
  vague: false,
  passing: false,
  connects: 0,
  aborts: 0,
  disconnects: 0,
  fails: false,
  foreign: false,
  forgets: false,
  witness: false,
  witnessDowns: 0,
  witnessOffs: 0,
  slowLooks: false,
  holds: 0,
  emptyTid: false,
  cuts: 0,
  lateCuts: false,
  hangups: 0,
  halfCloses: 0,
  stalls: 0,
  votesAgain: 0,
  copies: 0,
  copiesFarBelow: false,
  swift: false,
  restores: 0,
  throws: 0,
  delays: 0,
  lates: false,
  limboEnds: false,
  skips: 0,
  fanOut: "no",
  refusals: 0,
  resolves: false,
  serialnos: false,
  outboxLimit: 0,
  ticks: true,
  historyBytes: Number.POSITIVE_INFINITY,
  trims: 0,
  trimMistake: undefined,
  slots: 5,
  eager: true,
  rules: ALL_RULES,
  ends: [],
  nones: false,
};

export function config(options: Partial<Config>): Config {
  const { server = DEFAULTS.server } = options;
  return { ...DEFAULTS, ticks: server === "old" || server === "old-backport", ...options };
}

export function isNew(c: Config): boolean {
  return c.server === "new" || c.server === "new-patched";
}

export function hasOldClients(c: Config): boolean {
  return c.oldClients && !isNew(c);
}

/** The parts that this server's own invalidation names; undefined: it sends none. */
export function sentParts(c: Config, kind: KindIndex): number | undefined {
  const full = fullParts(kind);
  switch (c.server) {
    case "old": {
      const parts = full & (MODIFIED | UNDONE);
      return parts === 0 ? undefined : parts;
    }
    case "old-backport": {
      const parts = full & ~DELETED;
      return parts === 0 ? undefined : parts;
    }
    case "new":
      return full & (MODIFIED | UNDONE);
    case "new-patched":
      return full & ~DELETED;
  }
}
