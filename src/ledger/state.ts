import type { InvalidationArgs } from "../wire/codec.ts";
import { NO_TID, type Tid } from "../wire/ids.ts";
import type { OidList, OidSet } from "./oid-set.ts";
import { ALL_RULES, type Rules } from "./rules.ts";
import { newSight, type Awaited, type Sight } from "./sight.ts";
import type { Changes, Transaction } from "./transaction.ts";

/**
 * All that the ledger of one storage knows, as plain data: no closures, no clock, no sockets. `P` is whatever the
 * caller wants back when a held message may go out (in the proxy: the frame).
 *
 * The words are those of docs/ordering.md.
 */
export interface StorageState<P> {
  /** Old: ZODB3 and ZEO <= 4. New: ZEO >= 5. It decides which proofs hold. */
  readonly server: ServerFamily;
  readonly rules: Rules;
  /** The highest tid that has settled, or was seen in an invalidation on any connection. */
  known: Tid;
  /**
   * The highest tid that a settled commit, or a reply that names the last transaction, has proven to be in the
   * database. Lower than `known` while only invalidations have shown a tid.
   */
  proven: Tid;
  /** The history covers every tid above this one; undefined until a first `lastTransaction` or `register` tid. */
  reach: Tid | undefined;
  /** Commits whose `tpc_finish` is on its way, in the order in which they were forwarded. */
  finishing: Finishing[];
  /** The newest number given to a finishing commit. */
  lastFinish: number;
  /** So many commits have settled; the n-th one's `Settled.order` is n. */
  settles: number;
  /** Settled commits, by tid. */
  history: Settled[];
  historyBytes: number;
  /** What the server's own invalidations named of tids that may turn out to be finishing commits. */
  heard: Map<Tid, Heard>;
  /** Commits of which nobody knows whether they are in the database, in the order in which that came about. */
  limbo: Limbo[];
  /** So many have come into limbo so far; the n-th one's `Limbo.number` is n. */
  doubts: number;
  /** What a foreign message became with the oids in limbo: most sessions get the same one. */
  explained: OwnMessage | undefined;
  /** The newest tids of transactions that were copied below what was known. */
  copiedTids: Set<Tid>;
  /** The newest tids that transactions have named themselves, wherever they lie: see `mayLieBelow`. */
  namedTids: Set<Tid>;
  /** The last of them, and how many commits of clients here had settled then, itself among them. */
  lastNamed: { readonly tid: Tid; readonly commits: number } | undefined;
  /** What was copied last, while sessions are still to be ended for it. */
  copied: Copied | undefined;
  /** So many were copied so far; the n-th one's `Copied.number` is n. */
  copies: number;
  /** No commit that may have been there before what was copied last has a tid above this one. */
  copiedBelow: Tid;
  /** When sessions were ended last for what was copied, as the caller's clock has it. */
  copyingEndedAt: number;
  /** Tids that the server announced and nobody here committed: the highest, and how many. */
  foreign: Tid;
  foreignCount: number;
  /** Does the server name created oids itself? Observed, for people; no rule asks. */
  patched: "unknown" | "yes" | "no";
  /** What is seen of the database by the proxy's own connection. */
  readonly sight: Sight;
  /** Something up to here was not told as it is: nobody goes on from below it. */
  doubted: Tid;
  /** By session number. */
  accounts: Map<number, Account<P>>;
  /** False: nothing is held for anybody, or due. Set where anything comes to be; nobody need look at all accounts then. */
  mayOwe: boolean;
}

export type ServerFamily = "old" | "new";

/** A commit that is perhaps in the database: its `tpc_finish` was forwarded, and never answered with a tid or None. */
export interface Limbo {
  readonly number: number;
  /** What it changed, as far as its client said; undefined: they were too many to keep. */
  oids: OidSet | undefined;
  /** Its own tid lies above this one. */
  readonly base: Tid;
  /** It may still be committed: a later vote that is granted ends the sessions once more. */
  open: boolean;
  /** A commit that was forwarded with a higher number, once it is not open any more, has a higher tid. */
  since: number;
  /** The tid of such a commit, which its own lies below; undefined while none has settled. */
  top: Tid | undefined;
}

/** A transaction that was copied below what was known. */
export interface Copied {
  /** The session that did. */
  readonly by: number;
  /** It has copied all for which sessions are still to be ended, so it need not be ended itself. */
  readonly isAlone: boolean;
  readonly number: number;
  /** A commit that was forwarded with a higher number is in the database behind it. */
  readonly since: number;
  /** When that was, as the caller's clock has it. */
  readonly at: number;
  /** Nothing more is copied, and whoever could be sent away has been. */
  readonly isOver: boolean;
}

/** What the server's own messages of one tid named. */
export interface Heard {
  readonly oids: OidSet;
  /** The last of them that was looked at, and its set. */
  readonly args: InvalidationArgs;
  readonly own: OidSet;
}

/** A message of the server's, and what became of it; `announcement` undefined: it passes as it is. */
export interface OwnMessage {
  readonly args: InvalidationArgs;
  readonly announcement: Announcement | undefined;
}

export interface Finishing {
  readonly number: number;
  readonly session: number;
  /** Its own tid lies above this one. */
  readonly base: Tid;
  /** False: its `tpc_begin` named a tid at or below what is known. */
  readonly grows: boolean;
  readonly explicitTid: Tid;
  readonly changes: Changes;
  /** Its vote was granted: without that no server commits it. */
  granted: boolean;
  /** What had been committed before that was seen. */
  readonly isCovered: boolean;
  /** A message of the server's was taken for that of this one, which is to be copied. */
  swallowed: boolean;
}

/** A commit that is known to be in the database. */
export interface Settled {
  readonly tid: Tid;
  readonly order: number;
  /** Who committed it; `NOBODY`: nobody here. */
  readonly session: number;
  /** While anybody is owed it. */
  changes: Changes;
  /** The union of `changes` and of what the server's own messages have named. */
  oids: OidSet;
  /** False while the commit undoes and no message of the server's has named the undone oids. */
  complete: boolean;
  /** Sessions that are still to be told; undefined: nobody is. */
  owed: Set<number> | undefined;
  /** Sessions that were told with oids added, and without any message of the server's. */
  completed: number;
  synthesized: number;
  /** What the server's first message lacked, once one has been read. */
  added: OidSet | undefined;
  /** The last message of the server's that was looked at, and what became of it: most sessions get the same one. */
  lastOwn: OwnMessage | undefined;
  /** The announcement that needs no message of the server's. */
  madeUp: Announcement | undefined;
}

/** No session has that number. */
export const NOBODY = 0;

/** An invalidation to be encoded, shared by all who get it. */
export interface Announcement {
  readonly tid: Tid;
  readonly oids: OidList;
}

/** The tid from which a client goes on. */
export interface Standing {
  readonly tid: Tid;
  /** All that changed in that transaction, and perhaps more that its client was told with it; undefined: not known. */
  readonly oids: OidList | undefined;
}

/** What the server told behind a higher tid. */
export interface Late {
  /** The lowest of the tids that these oids changed in. */
  readonly tid: Tid;
  readonly oids: OidSet;
  /** It was told, perhaps while its client did not take it. */
  readonly isTold: boolean;
}

export interface Due {
  readonly settled: Settled;
  /** When it became due, as the caller's clock has it. */
  readonly since: number;
}

/** What was so when a call was forwarded. Its reply proves nothing of what came later. */
export interface Stamp {
  /** So many commits had settled. */
  readonly order: number;
  /** `StorageState.proven` */
  readonly proven: Tid;
}

export type Phase =
  /** `register` was forwarded, its reply was not read. */
  | "registering"
  /** The reply was read; it may still stand in the outbox. */
  | "registered"
  /** The client's connection has ended; the server's is read until its `tpc_finish` replies have come. */
  | "orphaned"
  /** The server's connection has ended; what is in the outbox still goes out. */
  | "closing";

/** What the ledger keeps of one session, from `register` on. */
export interface Account<P> {
  /** The session's. */
  readonly number: number;
  phase: Phase;
  /** When `register` was forwarded. */
  readonly registered: Stamp;
  /** `StorageState.doubts` then. */
  readonly doubts: number;
  /** Old: `known` when `register` was forwarded. New: the tid in its reply. */
  floor: Tid;
  transactions: Transaction[];
  /** Lower tids first. */
  due: Due[];
  outbox: Item<P>[];
  /** Bytes of the payloads in the outbox. */
  heldBytes: number;
  /** Nothing in the outbox is evidence of a tid above this one; nobody need look for what is. */
  top: Tid;
  /** So many were copied (`StorageState.copies`) when `getInvalidations` was answered None. */
  verified: number;
  /** The highest tid of an invalidation that has gone out. */
  announced: Tid;
  /** The tid of its own last commit. */
  committed: Tid;
  /**
   * The highest tid in a reply to a `tpc_finish` of its own that has gone out. An old server answers one that changed nothing
   * with somebody else's.
   */
  ownTold: Tid;
  /** The highest tid that another message has shown for certain. */
  shown: Tid;
  /** A reply to its client that names the last transaction was read: from then on it must hear of everything. */
  seen: boolean;
  /** It has called for more than its cache's verification needs: that is over. */
  isWorking: boolean;
  /** Where its cache stands, once all that was read has gone out; not for certain before `seen`. */
  stands: Standing;
  /** What the server told too late, and it is still to hear. */
  late: Late | undefined;
  /** Its client has been granted a vote, and has neither finished nor aborted. No rule asks. */
  voted: boolean;
  /** The same, whatever it has begun since: the server may commit what it finishes. */
  granted: boolean;
  /** Old servers: the last transaction that it was answered first. With that it verifies its cache. */
  answered: Tid;
  /** What had been committed before its vote was granted was seen. */
  isCovered: boolean;
  /** What the first message of the outbox waits for, beside others' commits. */
  awaited: Awaited | undefined;
  /** Has what the history does not reach been read back for it? */
  past: "not-needed" | "wanted" | "tried";
  /** Its server's connection is left unread, as its client is slow or others' commits are waited for. */
  isUnread: boolean;
  /** What had settled (`Settled.order`) when it was read on: it is still to be told of that for being slow. */
  unreadUpTo: number;
  /** When the proxy's own question was asked; undefined: none is on its way. */
  question: Stamp | undefined;
}

export type ItemKind =
  /** Shows no tid, moves nothing. */
  | "plain"
  | "register"
  /** Shows `tid` in its value. */
  | "reply"
  | "invalidations"
  /** An old server's vote reply that grants the lock. */
  | "grant"
  | "invalidation";

/** A message towards the client. */
export interface Item<P> {
  readonly kind: ItemKind;
  /** What it is evidence of; NO_TID: of nothing. */
  readonly tid: Tid;
  /** `tid` was read where this message has its tids, not just found somewhere in it. */
  readonly exact: boolean;
  /** It waits until no commit with this number or a lower one is finishing; 0: for none. */
  readonly after: number;
  /** An invalidation: the server's own arguments, or undefined when it is made up. */
  readonly own: InvalidationArgs | undefined;
  /** A made-up invalidation: of what. */
  readonly settled: Settled | undefined;
  /** `invalidations`: the tid asked for, and the server's answer (undefined: None). */
  readonly asked: Tid;
  readonly answer: InvalidationArgs | undefined;
  /** The reply to its own client's `tpc_finish`. */
  readonly isFinish: boolean;
  /** It shows what was read from the storage: a look that begins later names it, or something above it, or never will. */
  readonly isRead: boolean;
  /** undefined for a made-up invalidation. */
  readonly payload: P | undefined;
  readonly bytes: number;
}

/** Why the ledger ends a session. Stable words for logs and counters. */
export type EndCode =
  /** The server's invalidation can't be put into its place any more, nor be told under a later tid. */
  | "invalidation-out-of-order"
  /** A commit of others can't be told completely. */
  | "incomplete-undo"
  /** A commit settled below a tid that the client was told of: no rule lets that happen. */
  | "commit-out-of-order"
  /** A reply that was too large to be held shows a commit that its client is still to be told of. */
  | "reply-too-early"
  /** A commit took a tid below one that was known already. */
  | "copied-history"
  /** What it is owed is more than the history may hold. */
  | "too-far-behind"
  /** The fate of another client's commit is unknown. */
  | "unknown-commit"
  /** A commit that did not pass through here could not be read in time. */
  | "unread-commit"
  /** Another database, or an older backup, answers. */
  | "database-changed";

/** The server's own message with more oids; one that it never sent; one that it sent too late, under a later tid. */
export type Repair = "completed" | "synthesized" | "late";

/** What the caller is to do for one session. */
export type SessionAction<P> =
  | { readonly do: "forward"; readonly session: number; readonly payload: P }
  | {
      readonly do: "announce";
      readonly session: number;
      readonly repair: Repair;
      readonly announcement: Announcement;
      /** The server's own message that it replaces. */
      readonly payload: P | undefined;
    }
  | {
      /** A `getInvalidations` reply with another value; undefined: None, since the history begins at `reach`. */
      readonly do: "resume";
      readonly session: number;
      readonly from: Tid;
      readonly reach: Tid | undefined;
      readonly value: InvalidationArgs | undefined;
      readonly payload: P;
    }
  /** Send a `lastTransaction` of the proxy's own. */
  | { readonly do: "ask"; readonly session: number }
  /** Close both connections (the server's only when no `tpc_finish` is on its way). */
  | { readonly do: "end"; readonly session: number; readonly code: EndCode; readonly tid: Tid }
  /** The server's connection has ended and all that could go out has: close the client's. */
  | { readonly do: "close-client"; readonly session: number }
  /** An orphan's last `tpc_finish` reply has come: close the server's connection. */
  | { readonly do: "close-server"; readonly session: number };

/** What the caller is to tell of; `by`: the session on whose connections it has shown. */
export type Fact =
  /** Everyone who was due has been told of a repaired commit, or has left. As it was then: what is kept of it is less. */
  | { readonly do: "repaired"; readonly settled: Settled }
  /** A commit of that session's has settled; told only where somebody wants to hear of each, and before what it leads to. */
  | { readonly do: "committed"; readonly by: number; readonly tid: Tid; readonly changes: Changes }
  /**
   * The server's message of a tid that nobody here committed has gone out; or it has settled, and is known completely: then
   * `oids` are what it has changed.
   */
  | {
      readonly do: "foreign";
      readonly by: number;
      readonly tid: Tid;
      readonly isRead: boolean;
      readonly oids: OidSet | undefined;
    }
  /** The server's message of that tid came behind one of a higher tid. */
  | { readonly do: "told-late"; readonly by: number; readonly tid: Tid }
  | { readonly do: "copied-history"; readonly by: number; readonly tid: Tid; readonly known: Tid }
  | { readonly do: "ledger-ended"; readonly by: number; readonly tid: Tid; readonly proven: Tid };

/** What is to be done, in this order. */
export type Action<P> = SessionAction<P> | Fact;

export function newState<P>(server: ServerFamily, rules: Rules = ALL_RULES): StorageState<P> {
  return {
    server,
    rules,
    known: NO_TID,
    proven: NO_TID,
    reach: undefined,
    finishing: [],
    lastFinish: 0,
    settles: 0,
    history: [],
    historyBytes: 0,
    heard: new Map(),
    limbo: [],
    doubts: 0,
    explained: undefined,
    copiedTids: new Set(),
    namedTids: new Set(),
    lastNamed: undefined,
    copied: undefined,
    copies: 0,
    copiedBelow: NO_TID,
    copyingEndedAt: Number.NEGATIVE_INFINITY,
    foreign: NO_TID,
    foreignCount: 0,
    patched: "unknown",
    sight: newSight(),
    doubted: NO_TID,
    accounts: new Map(),
    mayOwe: false,
  };
}

/** A commit at that tid, which nobody is owed yet. */
export function newSettled(of: Pick<Settled, "tid" | "order" | "session" | "changes" | "oids" | "complete">): Settled {
  return {
    tid: of.tid,
    order: of.order,
    session: of.session,
    changes: of.changes,
    oids: of.oids,
    complete: of.complete,
    owed: undefined,
    completed: 0,
    synthesized: 0,
    added: undefined,
    lastOwn: undefined,
    madeUp: undefined,
  };
}

export function stampOf<P>({ settles, proven }: StorageState<P>): Stamp {
  return { order: settles, proven };
}

/** First what is looked at for each message that the server sends to all: of many sessions nothing is in the caches then. */
export function newAccount<P>(number: number, state: StorageState<P>): Account<P> {
  return {
    number,
    phase: "registering",
    outbox: [],
    due: [],
    heldBytes: 0,
    top: NO_TID,
    announced: NO_TID,
    committed: NO_TID,
    ownTold: NO_TID,
    shown: NO_TID,
    late: undefined,
    stands: { tid: NO_TID, oids: undefined },
    registered: stampOf(state),
    floor: state.known,
    isWorking: false,
    seen: false,
    question: undefined,
    voted: false,
    granted: false,
    answered: NO_TID,
    isCovered: false,
    awaited: undefined,
    past: "not-needed",
    transactions: [],
    doubts: state.doubts,
    verified: 0,
    isUnread: false,
    unreadUpTo: 0,
  };
}

/** An item with everything that is not given at rest. Each by its name: one is made for every message that is held. */
export function item<P>(
  kind: ItemKind,
  payload: P | undefined,
  bytes: number,
  rest: Partial<Omit<Item<P>, "kind" | "payload" | "bytes">> = {},
): Item<P> {
  return {
    kind,
    tid: rest.tid ?? NO_TID,
    exact: rest.exact ?? true,
    after: rest.after ?? 0,
    own: rest.own,
    settled: rest.settled,
    asked: rest.asked ?? NO_TID,
    answer: rest.answer,
    isFinish: rest.isFinish ?? false,
    isRead: rest.isRead ?? false,
    payload,
    bytes,
  };
}
