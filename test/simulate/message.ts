import type { Id } from "./frame-writer.ts";

export type RequestKind =
  | "hello"
  | "register"
  | "lastTransaction"
  | "getInvalidations"
  | "load"
  | "loadBefore"
  | "plain"
  | "begin"
  | "store"
  | "restore"
  | "delete"
  | "check"
  | "undo"
  | "blobChunk"
  | "sendBlob"
  | "vote"
  | "finish"
  | "abort"
  | "heartbeat"
  // of the subject's own client alone
  | "iteratorStart"
  | "iteratorNext"
  | "recordStart"
  | "recordNext"
  | "iteratorGc";

/** What a client has written, and what the server must read, byte for byte. */
export interface Request {
  readonly frame: Buffer;
  readonly kind: RequestKind;
  readonly method: string;
  /** Of a call; one-way messages are not answered. */
  readonly id: Id;
  readonly isOneWay: boolean;
  readonly oid: number;
  /** A store's serial (`NONE_SERIAL`: None), the tid of `getInvalidations` or `undoa`, of a `loadBefore` the one before. */
  readonly tid: number;
  /** The transaction's id. */
  readonly txn: number;
  /** What the client had been told up to when it asked. */
  askedAt: number;
  /** So many invalidations it had read when it asked. */
  toldAt: number;
  /** The subject has made it once more. */
  readonly isAgain?: true;
  /** A question of the subject's own. */
  readonly isSubjects?: true;
  /** Of a call of the subject's own client: ids of iterators, and tids. */
  readonly numbers?: readonly number[];
}

/** A serial that is None. */
export const NONE_SERIAL = -1;

export type AnswerKind = "reply" | "invalidation" | "oneWay";

/** How a call went. */
export type Outcome =
  | "done"
  /** None: of a `getInvalidations` or a `tpc_finish`. */
  | "none"
  | "exception"
  /** Of a vote on an old server: None, and `serialnos` told before that a store was refused. */
  | "refused"
  /** Of a vote on a new server: conflicts to be resolved. */
  | "conflicts";

/** What a server has written, and what the client must read, byte for byte or repaired. */
export interface Answer {
  readonly frame: Buffer;
  readonly kind: AnswerKind;
  readonly request: Request | undefined;
  readonly outcome: Outcome;
  /** The tid of an invalidation, a finish, `getInvalidations`, `lastTransaction` or (new) `register`; a load's serial. */
  readonly tid: number;
  /** Of an invalidation or `getInvalidations`; of a vote those that were undone, or conflict. */
  readonly oids: readonly number[];
  /** The newest tid that it is evidence of; 0: none. */
  readonly shows: number;
  /** The storage's last tid when it was computed. */
  readonly computedAt: number;
  /** The client has it, or was told the same otherwise. */
  isDone: boolean;
  /** Oids in a tuple. */
  readonly asTuple: boolean;
}

export const NO_OIDS: readonly number[] = [];
