import type { Link } from "./link.ts";
import type { Request } from "./message.ts";
import type { Random } from "./random.ts";

/** One transaction that is in the database. */
export interface Commit {
  readonly tid: number;
  /** All that it changed. */
  readonly oids: readonly number[];
  /** What the server's own message names; undefined: it sends none. */
  readonly sent: readonly number[] | undefined;
  readonly by: Link;
  /** The `tpc_finish`. */
  readonly finish: Request;
  /** It did not pass through a subject that ran then. */
  readonly isForeign: boolean;
  /** Whom the server did not tell. */
  readonly skipped: readonly Link[];
  /**
   * 0, or until when those who registered before need not be told: its connection had broken on the subject's side before
   * it was committed, so that nobody knows of it until the next vote is granted (docs/ordering.md, *limbo*).
   */
  limboEnds: number;
  /** It was copied to below a tid that was there: nobody can be told of it in order. */
  readonly isLow: boolean;
  /** When its committer has read that it is there; 0: not yet. */
  readAt: number;
  /** Machines whose subjects read the storage: nothing of it need be missing there, whoever has made it. */
  readonly readBy: Set<number>;
  /** Its `tpc_finish` was answered with an exception: to its committer, too, it is another's. */
  isDenied: boolean;
}

interface Revision {
  readonly tid: number;
  /** Serial of the data that it has: 0 where there is no object any more. */
  readonly serial: number;
}

/** One database: what is committed, and what everyone must know. A backup that is restored is another history. */
export class Truth {
  /** In the order of their tids. */
  commits: Commit[] = [];
  /** Those whose limbo has not ended. */
  readonly inLimbo = new Set<Commit>();
  readonly #revisions = new Map<number, Revision[]>();
  readonly #random: Random;
  /** Tids are times: never used twice, not even for another history. */
  #clock: number;
  /** Where backups took the database back to, one for each generation that ended. */
  readonly restored: number[] = [];
  /** Copied to below what was there. */
  lows: Commit[] = [];
  /** The tid that it begins with. */
  readonly first: number;

  constructor(random: Random, objects: number, first: number) {
    this.#random = random;
    this.#clock = first;
    this.first = first;
    for (let oid = 1; oid <= objects; oid++) {
      if (oid % 3 !== 0) this.#revisions.set(oid, [{ tid: first, serial: first }]);
    }
  }

  get generation(): number {
    return this.restored.length;
  }

  get last(): number {
    return this.commits.at(-1)?.tid ?? this.first;
  }

  /** 0: there is no such object. */
  serial(oid: number): number {
    return this.#revisions.get(oid)?.at(-1)?.serial ?? 0;
  }

  /** The tid of what changed it last. */
  newest(oid: number): number {
    return this.#revisions.get(oid)?.at(-1)?.tid ?? 0;
  }

  /** The serial of what was current before `tid`, and the tid that ended it (0: none did). */
  before(oid: number, tid: number): { serial: number; end: number } {
    const revisions = this.#revisions.get(oid) ?? [];
    for (let i = revisions.length - 1; i >= 0; i--) {
      const revision = revisions[i] as Revision;
      if (revision.tid < tid) return { serial: revision.serial, end: revisions[i + 1]?.tid ?? 0 };
    }
    return { serial: 0, end: 0 };
  }

  nextTid(): number {
    this.#clock += this.#random.between(1, 3);
    return this.#clock;
  }

  /** Commits newer than `tid`, oldest first. */
  after(tid: number): number {
    let i = this.commits.length;
    while (i > 0 && (this.commits[i - 1] as Commit).tid > tid) i--;
    return i;
  }

  at(tid: number): Commit | undefined {
    for (let i = this.commits.length - 1; i >= 0; i--) {
      const commit = this.commits[i] as Commit;
      if (commit.tid <= tid) return commit.tid === tid ? commit : undefined;
    }
    return undefined;
  }

  /** A tid before one of the newest that is nobody's. */
  between(back: number): number | undefined {
    const tid = (this.commits[this.commits.length - 1 - back]?.tid ?? 0) - 1;
    return tid <= this.first || this.at(tid) !== undefined ? undefined : tid;
  }

  /** Puts it in. `gone`: those of its objects that are no more. */
  add(commit: Commit, gone: readonly number[]): void {
    // Most are newer than all others.
    this.commits.splice(this.after(commit.tid), 0, commit);
    if (commit.isLow) this.lows.push(commit);
    if (commit.limboEnds > 0) this.inLimbo.add(commit);
    for (const oid of commit.oids) {
      const revisions = this.#revisions.get(oid);
      const revision = { tid: commit.tid, serial: gone.includes(oid) ? 0 : commit.tid };
      if (revisions === undefined) this.#revisions.set(oid, [revision]);
      else {
        let at = revisions.length;
        while (at > 0 && (revisions[at - 1] as Revision).tid > commit.tid) at--;
        revisions.splice(at, 0, revision);
      }
    }
  }

  /** Back to what it was right behind an earlier commit: a new history, which shares the beginning. */
  restore(tid: number): void {
    this.restored.push(tid);
    this.lows = [];
    this.commits = this.commits.filter((commit) => commit.tid <= tid);
    for (const [oid, revisions] of this.#revisions) {
      const kept = revisions.filter((revision) => revision.tid <= tid);
      this.#revisions.set(oid, kept);
    }
  }
}
