import * as z5 from "../wire/z5.ts";

export interface Member {
  /** The vote is through: this one has the storage for itself until it finishes or aborts. */
  voted(): void;
  write(bytes: Buffer): void;
}

/** Whoever is registered; whose commit it is; the last tid. */
export class StandInStorage {
  readonly #members = new Set<Member>();
  readonly #votes: Member[] = [];
  lastTid = 1_000;

  join(member: Member): void {
    this.#members.add(member);
  }

  leave(member: Member): void {
    this.#members.delete(member);
    this.release(member);
  }

  /** One commits at a time, the others' votes wait their turn: as ZEO's lock has it. */
  vote(member: Member): void {
    if (this.#votes.push(member) === 1) member.voted();
  }

  release(member: Member): void {
    const at = this.#votes.indexOf(member);
    if (at < 0) return;
    this.#votes.splice(at, 1);
    if (at === 0) this.#votes[0]?.voted();
  }

  /** Tells all others before the committer has its reply, as ZEO 5 does. Returns the tid, pickled. */
  finish(committer: Member, oids: Buffer, count: number): Buffer {
    const tid = z5.bytes(z5.eight(++this.lastTid));
    const message = z5.oneWay("invalidateTransaction", z5.tuple(tid, z5.oidList(oids, count)));
    for (const member of this.#members) if (member !== committer) member.write(message);
    return tid;
  }
}
