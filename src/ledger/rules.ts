/**
 * The rules of docs/ordering.md that can be switched off, one by one, so that a test can show what each is for.
 * The product has no switch for them: it always runs with `ALL_RULES`.
 */
export interface Rules {
  /** Evidence waits for the commits that were finishing when it was read and may have its tid or a lower one. */
  readonly holdEvidence: boolean;
  /** A granted vote of an old server waits for all commits that were finishing when it was read. */
  readonly voteBarrier: boolean;
  /** ... and what is due goes before it: it is evidence of every tid so far. */
  readonly grantIsEvidence: boolean;
  /** Only a granted vote is a barrier; a failed one is not. */
  readonly failedVoteIsNoBarrier: boolean;
  /** Evidence waits until nothing up to its tid is due to that session. */
  readonly waitForDue: boolean;
  /** An invalidation goes ahead of the evidence of its tid that is still held. */
  readonly moveAhead: boolean;
  /** The server's own invalidation of a settled commit is completed. */
  readonly complete: boolean;
  /** Old servers: nothing is made up before something on that connection proves that no message will come. */
  readonly proofFirst: boolean;
  /** What nothing on its way will prove is asked for. */
  readonly question: boolean;
  /** A server's message that comes after one was made up and names nothing new is swallowed. */
  readonly swallow: boolean;
  /** One that comes too late is told under the tid where its client's cache stands. */
  readonly tellLate: boolean;
  /** A fan-out server's message of a client's own commit is swallowed. */
  readonly swallowOwn: boolean;
  /** A commit's base counts tids that only an invalidation has shown. */
  readonly baseFromInvalidations: boolean;
  /** What an old server announced before its `register` reply goes right behind that reply. */
  readonly registerFirst: boolean;
  /** New servers: what the `register` reply covers is not announced. */
  readonly registerCovers: boolean;
  /** A dead client's server connection is read until its `tpc_finish` is answered. */
  readonly readOrphans: boolean;
  /** A client that can't be told of an undo completely is ended. */
  readonly endSkippedUndo: boolean;
  /** `getInvalidations` replies get the ledger's oids. */
  readonly mergeResume: boolean;
  /** ... and no tid below the session's floor, */
  readonly resumeFromFloor: boolean;
  /** ... nor below what was shown on this connection, */
  readonly resumeFromShown: boolean;
  /** ... nor below what was announced on it. */
  readonly resumeFromAnnounced: boolean;
  /** ... and None where the history does not reach back. */
  readonly resumeWithinReach: boolean;
  /** Oids of a commit in limbo are added to what nobody explains. */
  readonly addLimbo: boolean;
  /** A commit in limbo ends the storage's other sessions. */
  readonly endOthersInLimbo: boolean;
  /** What shows a tid that nobody here explains waits until the storage was looked at. */
  readonly lookFirst: boolean;
  /** ... and where that was read from the storage, only until it was looked at once. */
  readonly oneLookForRead: boolean;
  /** An old server's granted vote waits for a look that began behind it. */
  readonly lookAfterGrant: boolean;
  /** What was found waits for the commits that were finishing when it was read. */
  readonly foreignAfterFinishing: boolean;
  /** What the history does not reach is read back for a client that asks for it. */
  readonly readPast: boolean;
  /** A server's None becomes an answer where all is known. */
  readonly answerNone: boolean;
  /** Where the storage is read, an undo that nobody was told of is read there. */
  readonly readUndo: boolean;
  /** Where the storage is read, a commit in limbo is a foreign one, and ends nobody. */
  readonly limboIsForeign: boolean;
}

export const ALL_RULES: Rules = {
  holdEvidence: true,
  voteBarrier: true,
  grantIsEvidence: true,
  failedVoteIsNoBarrier: true,
  waitForDue: true,
  moveAhead: true,
  complete: true,
  proofFirst: true,
  question: true,
  swallow: true,
  tellLate: true,
  swallowOwn: true,
  baseFromInvalidations: true,
  registerFirst: true,
  registerCovers: true,
  readOrphans: true,
  endSkippedUndo: true,
  mergeResume: true,
  resumeFromFloor: true,
  resumeFromShown: true,
  resumeFromAnnounced: true,
  resumeWithinReach: true,
  addLimbo: true,
  endOthersInLimbo: true,
  lookFirst: true,
  oneLookForRead: true,
  lookAfterGrant: true,
  foreignAfterFinishing: true,
  readPast: true,
  answerNone: true,
  readUndo: true,
  limboIsForeign: true,
};
