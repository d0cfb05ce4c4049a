import type { InvalidationArgs, MessageId } from "../wire/codec.ts";
import { NO_TID, type Tid } from "../wire/ids.ts";
import { hear, settledAt, trim } from "./history.ts";
import { endOthers, endSession, isFinishing, leave } from "./leave.ts";
import { enterLimbo, lockMovedOn } from "./limbo.ts";
import { isSubset, oidSet, union } from "./oid-set.ts";
import { needs, place, placeRegister, push, waitNumber } from "./place.ts";
import { proveAll, proveAnswered, proveAtEnd, proveBelow, proveUpTo } from "./prove.ts";
import { askIfSilent, askOverdue, nextQuestion } from "./question.ts";
import { pump, pumpAll, told } from "./release.ts";
import { beginFinish, commits, endFinish, forgetHeard, settle } from "./settle.ts";
import { item, newSession, type Action, type EndCode, type Session, type StorageState } from "./state.ts";
import { addOid, changesOf, newTransaction, type StoreSort, type Transaction } from "./transaction.ts";

/** A server keeps one for each connection, and refuses the others: beyond this a client only fills memory. */
const MAX_TRANSACTIONS = 100;

/** A message towards the client, as it was read: what to hand back, and what it weighs. */
export interface Read<P> {
  readonly payload: P;
  readonly bytes: number;
}

/** The reply to a call of the client's. */
export interface Reply<P> extends Read<P> {
  /** `StorageLedger.order` when the call was forwarded. */
  readonly order: number;
}

/** What a reply shows: see `Shown` of the codec. */
export interface Evidence {
  readonly tid: Tid;
  readonly exact: boolean;
}

/**
 * Who committed what in one storage of one server, and what each of its clients is owed: docs/ordering.md.
 *
 * Events go in by the methods, in the order in which the bytes were forwarded or read; what is to be done comes out
 * of `take()`, in order. It has no clock, no socket, and no state beside `state`. `session` is a number that the
 * caller chooses, never used twice.
 */
export class StorageLedger<P> {
  readonly state: StorageState<P>;
  readonly #historyBytes: number;
  #actions: Action<P>[] = [];

  constructor(state: StorageState<P>, historyBytes = Number.POSITIVE_INFINITY) {
    this.state = state;
    this.#historyBytes = historyBytes;
  }

  /** What is to be done since the last call. */
  take(): Action<P>[] {
    const actions = this.#actions;
    if (actions.length > 0) this.#actions = [];
    return actions;
  }

  /** A number for `Reply.order`: so many commits have settled. */
  get order(): number {
    return this.state.settles;
  }

  /** May the session's messages pass by the ledger? (Never those that it has methods for.) */
  isQuiet(session: number): boolean {
    const found = this.state.sessions.get(session);
    if (found === undefined) return true;
    return this.state.finishing.length === 0 && found.outbox.length === 0 && found.due.length === 0;
  }

  /**
   * May the session's server connection be left unread? While the first message waits for others' commits, or while
   * its client is slow and nothing is held or due; never while it is finishing itself.
   */
  mayPause(session: number): boolean {
    const found = this.state.sessions.get(session);
    if (found === undefined) return true;
    if (isFinishing(this.state, session)) return false;
    const first = found.outbox[0];
    if (first === undefined) return found.due.length === 0;
    const oldest = this.state.finishing[0];
    return first.after !== 0 && oldest !== undefined && oldest.number <= first.after;
  }

  session(session: number): Session<P> | undefined {
    return this.state.sessions.get(session);
  }

  // --- client to server -------------------------------------------------------------------------------------------

  /** `register` was forwarded. */
  registerForwarded(session: number): void {
    if (this.state.sessions.size === 0) this.state.proven = this.state.known;
    this.state.sessions.set(session, newSession(session, this.state));
  }

  beginForwarded(session: number, id: MessageId, explicitTid: Tid = NO_TID): void {
    const found = this.state.sessions.get(session);
    if (found === undefined) return;
    const open = transactionOf(found, id);
    if (open !== undefined && !open.over) return;
    found.transactions = found.transactions.filter((other) => other !== open);
    if (found.transactions.length >= MAX_TRANSACTIONS) {
      found.transactions = found.transactions.filter((other) => !other.over);
      if (found.transactions.length >= MAX_TRANSACTIONS) return;
    }
    found.transactions.push(newTransaction(id, explicitTid));
  }

  /** A store, restore or delete: the eight bytes of the oid at `offset`. Refused by the server without its `tpc_begin`. */
  storeForwarded(
    session: number,
    id: MessageId,
    sort: StoreSort,
    serial: "zero" | "none" | "set",
    from: Buffer,
    offset: number,
  ): void {
    const transaction = this.#transaction(session, id);
    if (transaction === undefined) return;
    addOid(transaction, sort, from, offset);
    if ((sort === "created" || sort === "modified") && serial !== "zero") transaction.modifies = true;
  }

  undoForwarded(session: number, id: MessageId): void {
    const transaction = this.#transaction(session, id);
    if (transaction !== undefined) transaction.undoes = true;
  }

  abortForwarded(session: number, id: MessageId): void {
    const found = this.state.sessions.get(session);
    if (found !== undefined) found.transactions = found.transactions.filter((other) => other.id !== id);
  }

  /** `tpc_finish` was forwarded. Returns a number for `finishReply`. */
  finishForwarded(session: number, id: MessageId): number {
    const found = this.state.sessions.get(session);
    const transaction = this.#transaction(session, id) ?? newTransaction(id);
    if (found !== undefined) found.transactions = found.transactions.filter((other) => other !== transaction);
    const { explicitTid } = transaction;
    return beginFinish(this.state, session, { changes: changesOf(transaction), explicitTid }).number;
  }

  // --- server to client -------------------------------------------------------------------------------------------

  /** `register` failed; the session may try again. Nothing was told to it. */
  registerFailed(session: number, read: Read<P>): void {
    const found = this.state.sessions.get(session);
    if (found === undefined) return;
    this.#actions.push({ do: "forward", session, payload: read.payload });
    leave(this.state, found, this.#actions);
  }

  /** `tid`: undefined where the server replies None (old). `proven`: `state.proven` when the call was forwarded. */
  registerReply(session: number, tid: Tid | undefined, proven: Tid, read: Read<P>): void {
    const found = this.#live(session);
    if (found === undefined) return;
    found.phase = "registered";
    placeRegister(this.state, found, item("register", read.payload, read.bytes));
    if (tid !== undefined) {
      if (this.#otherDatabase(tid, proven)) return;
      found.floor = tid;
      found.seen = true;
      if (this.state.rules.registerCovers) this.#covered(found, tid);
    }
    askIfSilent(this.state, found, this.#actions);
    pump(this.state, found, this.#actions);
  }

  /** A `lastTransaction` reply to the client. */
  lastTransactionReply(session: number, tid: Tid, proven: Tid, reply: Reply<P>): void {
    const found = this.#live(session);
    if (found === undefined || this.#otherDatabase(tid, proven)) return;
    this.#evidence(found, { tid, exact: true }, reply);
    found.seen = true;
    this.#reply(found, { tid, exact: true }, reply);
  }

  /** The reply to the proxy's own question. */
  questionReply(session: number, tid: Tid, proven: Tid, order: number): void {
    const found = this.#live(session);
    if (found === undefined) return;
    found.question = false;
    if (this.#otherDatabase(tid, proven)) return;
    if (this.state.server === "old") proveUpTo(this.state, found, tid, this.#actions);
    else proveAnswered(this.state, found, order, true, this.#actions);
    askIfSilent(this.state, found, this.#actions);
    pump(this.state, found, this.#actions);
  }

  /** A `getInvalidations(asked)` reply; `answer` undefined: None. */
  invalidationsReply(session: number, asked: Tid, answer: InvalidationArgs | undefined, reply: Reply<P>): void {
    const found = this.#live(session);
    if (found === undefined) return;
    const tid = answer?.tid ?? NO_TID;
    this.#evidence(found, { tid, exact: true }, reply);
    found.seen = true;
    const after = waitNumber(this.state, tid);
    push(found, item("invalidations", reply.payload, reply.bytes, { tid, after, asked, answer }));
    pump(this.state, found, this.#actions);
  }

  /** Any other reply. */
  reply(session: number, evidence: Evidence, reply: Reply<P>): void {
    const found = this.#live(session);
    if (found === undefined) return;
    this.#evidence(found, evidence, reply);
    this.#reply(found, evidence, reply);
  }

  /** A message that shows nothing: `info`, `serialnos`, blob chunks, ... */
  otherMessage(session: number, read: Read<P>): void {
    const found = this.#live(session);
    if (found === undefined) return;
    push(found, item("plain", read.payload, read.bytes));
    pump(this.state, found, this.#actions);
  }

  /** An old server's `serialnos` named these oids (packed) as refused. */
  storesRefused(session: number, oids: Buffer): void {
    for (const transaction of this.state.sessions.get(session)?.transactions ?? []) {
      for (let at = 0; at < oids.length; at += 8) addOid(transaction, "refused", oids, at);
    }
  }

  /** A vote that gave its client the storage's lock. */
  voteGranted(session: number, shown: Tid, reply: Reply<P>): void {
    lockMovedOn(this.state, this.#actions);
    const found = this.#live(session);
    if (found === undefined) return;
    if (this.state.server === "new") {
      this.reply(session, { tid: shown, exact: true }, reply);
      return;
    }
    this.#grant(found, reply);
  }

  /** A vote that did not: `shown` is in its conflict errors. `cleared`: the server has dropped the transaction. */
  voteFailed(session: number, id: MessageId, cleared: boolean, shown: Tid, reply: Reply<P>): void {
    const transaction = this.#transaction(session, id);
    if (cleared && transaction !== undefined) transaction.over = true;
    const found = this.#live(session);
    if (found === undefined) return;
    if (this.state.server === "old" && !this.state.rules.failedVoteIsNoBarrier) this.#grant(found, reply);
    else this.reply(session, { tid: shown, exact: true }, reply);
  }

  /**
   * The reply to a `tpc_finish`; `tid` undefined: None or an exception. `number` is what `finishForwarded` returned.
   * For an orphan it settles the commit all the same.
   */
  finishReply(session: number, number: number, tid: Tid | undefined, now: number, reply: Reply<P>): void {
    const commit = endFinish(this.state, number);
    if (commit !== undefined && tid !== undefined && commits(this.state, commit, tid)) {
      settle(this.state, commit, tid, now, this.#actions);
      trim(this.state, this.#historyBytes);
    }
    const found = this.state.sessions.get(session);
    if (found?.phase === "orphaned") {
      if (!isFinishing(this.state, session)) {
        this.state.sessions.delete(session);
        this.#actions.push({ do: "close-server", session });
      }
    } else if (found !== undefined) {
      const evidence = { tid: tid ?? NO_TID, exact: true };
      this.#evidence(found, evidence, reply);
      this.#reply(found, evidence, reply);
    }
    forgetHeard(this.state);
    pumpAll(this.state, this.#actions);
  }

  /** The server's `invalidateTransaction`. Equal `args` may be passed for several sessions, and then cost less. */
  invalidation(session: number, args: InvalidationArgs, read: Read<P>): void {
    const found = this.#live(session);
    if (found === undefined) return;
    const { tid } = args;
    if (tid > this.state.known) this.state.known = tid;
    const settled = settledAt(this.state, tid);
    // The history may have forgotten it already.
    const isOwn = settled === undefined ? tid === found.committed : settled.session === session;
    if (isOwn && this.state.rules.swallowOwn) {
      if (settled !== undefined) hear(this.state, settled, args);
      return;
    }
    if (settled === undefined) this.#hearBefore(args);
    const due = found.due.find((other) => other.settled.tid === tid);
    if (this.#repeats(found, args, due === undefined)) return;
    if (settled !== undefined) hear(this.state, settled, args);
    if (due !== undefined) found.due = found.due.filter((other) => other !== due);
    proveBelow(this.state, found, tid, this.#actions);
    if (!this.state.sessions.has(session)) {
      if (due !== undefined) told(due.settled, this.#actions);
      return;
    }
    // Settled or not: a commit that is finishing may have a lower tid, and this session may have been skipped by it.
    const after = waitNumber(this.state, tid);
    place(this.state, found, item("invalidation", read.payload, read.bytes, { tid, after, own: args }));
    pump(this.state, found, this.#actions);
  }

  // --- connections and time ---------------------------------------------------------------------------------------

  /** The client's connection has ended, or the caller has given the session up. */
  clientGone(session: number): void {
    const found = this.state.sessions.get(session);
    if (found === undefined || found.phase === "orphaned") return;
    leave(this.state, found, this.#actions);
    if (!this.state.rules.readOrphans) {
      for (const commit of [...this.state.finishing]) {
        if (commit.session === session) endFinish(this.state, commit.number);
      }
    }
    if (!this.state.sessions.has(session)) {
      this.#actions.push({ do: "close-server", session });
      forgetHeard(this.state);
      pumpAll(this.state, this.#actions);
    }
  }

  /** The server's connection has ended. `mayStillRead`: the server did not end it itself. */
  serverGone(session: number, mayStillRead: boolean): void {
    const found = this.state.sessions.get(session);
    if (found === undefined) return;
    if (isFinishing(this.state, session)) {
      enterLimbo(this.state, found, mayStillRead, this.#actions);
      this.state.sessions.delete(session);
      this.#actions.push({ do: "close-client", session });
      forgetHeard(this.state);
      pumpAll(this.state, this.#actions);
      return;
    }
    if (found.phase === "registering") {
      leave(this.state, found, this.#actions);
      this.#actions.push({ do: "close-client", session });
      return;
    }
    found.phase = "closing";
    proveAtEnd(this.state, found, this.#actions);
    if (this.state.sessions.has(session)) pump(this.state, found, this.#actions);
  }

  /** Asks for what has been due too long. */
  tick(now: number): void {
    askOverdue(this.state, now, this.#actions);
  }

  /** When `tick` is to be called; undefined: not before something else happens. */
  nextTick(): number | undefined {
    return nextQuestion(this.state);
  }

  /** Ends every session: the caller has learnt that nothing known holds any more. */
  endAll(code: EndCode, tid: Tid): void {
    endOthers(this.state, -1, code, tid, this.#actions);
  }

  // --- inside -----------------------------------------------------------------------------------------------------

  #live(session: number): Session<P> | undefined {
    const found = this.state.sessions.get(session);
    return found === undefined || found.phase === "orphaned" || found.phase === "closing" ? undefined : found;
  }

  #transaction(session: number, id: MessageId): Transaction | undefined {
    const found = this.state.sessions.get(session);
    return found === undefined ? undefined : transactionOf(found, id);
  }

  /** What was read proves something about what is due; the made-up messages go before it. */
  #evidence(session: Session<P>, evidence: Evidence, reply: Reply<P>): void {
    if (this.state.server === "new") proveAnswered(this.state, session, reply.order, false, this.#actions);
    else if (evidence.exact && evidence.tid !== NO_TID) proveUpTo(this.state, session, evidence.tid, this.#actions);
  }

  #reply(session: Session<P>, { tid, exact }: Evidence, read: Read<P>): void {
    if (!this.state.sessions.has(session.number)) return;
    const after = tid === NO_TID ? 0 : waitNumber(this.state, tid);
    push(session, item("reply", read.payload, read.bytes, { tid, exact, after }));
    pump(this.state, session, this.#actions);
  }

  /** Every earlier commit is over, or will be before this one goes on. */
  #grant(session: Session<P>, reply: Reply<P>): void {
    proveAll(this.state, session, this.#actions);
    if (!this.state.sessions.has(session.number)) return;
    const after = this.state.rules.voteBarrier ? (this.state.finishing.at(-1)?.number ?? 0) : 0;
    push(session, item("grant", reply.payload, reply.bytes, { after }));
    pump(this.state, session, this.#actions);
  }

  /** A new server's `register` reply covers what was committed before it. */
  #covered(session: Session<P>, tid: Tid): void {
    const covered = session.due.filter((due) => due.settled.tid <= tid);
    session.due = session.due.filter((due) => due.settled.tid > tid);
    for (const { settled } of covered) told(settled, this.#actions);
  }

  /** Oids of a tid that may turn out to be a finishing commit's. */
  #hearBefore(args: InvalidationArgs): void {
    if (!this.state.finishing.some((commit) => commit.base < args.tid)) return;
    const before = this.state.heard.get(args.tid);
    const own = oidSet(args.oids);
    this.state.heard.set(args.tid, before === undefined ? own : union(before, own));
  }

  /** A tid that the session was told of already, or that comes too late. Swallowed if it names nothing new. */
  #repeats(session: Session<P>, args: InvalidationArgs, notDue: boolean): boolean {
    const { tid, oids } = args;
    const settled = settledAt(this.state, tid);
    const same = session.outbox.find((other) => other.kind === "invalidation" && other.tid === tid);
    const toldSettled = settled !== undefined && notDue && needs(this.state, session, settled);
    if (tid > session.announced && same === undefined && !toldSettled) return false;
    if (!this.state.rules.swallow) return false;
    const nothingNew = settled !== undefined ? isSubset(oids, settled.oids) : same?.own?.oids.equals(oids) === true;
    const wasTold = toldSettled || same !== undefined;
    if (!(wasTold && nothingNew)) {
      endSession(this.state, session, "invalidation-out-of-order", tid, this.#actions);
    }
    return true;
  }

  /**
   * The last transaction of the database lies below one that was known when the call was forwarded: another database
   * behind the same address, or an older backup. Nothing that is known holds any more.
   */
  #otherDatabase(tid: Tid, proven: Tid): boolean {
    const { state } = this;
    if (tid < proven) {
      this.#actions.push({ do: "ledger-ended", tid, proven });
      this.endAll("database-changed", tid);
      state.known = tid;
      state.proven = tid;
      state.reach = undefined;
      state.history = [];
      state.historyBytes = 0;
      state.heard.clear();
      state.limbo = undefined;
      state.foreign = NO_TID;
      return true;
    }
    if (state.reach === undefined) state.reach = tid;
    if (tid > state.proven) state.proven = tid;
    return false;
  }
}

function transactionOf<P>(session: Session<P>, id: MessageId): Transaction | undefined {
  return session.transactions.find((transaction) => transaction.id === id);
}
