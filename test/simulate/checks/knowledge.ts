import type { Cache } from "../cache.ts";
import type { Link } from "../link.ts";
import { NO_OIDS, type Answer } from "../message.ts";
import type { Scene } from "../scene.ts";
import { Violation } from "../violation.ts";
import { commitAt, isOfSubject, lacking, mayShowEarly, missing, must, unread, wanted } from "./must.ts";
import type { Commit } from "../truth.ts";
import type { Named } from "./read.ts";

export type KnowledgePhase = "registering" | "asking" | "verifying" | "ready";

/** What one client knows, by what it was told on one connection and what it had kept; and what it should have known. */
export class Knowledge {
  readonly #scene: Scene;
  readonly #link: Link;
  readonly #cache: Cache;
  #phase: KnowledgePhase = "registering";
  /** The highest tid that was shown, announced, and that is covered otherwise than by an announcement. */
  #shown = 0;
  #announced = 0;
  #covered = 0;
  /** The last tid known otherwise than by a reply that showed it. */
  #since = 0;
  /** Invalidations while it verifies. */
  #queue: Named[] = [];
  /** What is to be told late. */
  #missed: Commit[] = [];
  /** It would hang for good if it was told anything now. */
  isInOldFinish = false;

  constructor(scene: Scene, link: Link, cache: Cache) {
    this.#scene = scene;
    this.#link = link;
    this.#cache = cache;
  }

  get phase(): KnowledgePhase {
    return this.#phase;
  }

  get isRegistering(): boolean {
    return this.#phase === "registering";
  }

  /** Need nobody tell it of T any more? */
  covers(tid: number): boolean {
    return tid <= this.#announced || tid <= this.#covered;
  }

  /** True: a violation. `isOfObject`: it says what an object was, and nothing of the database. */
  shown(tid: number, what: string, isOfObject = false): boolean {
    if (tid === 0) return false;
    // Inside its finish, behind a vote that has gone on, it can be told of nothing before that is over.
    const isEarly = isOfObject || (this.isInOldFinish && this.#mayMiss);
    const until = isEarly && this.#phase === "ready" ? this.#shownEarly(tid) : tid;
    if (until > this.#shown) this.#shown = until;
    if (this.#phase !== "ready" || until < tid) return false;
    const commit = missing(this.#scene, this.#link, this.#cache.last, tid);
    if (commit === undefined) return false;
    return this.#fail(
      "1 evidence",
      `${what} shows T${tid}, T${commit.tid} was not announced (at T${this.#cache.last})`,
    );
  }

  /** @returns up to where it shows what was told: below `tid` where all that is missing may show early */
  #shownEarly(tid: number): number {
    const { last } = this.#cache;
    let until = tid;
    for (
      let commit = missing(this.#scene, this.#link, last, tid);
      commit !== undefined;
      commit = missing(this.#scene, this.#link, last, commit.tid - 1)
    ) {
      if (!mayShowEarly(commit, this.#link)) return tid;
      until = commit.tid - 1;
    }
    if (until < tid) this.#scene.visits.count("subject: a load shows it early");
    return until;
  }

  answered(answer: Answer, named: Named | undefined): boolean {
    const { request, outcome } = answer;
    switch (request?.kind) {
      case "register":
        if (outcome === "exception") return false;
        return this.#registered(answer);
      case "lastTransaction":
        if (this.#phase === "asking") return this.#learn(answer.tid);
        return this.shown(answer.shows, "lastTransaction");
      case "getInvalidations":
        return this.#resumed(answer, named);
      case "finish":
        return this.#finished(answer);
      case "load":
      case "loadBefore":
        // A current revision's serial; where it is an old one, when it ended may be new.
        return this.shown(answer.tid, request.method) || this.shown(answer.shows, request.method, true);
      default:
        return this.shown(answer.shows, request?.method ?? "?", request?.method === "getTid");
    }
  }

  #registered(answer: Answer): boolean {
    const cache = this.#cache;
    const link = this.#link;
    if (link.isUnrepaired) cache.clear();
    if (cache.generation !== link.generation) {
      // Somebody has restored a backup: who has seen more must begin anew.
      if (this.#scene.isAhead(link, cache.generation, cache.last)) cache.clear();
      cache.generation = link.generation;
    }
    this.#since = cache.last;
    if (link.style?.family === "old") {
      this.#phase = "asking";
      return false;
    }
    this.#shown = answer.tid;
    return this.#learn(answer.tid);
  }

  #learn(tid: number): boolean {
    const cache = this.#cache;
    this.#shown = Math.max(this.#shown, tid);
    if (!this.#link.isUnrepaired) this.#scene.reachOf(this.#link);
    if (cache.isFresh) {
      cache.last = tid;
      this.#covered = tid;
      return this.#ready();
    }
    if (tid < cache.last && this.#scene.mix.witness && commitAt(this.#link, cache.last) !== undefined) {
      // It was told on another connection, a moment before the server names it as its last one. It must begin anew.
      cache.clear();
      cache.last = this.#covered = tid;
      return this.#ready();
    }
    if (tid < cache.last)
      return this.#fail("2 newer than server", `the server is at T${tid}, the client at T${cache.last}`);
    if (tid === cache.last) {
      this.#covered = tid;
      return this.#ready();
    }
    this.#phase = "verifying";
    return false;
  }

  #resumed(answer: Answer, named: Named | undefined): boolean {
    const cache = this.#cache;
    if (this.#phase !== "verifying") return false;
    if (named === undefined) {
      if (this.#isNeedless(answer)) {
        return this.#fail("4 needless None", `getInvalidations(T${answer.request?.tid ?? 0}) is answered None`);
      }
      cache.clear();
      cache.last = this.#shown;
      this.#covered = this.#shown;
      return this.#ready();
    }
    const copied = this.#copiedSince(answer);
    if (copied !== undefined) {
      return this.#fail(
        "1 resume over a copy",
        `a cache at T${answer.request?.tid ?? 0} is not verified, T${copied.tid} was copied`,
      );
    }
    const { tid, oids } = named;
    const asked = answer.request?.tid ?? 0;
    if (tid < asked) return this.#fail("2 backwards", `getInvalidations(T${asked}) is answered T${tid}`);
    if (tid < this.#announced) {
      return this.#fail(
        "2 backwards",
        `getInvalidations is answered T${tid} behind the invalidation of T${this.#announced}`,
      );
    }
    const { commits } = this.#link;
    if (tid > (commits.at(-1)?.tid ?? 0) && tid > asked)
      return this.#fail("2 true", `getInvalidations is answered T${tid}`);
    for (let i = commits.length - 1; i >= 0; i--) {
      const commit = commits[i];
      if (commit === undefined || commit.tid <= asked) break;
      if (commit.tid > tid || !this.#mustBeInResume(commit)) continue;
      const lacks = lacking(oids, wanted(commit, this.#link));
      if (lacks === undefined) continue;
      return this.#fail(
        "1 resume incomplete",
        `getInvalidations(T${asked}) is answered T${tid} without oid ${lacks} of T${commit.tid}`,
      );
    }
    cache.invalidate(tid, oids);
    const low = cache.copied;
    // Where only what nobody was told of lies above it, a foreign commit that is silent, it is told in order like any other.
    if (low !== undefined && asked < low.tid && low.tid <= tid && lacking(oids, low.oids) === undefined) {
      cache.copied = undefined;
    }
    this.#shown = Math.max(this.#shown, tid);
    this.#covered = Math.max(this.#covered, tid);
    this.#standsAt(tid);
    return this.#ready();
  }

  /** A commit that lies below what the cache has seen, which the subject has known for long. */
  #copiedSince({ request }: Answer): Commit | undefined {
    const { lows, subject, style, registeredAt } = this.#link;
    if (!this.#scene.repairs) return undefined;
    return lows.find(
      ({ by, readAt, finish, tid }) =>
        by.subject === subject &&
        by.client !== this.#link.client &&
        by.style?.family === style?.family &&
        readAt > 0 &&
        readAt < registeredAt &&
        // What the committer had seen the subject has seen.
        tid <= finish.askedAt &&
        (request?.tid ?? 0) <= finish.askedAt,
    );
  }

  /** The server knew, and all that was since the subject has seen; or it could read it. */
  #isNeedless({ request, outcome }: Answer): boolean {
    const { mix } = this.#scene;
    // The answer that shows that a backup was restored is not where what is known begins.
    if (this.#link.generation > 0 || this.#link.lows.length > 0) return false;
    if (this.#scene.mayHaveCopied(this.#link) || this.#scene.mayDoubt(this.#link)) return false;
    if (mix.witness) return this.#isReadable(request?.tid ?? 0);
    if (outcome === "none") return false;
    // Where clients are now repaired, now observed, what repairs has not seen all.
    if (!this.#scene.repairs) return false;
    if (mix.history > 0 || mix.deeds.undo > 0 || this.#scene.mayEnd(-1, this.#link)) return false;
    return (request?.tid ?? 0) >= this.#scene.reachOf(this.#link);
  }

  /** Can all be read that was committed since? */
  #isReadable(asked: number): boolean {
    const scene = this.#scene;
    const link = this.#link;
    if (scene.mayBeUnread(link) || scene.isLeaving(link) || asked <= scene.unreadUpTo(link)) return false;
    return link.commits.filter(({ tid }) => tid > asked).length <= scene.mix.catchUp;
  }

  #mustBeInResume(commit: Parameters<typeof must>[1]): boolean {
    return must(this.#scene, commit, this.#link, true);
  }

  #finished({ tid, outcome, request, shows }: Answer): boolean {
    this.isInOldFinish = false;
    this.#link.isFinishing = false;
    if (outcome !== "done" || request === undefined) return false;
    const cache = this.#cache;
    const commit = commitAt(this.#link, tid);
    if (commit?.finish !== request) {
      // An old server's transaction without changes shows another one's tid.
      if (this.shown(shows, "an empty finish", this.#mayMiss)) return true;
      this.#missedBehindGrant(tid, NO_OIDS);
      this.#standsAt(Math.max(cache.last, tid));
      return false;
    }
    commit.readAt = this.#scene.timeline.now;
    // What everybody had seen lies above it.
    if (commit.isLow && tid <= cache.last) return false;
    if (tid <= cache.last) return this.#fail("2 own", `own commit T${tid}, the client is at T${cache.last}`);
    const before = this.#missedBehindGrant(tid - 1, commit.oids);
    if (before !== undefined) return this.#fail("1 evidence", `own commit T${tid}, T${before.tid} was not announced`);
    this.#standsAt(tid);
    this.#since = tid;
    this.#shown = Math.max(this.#shown, tid);
    return false;
  }

  /**
   * A granted vote of an old server goes on without a look that does not come in time: what it would have found is told late,
   * but for what its client has changed itself.
   * `oids`: what that has changed. @returns what nothing excuses that it was not announced up to `tid`
   */
  #missedBehindGrant(tid: number, oids: readonly number[]): Commit | undefined {
    const { last } = this.#cache;
    for (
      let commit = missing(this.#scene, this.#link, last, tid);
      commit !== undefined;
      commit = missing(this.#scene, this.#link, last, commit.tid - 1)
    ) {
      if (!this.#mayMiss || !mayShowEarly(commit, this.#link)) return commit;
      if (lacking(oids, commit.oids) === undefined) continue;
      this.#missed.push(commit);
      this.#cache.untold.set(commit, this.#link.subject);
    }
    return undefined;
  }

  get #mayMiss(): boolean {
    return this.#scene.mix.witness && this.#scene.mayBeUnread(this.#link) && this.#link.style?.family === "old";
  }

  // --- invalidations ----------------------------------------------------------------------------------------------

  announced(tid: number, oids: readonly number[]): boolean {
    // Old servers write them so.
    if (this.#phase === "registering" && this.#scene.repairs)
      return this.#fail("2 before register", `T${tid} before the reply to register`);
    if (this.isInOldFinish) return this.#fail("5 inside finish", `T${tid} inside an old client's tpc_finish`);
    if (tid === this.#link.mustLearn) this.#link.mustLearn = 0;
    if (tid === this.#cache.copied?.tid) this.#cache.copied = undefined;
    if (tid <= this.#announced) return this.#fail("2 growing", `T${tid} behind T${this.#announced}`);
    if (tid <= this.#shown && this.#isMust(tid)) {
      return this.#fail("1 evidence", `T${tid} is announced behind what showed T${this.#shown}`);
    }
    this.#announced = tid;
    if (this.#phase !== "ready") {
      this.#queue.push({ tid, oids });
      return false;
    }
    return this.#apply(tid, oids);
  }

  /**
   * What could not be told in order is told under the tid where the cache stands, but for what changed then. Only of what
   * is not read in time, or was copied to below others.
   */
  isLate({ tid, oids }: Named): boolean {
    const commit = commitAt(this.#link, tid);
    if (!this.#scene.mix.witness || this.#phase !== "ready" || tid !== this.#cache.last || commit === undefined)
      return false;
    if (oids.some((oid) => commit.oids.includes(oid)) || this.isInOldFinish) return false;
    // By an empty transaction of its own it can stand at what it is still to be told.
    const isToCome = this.#missed.some((missed) => missed.tid === tid);
    if (this.#isMust(tid) && tid > Math.max(this.#announced, this.#covered) && !isToCome) return false;
    if (this.#link.lows.length === 0 && !this.#scene.mayBeUnread(this.#link)) {
      this.#fail("2 late", `oids ${oids.join(" ")} are told late, under T${tid}`);
    }
    this.#scene.visits.count("subject: told late");
    this.#cache.invalidate(tid, oids);
    const known = isToCome ? oids : [...oids, ...commit.oids];
    this.#missed = this.#missed.filter((missed) => lacking(known, missed.oids) !== undefined);
    return true;
  }

  #apply(tid: number, oids: readonly number[]): boolean {
    const cache = this.#cache;
    cache.invalidate(tid, oids);
    if (tid <= cache.last && !this.#isMust(tid) && (tid > this.#since || !this.#scene.repairs)) return false;
    if (tid <= cache.last && commitAt(this.#link, tid)?.isLow === true) return false;
    // Where it stands since a transaction of its own that has changed nothing.
    if (tid === cache.last && this.#missed.some((missed) => missed.tid === tid)) {
      this.#missed = this.#missed.filter((missed) => lacking(oids, missed.oids) !== undefined);
      return false;
    }
    if (tid <= cache.last) return this.#fail("2 once", `T${tid} is announced, the client is at T${cache.last}`);
    const between = this.#untoldBelow(tid);
    if (between !== undefined) return this.#fail("1 skipped", `T${tid} is announced, T${between.tid} was not`);
    this.#standsAt(tid);
    this.#since = tid;
    return false;
  }

  /**
   * The same lies below a commit that another client has made behind such a vote, and is told late, too.
   * @returns what nothing excuses that it was not announced before
   */
  #untoldBelow(tid: number): Commit | undefined {
    const commit = commitAt(this.#link, tid);
    if (commit === undefined || !isOfSubject(commit, this.#link))
      return missing(this.#scene, this.#link, this.#cache.last, tid - 1);
    return this.#missedBehindGrant(tid - 1, commit.oids);
  }

  /** The cache stands at that tid now: what its subject does not read it has not heard of. */
  #standsAt(tid: number): void {
    const cache = this.#cache;
    if (this.#scene.mix.proxies > 1) {
      for (const commit of unread(this.#link, cache.last, tid)) cache.untold.set(commit, this.#link.subject);
    }
    cache.last = tid;
  }

  #isMust(tid: number): boolean {
    const commit = commitAt(this.#link, tid);
    return commit !== undefined && must(this.#scene, commit, this.#link, false);
  }

  #ready(): boolean {
    this.#phase = "ready";
    const cache = this.#cache;
    cache.isFresh = false;
    const queue = this.#queue;
    this.#queue = [];
    for (const { tid, oids } of queue) {
      if (tid > cache.last) {
        if (this.#apply(tid, oids)) return true;
      } else cache.invalidate(tid, oids);
    }
    return false;
  }

  // --- at rest ----------------------------------------------------------------------------------------------------

  /** Does it know everything by now? */
  atRest(): void {
    const cache = this.#cache;
    const link = this.#link;
    if (this.#scene.repairs && (cache.copied?.readAt ?? 0) > 0) {
      this.#fail(
        "1 copied",
        `at rest T${cache.copied?.tid ?? 0}, copied to below others, has left the cache as it was`,
      );
      return;
    }
    const [missed] = this.#missed;
    if (missed !== undefined) {
      this.#fail("1 untold", `at rest T${missed.tid} was not told late`);
      return;
    }
    const last = link.commits.at(-1)?.tid ?? 0;
    const commit = missing(this.#scene, link, cache.last, last, true);
    if (commit !== undefined) {
      this.#fail("1 untold", `at rest T${commit.tid} was not announced, the client is at T${cache.last}`);
      return;
    }
    for (const [oid, { serial, at }] of cache.entries) {
      for (let i = link.commits.length - 1; i >= 0; i--) {
        const newer = link.commits[i];
        if (newer === undefined || newer.tid <= at) break;
        if (newer.by === link || !must(this.#scene, newer, link, true) || !wanted(newer, link).includes(oid)) continue;
        if ((cache.untold.get(newer) ?? link.subject) !== link.subject) continue;
        this.#fail("1 stale", `at rest oid ${oid} has the serial T${serial}, and changed in T${newer.tid}`);
        return;
      }
    }
  }

  /** Nobody is to blame for what a client sees for whom nothing is repaired, or one that has written garbage. */
  #fail(name: string, text: string): boolean {
    const { number, style, isWild, isUnrepaired } = this.#link;
    if (isWild || isUnrepaired) return false;
    this.#scene.fail(new Violation(name, `link ${number} (${style?.protocol ?? "?"}): ${text}`));
    return true;
  }
}
