import * as z5 from "../wire/z5.ts";
import { History } from "./history.ts";
import type { StoredOids } from "./transaction.ts";

/** Which server this one stands for. */
export interface ServerTraits {
  /** Its announcements name created objects, too. */
  readonly isPatched: boolean;
  /** As ZEO 4, not as ZEO 5: it says before a vote's reply what became of the stores, and says nothing of what names nothing. */
  readonly isOld: boolean;
  /** It keeps which objects were committed, so that they can be iterated over. */
  readonly isIterable: boolean;
}

export interface Member {
  /** The vote is through: this one has the storage for itself until it finishes or aborts. */
  voted(): void;
  write(bytes: Buffer): void;
}

/** Whoever is registered; whose commit it is; the last tid. */
export class StandInStorage {
  readonly traits: ServerTraits;
  readonly history: History | undefined;
  readonly #members = new Set<Member>();
  readonly #votes: Member[] = [];
  lastTid = 1_000;

  constructor(traits: ServerTraits) {
    this.traits = traits;
    if (traits.isIterable) this.history = new History();
  }

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
  finish(committer: Member, { announced, all }: StoredOids): Buffer {
    const tid = z5.bytes(z5.eight(++this.lastTid));
    if (all !== undefined) this.history?.add(this.lastTid, all);
    const { isOld } = this.traits;
    if (isOld && announced.count === 0) return tid;
    const oneWay = isOld ? z5.oldOneWay : z5.oneWay;
    const message = oneWay("invalidateTransaction", z5.tuple(tid, z5.oidList(announced.bytes, announced.count)));
    for (const member of this.#members) if (member !== committer) member.write(message);
    return tid;
  }
}
