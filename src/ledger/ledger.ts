import type { InvalidationArgs, MessageId } from "../wire/codec.ts";
import { ANY_TID, NO_TID, type Tid } from "../wire/ids.ts";
import { copyFailed, isCopied } from "./copied.ts";
import { namesLast } from "./database.ts";
import { heard } from "./hear.ts";
import { doubt, setAt, settledAt } from "./history.ts";
import { endFinish, endAll, isFinishing, leave } from "./leave.ts";
import { mayEnd, mayFlow, type Large } from "./large.ts";
import { standsAt } from "./late.ts";
import { comesTo } from "./left.ts";
import { enterLimbo, failedInDoubt, failureEndsAll, lockMovedOn } from "./limbo.ts";
import { NO_OIDS, type OidSet } from "./oid-set.ts";
import { beginLook, lookFinds, lookIsTooMuch, lookNames, sightAway, sightOff, sightUp, useLook } from "./look.ts";
import { noLongerOwed, owesAnybody, owesTo } from "./owed.ts";
import { beginPast, pastFound, wantedPast } from "./past.ts";
import { placeRegister, push, waitNumber } from "./place.ts";
import { proveAll, proveAnswered, proveAtEnd, proveUpTo, type Proof } from "./prove.ts";
import { askIfSilent, askOverdue } from "./question.ts";
import { pump, pumpAll, waitsForCommits } from "./release.ts";
import { advance, isToldUnknown, wantLook } from "./read-up-to.ts";
import type { Found, Range, SightLife } from "./sight.ts";
import { endUnseen, seenBy, type Patience } from "./unseen.ts";
import { beginFinish, commits, forgetHeard, settle } from "./settle.ts";
import {
  item,
  newAccount,
  stampOf,
  type Account,
  type Action,
  type ServerFamily,
  type Stamp,
  type StorageState,
} from "./state.ts";
import { changesOf, type StoreSort, type Transaction } from "./transaction.ts";
import { beyondBound, trim } from "./trim.ts";
import * as transactions from "./transactions.ts";

/** A message towards the client, as it was read: what to hand back, and what it weighs. */
export interface Read<P> {
  readonly payload: P;
  readonly bytes: number;
}

/** The reply to a call of the client's. */
export interface Reply<P> extends Read<P> {
  /** `Stamp.order` of when the call was forwarded; 0 where nobody knows what it answers. */
  readonly order: number;
}

/** What a reply shows: see `Shown` of the codec. */
export interface Evidence {
  readonly tid: Tid;
  readonly exact: boolean;
}

/** For people. */
export interface LedgerFacts {
  /** Commits that settled here; tids seen that nobody here committed. */
  readonly commits: number;
  readonly foreign: number;
  /** Those of them that were read from the storage. */
  readonly read: number;
  readonly witness: SightLife;
  readonly patched: "unknown" | "yes" | "no";
  readonly known: Tid;
}

const ENDLESS: Patience = { holdMs: Number.POSITIVE_INFINITY, goesOn: false };

/**
 * Who committed what in one storage of one server, and what each of its clients is owed: docs/ordering.md.
 *
 * Events go in by the methods, in the order in which the bytes were forwarded or read; what is to be done comes out
 * of `take()`, in order. It has no clock, no socket, and no state beside `state`. `session` is a number that the
 * caller chooses, never used twice. After every event but those that only note, `take()` is to be called.
 */
export class StorageLedger<P> {
  readonly state: StorageState<P>;
  #historyBytes: number;
  readonly #tellsCommits: boolean;
  #actions: Action<P>[] = [];
  #stamp: Stamp | undefined;
  /** So often one was quiet while not all need be. */
  #looks = 0;

  /** `tellsCommits`: there is a fact for each commit that settles, not only for those that were repaired. */
  constructor(state: StorageState<P>, historyBytes = Number.POSITIVE_INFINITY, tellsCommits = false) {
    this.state = state;
    this.#historyBytes = historyBytes;
    this.#tellsCommits = tellsCommits;
  }

  /** What is to be done since the last call. */
  take(): Action<P>[] {
    const actions = this.#actions;
    if (actions.length > 0) this.#actions = [];
    return actions;
  }

  // --- what the caller may ask ------------------------------------------------------------------------------------

  /** What is so now: to be kept with a call that is forwarded, and handed back with its reply. */
  get stamp(): Stamp {
    const { settles, proven } = this.state;
    if (this.#stamp?.order !== settles || this.#stamp.proven !== proven) this.#stamp = stampOf(this.state);
    return this.#stamp;
  }

  /** May the session's messages pass by the ledger? (Never those that it has methods for.) */
  isQuiet(session: number): boolean {
    const { state } = this;
    if (!state.mayOwe && state.finishing.length === 0) return true;
    const account = state.accounts.get(session);
    if (account === undefined) return true;
    if (state.finishing.length > 0 || owesTo(account)) return false;
    this.#looks++;
    // So rarely that it costs no more than what was looked at since.
    if (this.#looks > state.accounts.size) this.#lookAtAll();
    return true;
  }

  /**
   * Up to there nothing that was read from the storage is new to that session's client, quiet or not, or to the ledger. What shows
   * more is to go through `reply`, and may have to wait; ANY_TID: nothing has to.
   */
  horizon(session: number): Tid {
    const { sight, rules, accounts } = this.state;
    if (sight.life === "off" || sight.readUpTo === undefined || !rules.lookFirst) return ANY_TID;
    const account = accounts.get(session);
    const known = account === undefined ? NO_TID : seenBy(account);
    return known > sight.readUpTo ? known : sight.readUpTo;
  }

  #lookAtAll(): void {
    this.#looks = 0;
    this.state.mayOwe = owesAnybody(this.state);
  }

  /**
   * May the session's server connection be left unread? While its client is slow, as nobody else waits for what it may
   * bring, or while the first message waits for others' commits; never while it is finishing itself.
   */
  mayPause(session: number, isSlow: boolean): boolean {
    const account = this.state.accounts.get(session);
    if (account === undefined) return true;
    if (isFinishing(this.state, session)) return false;
    const first = account.outbox[0];
    return isSlow || (first !== undefined && waitsForCommits(this.state, first));
  }

  /** Is the session still kept: as a client's, or for a commit that is on its way? */
  isKept(session: number): boolean {
    return this.state.accounts.has(session);
  }

  /** Has its `register` been answered, and does its client still live? */
  isRegistered(session: number): boolean {
    return this.state.accounts.get(session)?.phase === "registered";
  }

  /** Is a question of the proxy's own on its way there? */
  isAsking(session: number): boolean {
    return this.#live(session)?.question !== undefined;
  }

  /** Is a `tpc_finish` of this session on its way? */
  isFinishing(session: number): boolean {
    return isFinishing(this.state, session);
  }

  /** Has its client been granted a vote that it has neither finished nor aborted? */
  hasVoted(session: number): boolean {
    return this.state.accounts.get(session)?.voted ?? false;
  }

  /** Has its client begun a transaction that is not over? */
  hasTransaction(session: number): boolean {
    return this.state.accounts.get(session)?.transactions.some(({ over }) => !over) ?? false;
  }

  /** Bytes of what is held for the session's client; 0: nothing is. */
  heldBytes(session: number): number {
    if (!this.state.mayOwe) return 0;
    const account = this.state.accounts.get(session);
    return account === undefined ? 0 : account.heldBytes + (account.late?.oids.length ?? 0);
  }

  /** Bytes of what is noted of the session's own transactions. */
  notedBytes(session: number): number {
    return transactions.notedBytes(this.state.accounts.get(session));
  }

  /** The number of the newest commit that is finishing; 0: none is. */
  get newestFinish(): number {
    return this.state.finishing.at(-1)?.number ?? 0;
  }

  /** Where its commits stand: never the same again once one was forwarded, has settled or failed, or came into doubt. */
  get standing(): string {
    const { finishing, settles, doubts } = this.state;
    return `${finishing[0]?.number} ${this.newestFinish} ${finishing.length} ${settles} ${doubts}`;
  }

  /** May a reply that is too large to be held flow on, which began to be read when that one was the newest? */
  mayFlow(session: number, arrived: number): Large {
    const account = this.#live(session);
    return account === undefined ? "flow" : mayFlow(this.state, account, arrived);
  }

  /** The first message that is held for each session for which one is. */
  *firstHeld(): Generator<{ readonly session: number; readonly payload: P }> {
    for (const { number, outbox } of this.state.accounts.values()) {
      const payload = outbox[0]?.payload;
      if (payload !== undefined) yield { session: number, payload };
    }
  }

  /** Is anything due to anybody, or held, or are sessions to be ended? Then time may decide when. */
  get isOwing(): boolean {
    for (const { due, outbox } of this.state.accounts.values()) if (due.length > 0 || outbox.length > 0) return true;
    return false;
  }

  /** Is nothing known that anybody may need: of the database, of a commit, of a session? */
  get isBlank(): boolean {
    const { accounts, reach, settles, known, limbo } = this.state;
    return accounts.size === 0 && reach === undefined && settles === 0 && known === NO_TID && limbo.length === 0;
  }

  /** So many commits have settled. */
  get settles(): number {
    return this.state.settles;
  }

  get family(): ServerFamily {
    return this.state.server;
  }

  get facts(): LedgerFacts {
    const { settles, foreignCount, patched, known, sight } = this.state;
    return {
      commits: settles - sight.foreign,
      foreign: foreignCount,
      read: sight.foreign,
      witness: sight.life,
      patched,
      known,
    };
  }

  // --- client to server: these only note --------------------------------------------------------------------------

  /** `register` was forwarded. */
  registerForwarded(session: number): void {
    if (this.state.accounts.size === 0) this.state.proven = this.state.known;
    this.state.accounts.set(session, newAccount(session, this.state));
  }

  /**
   * A call was forwarded that is none of those by which a cache is verified: `register`, and those that ask for tids.
   * @returns whether that is over; else it is to be said of the next one, too
   */
  workForwarded(session: number): boolean {
    const account = this.state.accounts.get(session);
    if (account === undefined) return false;
    // An old client asks for something else first.
    account.isWorking ||= account.phase === "registered" && account.seen;
    return account.isWorking;
  }

  beginForwarded(session: number, id: MessageId, explicitTid: Tid = NO_TID): void {
    const account = this.state.accounts.get(session);
    if (account !== undefined) transactions.begin(account, id, explicitTid);
  }

  /** A store, restore or delete: the eight bytes of the oid at `offset`. */
  storeForwarded(
    session: number,
    id: MessageId,
    sort: StoreSort,
    serial: "zero" | "none" | "set",
    from: Buffer,
    offset: number,
  ): void {
    transactions.store(this.transaction(session, id), sort, serial, from, offset);
  }

  /** For many stores one behind the other: what `store` takes. It is good until the next event of this session. */
  transaction(session: number, id: MessageId): Transaction | undefined {
    return transactions.transactionOf(this.state.accounts.get(session), id);
  }

  undoForwarded(session: number, id: MessageId): void {
    const transaction = transactions.transactionOf(this.state.accounts.get(session), id);
    if (transaction !== undefined) transaction.undoes = true;
  }

  abortForwarded(session: number, id: MessageId): void {
    transactions.abort(this.state.accounts.get(session), id);
  }

  /** `tpc_finish` was forwarded. Returns a number for `finishReply`. */
  finishForwarded(session: number, id: MessageId): number {
    const transaction = transactions.take(this.state.accounts.get(session), id);
    const { explicitTid } = transaction;
    return beginFinish(this.state, session, { changes: changesOf(transaction), explicitTid }).number;
  }

  /** An old server's `serialnos` named these oids (packed) as refused. Its message is an event of its own. */
  storesRefused(session: number, oids: Buffer): void {
    transactions.refuse(this.state.accounts.get(session), oids);
  }

  // --- server to client -------------------------------------------------------------------------------------------

  /** `register` failed; the session may try again. Nothing was told to it, so what is held shows nothing too early. */
  registerFailed(session: number, read: Read<P>): void {
    const account = this.state.accounts.get(session);
    if (account === undefined) return;
    for (const { kind, payload } of account.outbox) {
      if (kind !== "invalidation" && payload !== undefined) this.#actions.push({ do: "forward", session, payload });
    }
    this.#actions.push({ do: "forward", session, payload: read.payload });
    leave(this.state, account, this.#actions);
  }

  /** `tid`: undefined where the server replies None (old). */
  registerReply(session: number, tid: Tid | undefined, read: Read<P>): void {
    const account = this.#live(session);
    if (account === undefined) return;
    account.phase = "registered";
    placeRegister(this.state, account, item("register", read.payload, read.bytes));
    if (tid !== undefined) {
      if (namesLast(this.state, session, tid, account.registered.proven, this.#actions)) return;
      account.floor = tid;
      account.seen = true;
      standsAt(account, tid, setAt(this.state, tid));
      if (this.state.rules.registerCovers) this.#covered(account, tid);
    }
    askIfSilent(this.state, account, this.#actions);
    pump(this.state, account, this.#actions);
  }

  /** A `lastTransaction` reply to the client. `stamp`: of when the call was forwarded. */
  lastTransactionReply(session: number, tid: Tid, stamp: Stamp, read: Read<P>): void {
    const account = this.#live(session);
    if (account === undefined || namesLast(this.state, session, tid, stamp.proven, this.#actions)) return;
    const isFirst = !account.seen;
    if (isFirst) account.answered = tid;
    this.#reply(account, { tid, exact: true }, { ...read, order: stamp.order });
    account.seen = true;
    if (!account.isWorking) standsAt(account, tid, setAt(this.state, tid));
    if (isFirst) comesTo(this.state, account, tid, this.#actions);
  }

  /** The reply to the proxy's own question: it goes nowhere. Nothing where none was asked. */
  questionReply(session: number, tid: Tid): void {
    const account = this.state.accounts.get(session);
    const asked = account?.question;
    if (account === undefined || asked === undefined) return;
    account.question = undefined;
    if (this.#live(session) === undefined || namesLast(this.state, session, tid, asked.proven, this.#actions)) return;
    // One that was copied says nothing of those above it that were there before.
    const proof =
      this.state.server === "new" || isCopied(this.state, tid)
        ? proveAnswered(this.state, account, asked.order, true, this.#actions)
        : proveUpTo(this.state, account, tid, this.#actions);
    if (proof === "ended") return;
    askIfSilent(this.state, account, this.#actions);
    pump(this.state, account, this.#actions);
  }

  /** A `getInvalidations(asked)` reply; `answer` undefined: None. */
  invalidationsReply(session: number, asked: Tid, answer: InvalidationArgs | undefined, reply: Reply<P>): void {
    const account = this.#live(session);
    if (account === undefined) return;
    const tid = answer?.tid ?? NO_TID;
    if (this.#evidence(account, { tid, exact: true }, reply) === "ended") return;
    account.seen = true;
    const after = waitNumber(this.state, tid);
    push(this.state, account, item("invalidations", reply.payload, reply.bytes, { tid, after, asked, answer }));
    pump(this.state, account, this.#actions);
  }

  /** Any other reply. */
  reply(session: number, evidence: Evidence, reply: Reply<P>): void {
    const account = this.#live(session);
    if (account !== undefined) this.#reply(account, evidence, reply, { isRead: this.state.rules.oneLookForRead });
  }

  /** The first bytes of a reply were read that is too large to be held. `order`: as for `reply`. */
  largeBegun(session: number, order: number): void {
    const account = this.#live(session);
    if (account === undefined) return;
    const isNew = this.state.server === "new";
    if (isNew && proveAnswered(this.state, account, order, false, this.#actions) === "ended") return;
    pump(this.state, account, this.#actions);
  }

  /** Its last bytes show `tid`. Returns whether they may go out, behind its other ones. */
  largeEnds(session: number, tid: Tid): boolean {
    const account = this.#live(session);
    return account === undefined || mayEnd(this.state, account, tid, this.#actions);
  }

  /** A message that shows nothing: `info`, `serialnos`, blob chunks, ... */
  otherMessage(session: number, read: Read<P>): void {
    const account = this.#live(session);
    if (account === undefined) return;
    push(this.state, account, item("plain", read.payload, read.bytes));
    pump(this.state, account, this.#actions);
  }

  /** A vote that gave its client the storage's lock. */
  voteGranted(session: number, shown: Tid, reply: Reply<P>): void {
    const voter = this.state.accounts.get(session);
    if (voter !== undefined) lockMovedOn(this.state, voter, this.#actions);
    const account = this.#live(session);
    if (account === undefined) return;
    account.voted = true;
    account.isCovered = false;
    this.#mayCommit(account);
    if (this.state.server === "old") this.#grant(account, reply);
    else this.#reply(account, { tid: shown, exact: true }, reply);
  }

  /** Nobody knows which of the two: it may show anything, and the server may commit what is finished behind it. */
  voteUnclear(session: number, reply: Reply<P>): void {
    const account = this.#live(session);
    if (account === undefined) return;
    this.#mayCommit(account);
    this.#reply(account, { tid: ANY_TID, exact: false }, reply);
  }

  /** A vote that did not: `shown` is in its conflict errors. `cleared`: the server has dropped the transaction. */
  voteFailed(session: number, id: MessageId, cleared: boolean, shown: Tid, reply: Reply<P>): void {
    const transaction = transactions.transactionOf(this.state.accounts.get(session), id);
    if (cleared && transaction !== undefined) transaction.over = true;
    const account = this.#live(session);
    if (account === undefined) return;
    account.voted = false;
    if (this.state.server === "old" && !this.state.rules.failedVoteIsNoBarrier) this.#grant(account, reply);
    else this.#reply(account, { tid: shown, exact: true }, reply);
  }

  /**
   * The reply to a `tpc_finish`; `tid` undefined: None, so nothing was committed. `number` is what `finishForwarded`
   * returned. For an orphan it settles the commit all the same.
   */
  finishReply(session: number, number: number, tid: Tid | undefined, now: number, reply: Reply<P>): void {
    const commit = endFinish(this.state, number);
    const isCommitted = commit !== undefined && tid !== undefined && commits(this.state, commit, tid);
    if (isCommitted) {
      if (this.#tellsCommits) this.#actions.push({ do: "committed", by: session, tid, changes: commit.changes });
      settle(this.state, commit, tid, now, this.#actions);
    } else if (commit !== undefined) copyFailed(this.state, commit, false);
    // Whosever it is, that tid is in the database.
    if (tid !== undefined && tid > this.state.proven) this.state.proven = tid;
    // Of somebody else's, or of one that changed nothing, its cache has no object.
    this.#finished(session, tid ?? NO_TID, reply, isCommitted ? undefined : NO_OIDS);
    this.#goOn();
  }

  /** The same, where the reply is an exception: whether it is committed nobody knows. */
  finishFailed(session: number, number: number, reply: Reply<P>): void {
    const commit = endFinish(this.state, number);
    // Of an orphan not every message was understood.
    const isOrphan = this.state.accounts.get(session)?.phase === "orphaned";
    const inDoubt = commit !== undefined && failedInDoubt(this.state, commit, isOrphan);
    if (commit !== undefined && !inDoubt) copyFailed(this.state, commit, false);
    this.#finished(session, NO_TID, reply);
    if (inDoubt && failureEndsAll(this.state)) {
      endAll(this.state, "unknown-commit", NO_TID, this.#actions);
    }
    this.#goOn();
  }

  /** The server's `invalidateTransaction`. Equal `args` may be passed for several sessions, and then cost less. */
  invalidation(session: number, args: InvalidationArgs, now: number, read: Read<P>): void {
    const account = this.#live(session);
    if (account === undefined) return;
    heard(this.state, account, args, read.payload, read.bytes, now, this.#actions);
    if (this.#live(session) !== undefined) pump(this.state, account, this.#actions);
  }

  /** Its server's connection is left unread from now on, or is read again. */
  unread(session: number, isUnread: boolean): void {
    const account = this.state.accounts.get(session);
    if (account === undefined) return;
    if (account.isUnread && !isUnread) account.unreadUpTo = this.state.settles;
    account.isUnread = isUnread;
  }

  /** So many bytes the history may have from now on. Behind it `take()` is to be called. */
  bound(historyBytes: number): void {
    this.#historyBytes = historyBytes;
    this.#trim(true);
  }

  /** So many bytes are kept beyond the bound of the history, for those who are slow. */
  get bytesBeyond(): number {
    return beyondBound(this.state, this.#historyBytes);
  }

  /** They are too many: those for whom they are kept are ended. */
  giveUpSlow(): void {
    this.#trim(false);
  }

  // --- connections and time ---------------------------------------------------------------------------------------

  /** The client's connection has ended, or the caller has given the session up. */
  clientGone(session: number): void {
    const account = this.state.accounts.get(session);
    if (account === undefined || account.phase === "orphaned") return;
    leave(this.state, account, this.#actions);
    if (!this.state.rules.readOrphans) {
      for (const commit of [...this.state.finishing]) {
        if (commit.session === session) endFinish(this.state, commit.number);
      }
    }
    if (!this.state.accounts.has(session)) {
      this.#actions.push({ do: "close-server", session });
      this.#goOn();
    }
  }

  /** The server's connection has ended. `mayStillRead`: the server did not end it itself. */
  serverGone(session: number, mayStillRead: boolean): void {
    const account = this.state.accounts.get(session);
    if (account === undefined) return;
    if (isFinishing(this.state, session)) {
      enterLimbo(this.state, account, mayStillRead, this.#actions);
      this.state.accounts.delete(session);
      this.#actions.push({ do: "close-client", session });
      this.#goOn();
      return;
    }
    if (account.phase === "registering") {
      leave(this.state, account, this.#actions);
      this.#actions.push({ do: "close-client", session });
      return;
    }
    account.phase = "closing";
    if (proveAtEnd(this.state, account, this.#actions) === "goes-on") pump(this.state, account, this.#actions);
  }

  /** Something that this session's client had to be told could not be told in order: nobody goes on from what is known. */
  doubt(): void {
    doubt(this.state);
  }

  /** Asks for what has been due too long, gives up who has waited too long for a look, and forgets what nobody is owed any more. */
  tick(now: number, patience: Patience = ENDLESS): void {
    askOverdue(this.state, now, this.#actions);
    if (endUnseen(this.state, now, patience, this.#actions)) pumpAll(this.state, this.#actions);
    this.#trim(true);
  }

  // --- the witness ------------------------------------------------------------------------------------------------

  /** There is to be one. */
  sightExpected(): void {
    if (this.state.sight.life === "off") this.state.sight.life = "away";
  }

  /** The witness is registered, and has been told that this is the storage's last transaction. */
  sightUp(last: Tid): void {
    sightUp(this.state, last, this.#actions);
  }

  /** Its connection has ended; it comes again. */
  sightAway(): void {
    sightAway(this.state, this.#actions);
  }

  /** There is none any more, as far as anybody knows. */
  sightOff(): void {
    sightOff(this.state, this.#actions);
  }

  /** The server's `invalidateTransaction` to the witness. */
  sightTold(args: InvalidationArgs): void {
    const { sight } = this.state;
    if (sight.readUpTo !== undefined && args.tid <= sight.readUpTo) return;
    sight.told.push(args);
    advance(this.state);
    if (isToldUnknown(this.state)) wantLook(sight);
  }

  /** Is a look to begin: to be said before the witness asks for the last transaction. */
  get wantsLook(): boolean {
    const { life, look, wanted, begun } = this.state.sight;
    return life === "up" && look === undefined && wanted > begun;
  }

  /** Does somebody wait for the witness, which is away? It looks at all sessions. */
  get isAwaited(): boolean {
    if (this.state.sight.life !== "away") return false;
    for (const { awaited } of this.state.accounts.values()) if (awaited?.isLate === false) return true;
    return false;
  }

  /** A look is to begin soon: one has been over, and somebody still waits. */
  get wantsLookAgain(): boolean {
    const { life, look, isWantedAgain } = this.state.sight;
    return life === "up" && look === undefined && isWantedAgain;
  }

  /** Is a look on its way? */
  get looks(): boolean {
    return this.state.sight.look !== undefined;
  }

  /** A look is to begin. */
  look(): void {
    this.state.sight.isWantedAgain = false;
    wantLook(this.state.sight);
  }

  /** The witness asks for the last transaction. */
  lookBegins(): void {
    beginLook(this.state);
  }

  /** It is that one. Returns what the witness is to read; undefined: nothing. */
  lookNames(last: Tid): Range | undefined {
    const range = lookNames(this.state, last, this.#actions);
    this.#trim(true);
    return range;
  }

  /** Is all known of that transaction, so that it need not be read? */
  isSettled(tid: Tid): boolean {
    return settledAt(this.state, tid)?.complete === true;
  }

  /** The range is read, but for what is known; undefined: it is too long. `now`: in ms of the caller's clock. */
  lookFinds(found: readonly Found[] | undefined, now: number): void {
    if (found === undefined) lookIsTooMuch(this.state, this.#actions);
    else lookFinds(this.state, found, now, this.#actions);
    this.#trim(true);
  }

  /** What is to be read back for clients that ask for it; undefined: nothing more. */
  get wantedPast(): Range | undefined {
    return wantedPast(this.state);
  }

  pastBegins(range: Range): void {
    beginPast(this.state, range);
  }

  /** That range is read, but for what is known; undefined: it can't be read, or is too long. */
  pastFound(found: readonly Found[] | undefined): void {
    pastFound(this.state, found);
    pumpAll(this.state, this.#actions);
    this.#trim(true);
  }

  // --- inside -----------------------------------------------------------------------------------------------------

  /** Something may still be read for it and go out to its client. */
  #live(session: number): Account<P> | undefined {
    const account = this.state.accounts.get(session);
    return account?.phase === "orphaned" || account?.phase === "closing" ? undefined : account;
  }

  #mayCommit(account: Account<P>): void {
    account.granted = true;
    for (const commit of this.state.finishing) if (commit.session === account.number) commit.granted = true;
  }

  /** The reply to a `tpc_finish` was read, and the commit is over. */
  #finished(session: number, tid: Tid, reply: Reply<P>, oids?: OidSet): void {
    const account = this.state.accounts.get(session);
    if (account === undefined) return;
    if (account.phase !== "orphaned") {
      if (tid > account.stands.tid) standsAt(account, tid, oids);
      this.#reply(account, { tid, exact: true }, reply, { isFinish: true });
    } else if (!isFinishing(this.state, session)) {
      this.state.accounts.delete(session);
      this.#actions.push({ do: "close-server", session });
    }
  }

  /** A commit is over: what waited for it goes on. */
  #goOn(): void {
    forgetHeard(this.state);
    useLook(this.state, this.#actions);
    if (isToldUnknown(this.state)) wantLook(this.state.sight);
    pumpAll(this.state, this.#actions);
    this.#trim(true);
  }

  #trim(isPatient: boolean): void {
    trim(this.state, this.#historyBytes, isPatient, this.#actions);
  }

  /** What was read proves something about what is due; the made-up messages go before it. */
  #evidence(account: Account<P>, evidence: Evidence, reply: Reply<P>): Proof {
    if (this.state.server === "new") return proveAnswered(this.state, account, reply.order, false, this.#actions);
    if (!evidence.exact || evidence.tid === NO_TID) return "goes-on";
    return proveUpTo(this.state, account, evidence.tid, this.#actions);
  }

  #reply(
    account: Account<P>,
    evidence: Evidence,
    reply: Reply<P>,
    sort: { readonly isFinish?: boolean; readonly isRead?: boolean } = {},
  ): void {
    if (this.#evidence(account, evidence, reply) === "ended") return;
    const { tid, exact } = evidence;
    const after = tid === NO_TID ? 0 : waitNumber(this.state, tid);
    push(this.state, account, item("reply", reply.payload, reply.bytes, { tid, exact, after, ...sort }));
    pump(this.state, account, this.#actions);
  }

  /** Every earlier commit is over, or will be before this one goes on. */
  #grant(account: Account<P>, reply: Reply<P>): void {
    if (proveAll(this.state, account, this.#actions) === "ended") return;
    const after = this.state.rules.voteBarrier ? (this.state.finishing.at(-1)?.number ?? 0) : 0;
    push(this.state, account, item("grant", reply.payload, reply.bytes, { after }));
    pump(this.state, account, this.#actions);
  }

  /** A new server's `register` reply covers what was committed before it. */
  #covered(account: Account<P>, tid: Tid): void {
    const covered = account.due.filter((due) => due.settled.tid <= tid);
    account.due = account.due.filter((due) => due.settled.tid > tid);
    for (const { settled } of covered) noLongerOwed(settled, account.number, this.#actions);
  }
}
