import type { Happening } from "../../src/happening/happening.ts";
import type { SessionAction } from "../../src/ledger/state.ts";
import { Memory } from "../../src/session/memory.ts";
import type { Inbound } from "../../src/storage/inbound.ts";
import { Storage, type Member } from "../../src/storage/storage.ts";
import { asTid, NO_TID } from "../../src/wire/ids.ts";
import { packed } from "../ledger/script.ts";
import { MovedClock } from "./moved-clock.ts";

/** A member that notes what it is to do, and does what the test says on top of it. */
export class Noting implements Member {
  readonly upstream: string;
  readonly client: string;
  readonly server: string;
  readonly done: string[] = [];
  readonly failures: unknown[] = [];
  looks = 0;
  onAction: (action: SessionAction<Inbound>) => void = () => undefined;
  onLook: () => void = () => undefined;

  constructor(upstream = "main", server = "10.0.0.1:8100") {
    this.upstream = upstream;
    this.client = `client of ${upstream}`;
    this.server = server;
  }

  carryOut(action: SessionAction<Inbound>): void {
    this.done.push(action.do);
    this.onAction(action);
  }

  failed(error: unknown): void {
    this.failures.push(error);
  }

  look(): void {
    this.looks++;
    this.onLook();
  }
}

/** A member, and its number. */
export interface Joined {
  readonly member: Noting;
  readonly number: number;
}

/** A storage, with a clock that the test moves. */
export class World {
  readonly clock = new MovedClock();
  readonly told: Happening[] = [];
  readonly memory = new Memory(100_000);
  readonly storage: Storage;
  /** May be changed. */
  readonly limits: { historyBytes: number };

  constructor(family: "old" | "new" = "new", historyBytes = 1_000_000) {
    const { clock } = this;
    const report = (happening: Happening): void => void this.told.push(happening);
    const limits = { historyBytes };
    this.limits = limits;
    const host = {
      clock,
      report,
      get historyBytes() {
        return limits.historyBytes;
      },
      share: (free: () => void) => this.memory.share(free),
    };
    this.storage = new Storage("server:1", "1", family, host, () => undefined);
  }

  message(): { payload: Inbound; bytes: number } {
    const envelope = { id: 0, flags: 1, method: "info", argsAt: 0 };
    const frame = Buffer.alloc(10);
    return { payload: { frame, envelope, tid: NO_TID, role: undefined, since: this.clock.now() }, bytes: frame.length };
  }

  /** Joined and registered at this tid, by that upstream and at that address of the server. */
  registered(upstream = "main", { tid = 1000n, server = "10.0.0.1:8100" } = {}): Joined {
    const member = new Noting(upstream, server);
    const { storage } = this;
    const number = storage.join(member);
    storage.ledger.registerForwarded(number);
    storage.ledger.registerReply(
      number,
      storage.ledger.state.server === "new" ? asTid(tid) : undefined,
      this.message(),
    );
    storage.run(number);
    member.done.length = 0;
    return { member, number };
  }

  /** Its `tpc_finish` is forwarded: it creates that object. Returns what answers it. */
  finishing({ number }: Joined, oid = 1): (tid: bigint | undefined) => void {
    const { ledger } = this.storage;
    ledger.beginForwarded(number, 7);
    ledger.storeForwarded(number, 7, "created", "zero", packed([oid]), 0);
    const finish = ledger.finishForwarded(number, 7);
    this.storage.run(number);
    return (tid) => {
      const shown = tid === undefined ? undefined : asTid(tid);
      ledger.finishReply(number, finish, shown, this.clock.now(), { ...this.message(), order: 0 });
      this.storage.run(number);
    };
  }

  /** The server's message of that transaction is read for that session. */
  invalidates({ number }: Joined, tid: bigint, ...oids: number[]): void {
    this.storage.ledger.invalidation(number, { tid: asTid(tid), oids: packed(oids) }, 0, this.message());
    this.storage.run(number);
  }

  /** Its client's connection has ended. */
  clientGone({ number }: Joined): void {
    this.storage.ledger.clientGone(number);
    this.storage.run(number);
  }

  /** Its server's connection has ended; `mayStillRead`: it did not say so. */
  serverGone({ number }: Joined, mayStillRead = false): void {
    this.storage.ledger.serverGone(number, mayStillRead);
    this.storage.run(number);
  }

  /** The server answers that this is its last transaction. */
  lastTransaction({ number }: Joined, tid: bigint): void {
    const { ledger } = this.storage;
    ledger.lastTransactionReply(number, asTid(tid), ledger.stamp, this.message());
    this.storage.run(number);
  }

  toldOf(what: Happening["what"]): Happening[] {
    return this.told.filter((happening) => happening.what === what);
  }
}
