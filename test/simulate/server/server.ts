import type { Address } from "../../../src/config/address.ts";
import {
  blob,
  exception,
  granted,
  conflict,
  conflicts,
  info,
  invalidation,
  none,
  serialnos,
  tidReply,
} from "../answers.ts";
import type { End } from "../end.ts";
import type { Link } from "../link.ts";
import { NO_OIDS, type Answer, type Request } from "../message.ts";
import type { Fault } from "../mix.ts";
import type { Random } from "../random.ts";
import type { Scene } from "../scene.ts";
import type { ServerKind, Style } from "../style.ts";
import type { Commit, Truth } from "../truth.ts";
import { ServerConn } from "./conn.ts";
import type { Engine } from "./engine.ts";
import { CommitLock } from "./lock.ts";
import { Loop } from "./loop.ts";
import { reply } from "./reads.ts";
import { Threads } from "./threads.ts";
import { evaluate, type Voted } from "./vote.ts";

interface Entry {
  readonly tid: number;
  readonly oids: readonly number[];
}

/** What a `tpc_finish` has come to. */
export interface Finished {
  readonly answer: Answer;
  readonly us: number;
  readonly written: () => void;
}

/** A ZEO server: one storage, its clients, its lock, its queue of invalidations. How it works is its engine's. */
export class Server {
  readonly scene: Scene;
  readonly random: Random;
  readonly truth: Truth;
  readonly address: Address;
  readonly number: number;
  readonly lock = new CommitLock();
  kind: ServerKind;
  /** In the order of their registration. */
  readonly registered: ServerConn[] = [];
  readonly #conns = new Set<ServerConn>();
  /** What it can tell of the past, newest last. */
  queue: Entry[] = [];
  engine: Engine;
  /** New: how often a `tpc_finish` was answered with an exception, by the number of the subject that it came through. */
  readonly failedFinishes = new Map<number, number>();
  /** Old: it was told, and can't be read yet. 0: there is none. */
  #unreadable = 0;
  #unlisten: (() => void) | undefined;

  constructor(scene: Scene, random: Random, truth: Truth, number: number, kind: ServerKind) {
    this.scene = scene;
    this.random = random;
    this.truth = truth;
    this.number = number;
    this.kind = kind;
    this.address = { host: "192.0.2.2", port: 8100 + number };
    this.engine = this.#newEngine();
  }

  get isUp(): boolean {
    return this.#unlisten !== undefined;
  }

  /** Of clients, and of the subject's own. */
  get connections(): { readonly ofClients: number; readonly ofWitnesses: number } {
    const ofWitnesses = [...this.#conns].filter((conn) => conn.isWitness).length;
    return { ofClients: this.#conns.size - ofWitnesses, ofWitnesses };
  }

  /** The newest transaction that can be read. */
  get readable(): number {
    const { commits, first, last } = this.truth;
    return last === this.#unreadable ? (commits.at(-2)?.tid ?? first) : last;
  }

  /** ... and there is one that can't. */
  get isWriting(): boolean {
    return this.#unreadable !== 0;
  }

  // --- its life ---------------------------------------------------------------------------------------------------

  start(kind: ServerKind): void {
    this.kind = kind;
    this.engine = this.#newEngine();
    this.scene.visits.count(`server: ${kind.name}`);
    // Filled from the file, where nothing is missing.
    const { network, mix } = this.scene;
    const { commits, first } = this.truth;
    this.queue = [{ tid: first, oids: [] }, ...commits.map(({ tid, oids }) => ({ tid, oids }))].slice(-mix.serverQueue);
    this.#unlisten = network.listen("server", this.address, {
      listening: () => undefined,
      failed: () => {
        this.#unlisten = undefined;
        this.scene.timeline.plan(100_000, () => this.start(kind));
      },
      hindered: () => undefined,
      accepted: (end) => this.#accept(end as End),
    });
  }

  stop(): void {
    this.#unlisten?.();
    this.#unlisten = undefined;
    this.engine.stop();
    for (const conn of [...this.#conns]) this.close(conn, "stop");
    this.lock.clear();
    this.#unreadable = 0;
  }

  #newEngine(): Engine {
    return this.kind.family === "old" ? new Threads(this) : new Loop(this);
  }

  #accept(end: End): void {
    const conn = new ServerConn(this, end);
    this.#conns.add(conn);
    end.handOver(conn);
    this.engine.soon(() => {
      if (conn.isOpen) conn.greet();
    });
  }

  /** The server closes a connection; what it has not read it never will. */
  close(conn: ServerConn, why: string): void {
    if (!conn.isOpen) return;
    this.scene.trace?.(() => `the server closes link ${conn.link?.number ?? "?"} (${why})`);
    this.gone(conn);
    if (this.random.chance(0.5)) {
      conn.end.carryOut("end");
      this.scene.timeline.plan(2_000_000, () => conn.end.carryOut("destroy"));
    } else conn.end.carryOut("destroy");
  }

  /** A connection is over for the server. */
  gone(conn: ServerConn): void {
    if (!conn.isOpen) return;
    conn.isOpen = false;
    if (conn.link !== undefined) {
      conn.link.isServerGone = true;
      if (this.kind.family === "old" && this.lock.holder === conn) conn.link.isHole = true;
    }
    conn.inbox.clear();
    const at = this.registered.indexOf(conn);
    if (at >= 0) this.registered.splice(at, 1);
    conn.transaction = undefined;
    conn.vote = undefined;
    this.release(conn);
  }

  forget(conn: ServerConn): void {
    this.#conns.delete(conn);
  }

  anyConn(): ServerConn | undefined {
    return this.#conns.size === 0 ? undefined : this.random.pick([...this.#conns]);
  }

  /** What is changed by a transaction that was granted its vote. */
  get changing(): readonly number[] {
    return this.lock.holder?.transaction?.voted?.changed ?? NO_OIDS;
  }

  // --- requests ---------------------------------------------------------------------------------------------------

  arrived(conn: ServerConn): void {
    this.engine.arrived(conn);
  }

  chance(fault: Fault): boolean {
    if (this.scene.isCalm || !this.random.chance(this.scene.mix.faults[fault])) return false;
    this.scene.visits.count(`fault: ${fault}`);
    return true;
  }

  /** The same, where it disturbs the subject's own client. */
  troubles(fault: Fault): boolean {
    const isTrouble = this.chance(fault);
    if (isTrouble) this.scene.troubled(this.number);
    return isTrouble;
  }

  /** Of the subject's own client. */
  #answerWitness(conn: ServerConn, style: Style, request: Request): Answer | undefined {
    const at = this.readable;
    switch (request.kind) {
      case "plain":
        return none(style, request, at);
      case "lastTransaction":
        if (this.troubles("refuseQuestion")) return exception(style, request, at, "StorageError");
        return tidReply(style, request, at, at);
      default:
        return conn.iterators.answer(style, request);
    }
  }

  /** Everything but `register`, `vote` and `tpc_finish`. Undefined: no answer. */
  answer(conn: ServerConn, style: Style, request: Request): Answer | undefined {
    if (conn.isWitness) return this.#answerWitness(conn, style, request);
    const { transaction } = conn;
    switch (request.kind) {
      case "begin":
        if (transaction?.txn !== request.txn) {
          conn.transaction = { txn: request.txn, tid: request.tid, operations: [], voted: undefined };
        }
        return undefined;
      case "store":
      case "restore":
      case "delete":
      case "check":
      case "undo":
        if (transaction?.txn === request.txn) transaction.operations.push(request);
        return undefined;
      case "abort":
        if (transaction?.txn === request.txn) this.#clear(conn);
        return request.isOneWay ? undefined : none(style, request, this.truth.last);
      case "heartbeat":
      case "blobChunk":
        return undefined;
      case "sendBlob":
        for (const part of blob(style, request, this.truth.last, this.random.below(this.scene.mix.largeBytes))) {
          conn.write(part);
        }
        return none(style, request, this.truth.last);
      default:
        if (request.isSubjects === true && this.chance("refuseQuestion")) {
          // Nothing would ever be proven there: the subject ends it.
          if (conn.link !== undefined) conn.link.isServerGone = true;
          return exception(style, request, this.truth.last, "StorageError");
        }
        return reply(this, style, request);
    }
  }

  /** Its list of clients grows. */
  register(conn: ServerConn, style: Style, request: Request): Answer {
    this.registered.push(conn);
    conn.isRegistered = true;
    const { link } = conn;
    if (link !== undefined) {
      link.isRegistered = true;
      link.commits = this.truth.commits;
      link.lows = this.truth.lows;
      link.generation = this.truth.generation;
    }
    const at = this.truth.last;
    // It comes behind what the others were told, and will be answered that the last transaction is an earlier one.
    if (this.#unreadable !== 0 && link !== undefined) (this.truth.at(at)?.skipped as Link[] | undefined)?.push(link);
    return style.family === "old" ? none(style, request, at) : tidReply(style, request, at, at);
  }

  // --- commits ----------------------------------------------------------------------------------------------------

  /** A vote comes in. @returns true if it is to be answered now */
  voteComes(conn: ServerConn, request: Request): boolean {
    conn.vote = request;
    return this.lock.take(conn);
  }

  /** A vote has the lock, and is answered. */
  grant(conn: ServerConn): void {
    const { style, vote, transaction } = conn;
    conn.vote = undefined;
    if (style === undefined || vote === undefined) return;
    const at = this.truth.last;
    if (transaction?.txn !== vote.txn || this.chance("refuseVote")) {
      conn.write(exception(style, vote, at, "StorageError"));
      this.#clear(conn);
      return;
    }
    const voted = evaluate(this.truth, this.kind, transaction.operations);
    transaction.voted = voted;
    const isGranted =
      style.family === "old" ? this.#voteOld(conn, style, vote, voted) : this.#voteNew(conn, style, vote, voted);
    if (isGranted) conn.write(granted(style, vote, at, voted.undone));
  }

  #voteOld(conn: ServerConn, style: Style, vote: Request, voted: Voted): boolean {
    const at = this.truth.last;
    const [refused] = voted.conflicts;
    if (voted.failed) {
      conn.write(exception(style, vote, at, "UndoError"));
      this.#clear(conn);
      return false;
    }
    const stored = refused === undefined ? voted.stored : voted.stored.slice(0, voted.stored.indexOf(refused.oid));
    conn.write(serialnos(style, at, stored, at + 1, refused));
    if (refused === undefined) return true;
    this.scene.visits.count("vote: refused store");
    conn.write(none(style, vote, at, "refused"));
    return false;
  }

  #voteNew(conn: ServerConn, style: Style, vote: Request, voted: Voted): boolean {
    const at = this.truth.last;
    const [first] = voted.conflicts;
    if (voted.failed || (first !== undefined && first.committed === 0)) {
      conn.write(exception(style, vote, at, "UndoError"));
      this.#clear(conn);
      return false;
    }
    if (first === undefined) return true;
    if (!this.scene.mix.resolves || voted.conflicts.some(({ committed }) => committed === 0)) {
      this.scene.visits.count("vote: conflict");
      conn.write(conflict(style, vote, at, first));
      this.#clear(conn);
      return false;
    }
    this.scene.visits.count("vote: conflicts to resolve");
    conn.write(conflicts(style, vote, at, voted.conflicts));
    if (conn.transaction !== undefined) conn.transaction.voted = undefined;
    this.release(conn);
    return false;
  }

  /** The transaction is over. */
  #clear(conn: ServerConn): void {
    conn.transaction = undefined;
    this.release(conn);
  }

  release(conn: ServerConn): void {
    // In the middle of a finish the lock is kept, whatever becomes of the connection.
    if (this.#unreadable !== 0 && this.lock.holder === conn) return;
    if (this.lock.release(conn)) this.engine.lockIsFree();
  }

  /**
   * A `tpc_finish` is worked on. Everything but the reply is done, which is returned: `written` is called once it is
   * written, and gives the lock back. It takes `us` microseconds longer than others.
   */
  finish(conn: ServerConn, style: Style, request: Request): Finished {
    const { transaction } = conn;
    const at = this.truth.last;
    const nothing = (answer: Answer): Finished => {
      if (transaction?.txn === request.txn) conn.transaction = undefined;
      return { answer, us: 0, written: () => this.release(conn) };
    };
    const voted = transaction?.voted;
    if (
      transaction === undefined ||
      transaction.txn !== request.txn ||
      voted === undefined ||
      this.lock.holder !== conn
    ) {
      return { answer: none(style, request, at, "none"), us: 0, written: () => undefined };
    }
    const { link } = conn;
    if (this.chance("finishException")) {
      if (link !== undefined) this.scene.disturbs(link);
      return nothing(this.#finishException(conn, style, request, at));
    }
    if (this.chance("finishNone")) return nothing(none(style, request, at, "none"));
    const isEmpty = voted.changed.length === 0;
    if (isEmpty && style.family === "old" && !this.scene.mix.emptyTid) return nothing(tidReply(style, request, at, at));
    const { tid } = transaction;
    if (tid !== 0 && !this.#canCopy(conn, tid)) {
      if (link !== undefined) this.scene.disturbs(link);
      return nothing(this.#finishException(conn, style, request, at));
    }
    const commit = this.#commit(conn, style, request, voted, tid);
    conn.transaction = undefined;
    const us =
      style.family === "old" && this.scene.mix.witness && commit.sent !== undefined ? this.#tellBefore(commit) : 0;
    const written = (): void => {
      this.#unreadable = 0;
      this.release(conn);
    };
    if (this.scene.mix.faults.finishLies > 0 && !commit.isLow && this.chance("finishLies")) {
      this.scene.disturbs(commit.by);
      commit.isDenied = true;
      const wasTold = this.#tellsCommitter(conn) && commit.sent !== undefined;
      if (wasTold && style.family === "old") this.scene.doubts(commit.by);
      return { answer: this.#finishException(conn, style, request, at), us, written };
    }
    return { answer: tidReply(style, request, commit.tid, commit.tid), us, written };
  }

  #finishException({ link }: ServerConn, style: Style, request: Request, at: number): Answer {
    if (style.family === "new" && link?.isUnrepaired === false) {
      const { subject } = link;
      this.failedFinishes.set(subject, 1 + (this.failedFinishes.get(subject) ?? 0));
    }
    return exception(style, request, at, "StorageError");
  }

  /** To below the newest only where the subject sees it: else its clients may learn of it anyhow. */
  #canCopy({ link, end }: ServerConn, tid: number): boolean {
    if (tid > this.truth.last) return true;
    // To another proxy it is copied past it, which is not read.
    if (link === undefined || link.isUnrepaired || !this.scene.runs(link) || this.scene.mix.proxies > 1) return false;
    return !end.other.isClosed && this.truth.at(tid) === undefined;
  }

  #commit(conn: ServerConn, style: Style, finish: Request, voted: Voted, copied: number): Commit {
    const { link } = conn;
    const { mix, visits } = this.scene;
    if (link === undefined) throw new Error("a commit over a connection that belongs to nobody");
    const isOld = style.family === "old";
    const sent = isOld && voted.named.length === 0 ? undefined : voted.named;
    const isClosed = conn.end.other.isClosed;
    const commit: Commit = {
      tid: copied === 0 ? this.truth.nextTid() : copied,
      oids: voted.changed,
      sent,
      by: link,
      finish,
      isForeign: link.isUnrepaired || !this.scene.runs(link),
      skipped: [],
      limboEnds: isClosed ? Infinity : 0,
      isLow: copied !== 0 && copied <= this.truth.last,
      readAt: 0,
      readBy: this.scene.readersOf(this.number),
      isDenied: false,
    };
    this.truth.add(commit, voted.gone);
    if (commit.isLow) this.#copiedBelow(commit, conn);
    else if (copied !== 0) visits.count("commit: copied");
    visits.count(commit.isForeign ? "commit: foreign" : sent === undefined ? "commit: silent" : "commit: told");
    if (isClosed) visits.count("commit: in limbo");
    if (isClosed) this.scene.disturbs(link);
    this.scene.trace?.(
      () =>
        `link ${link.number} commits T${commit.tid} (${voted.changed.join(" ")}), told (${sent?.join(" ") ?? "nothing"})`,
    );
    if (sent === undefined) return commit;
    this.queue.push({ tid: commit.tid, oids: sent });
    if (this.queue.length > mix.serverQueue) this.queue.shift();
    const others: ServerConn[] = [];
    for (const other of this.registered) {
      if (other === conn && !this.#tellsCommitter(conn)) continue;
      if (other !== conn && isOld && this.chance("skip")) {
        if (other.link !== undefined) (commit.skipped as Link[]).push(other.link);
        continue;
      }
      others.push(other);
    }
    this.engine.tell(others, (one) => this.#tell(one, commit.tid, sent));
    return commit;
  }

  /**
   * A storage calls back for what the others are told before it has the transaction as its last one: that comes before the
   * reply, and before the lock is free.
   * @returns how long it takes, in microseconds
   */
  #tellBefore({ tid, isLow }: Commit): number {
    if (isLow) return 0;
    const us = this.random.pick([0, 20, 2000]);
    if (us === 0) return 0;
    this.#unreadable = tid;
    this.scene.visits.count("commit: told before it can be read");
    return us;
  }

  /** Before it answers the `tpc_finish`. */
  #tellsCommitter({ link }: ServerConn): boolean {
    return this.scene.mix.fanOut === "early" && link?.isUnrepaired === false;
  }

  /** Who is there must hear of it in order, or verify. */
  #copiedBelow(commit: Commit, conn: ServerConn): void {
    this.scene.visits.count("commit: copied below");
    this.scene.disturbs(commit.by);
    this.scene.copied(commit);
    for (const { link } of this.registered) {
      if (link === undefined || link === conn.link || link.isUnrepaired || link.subject !== commit.by.subject) continue;
      link.mustLearn = commit.tid;
    }
  }

  #tell(conn: ServerConn, tid: number, oids: readonly number[]): void {
    if (conn.style === undefined || !conn.isOpen) return;
    conn.write(invalidation(conn.style, tid, oids, this.scene.mix.tuples));
    if (this.scene.mix.infos && this.random.chance(0.5)) conn.write(info(conn.style, this.truth.last));
  }

  /** What a server that invalidates towards everyone writes behind the committer's reply. */
  tellCommitter(conn: ServerConn, answer: Answer): void {
    if (this.scene.mix.fanOut !== "late" || answer.outcome !== "done" || conn.link?.isUnrepaired === true) return;
    const commit = this.truth.at(answer.tid);
    if (commit?.finish === answer.request && commit?.sent !== undefined) this.#tell(conn, commit.tid, commit.sent);
  }
}
