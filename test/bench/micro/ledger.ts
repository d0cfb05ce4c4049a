import { bench, group } from "mitata";
import { StorageLedger } from "../../../src/ledger/ledger.ts";
import { newState } from "../../../src/ledger/state.ts";
import { asTid, type Tid } from "../../../src/wire/ids.ts";

const READ = { payload: undefined, bytes: 100 };
const REPLY = { ...READ, order: 0 };
const OIDS = 10;
const HISTORY = 100_000;
const DUE = 20_000;

/** One storage, whose first session commits and whose others are told. */
class World {
  readonly #ledger = new StorageLedger<undefined>(newState("new"));
  readonly #sessions: number;
  readonly #oids = Buffer.alloc(OIDS * 8);
  #tid = 1;
  #oid = 0;

  constructor(sessions: number, history = 0) {
    this.#sessions = sessions;
    for (let n = 1; n <= sessions; n++) {
      this.#ledger.registerForwarded(n);
      this.#ledger.registerReply(n, this.#now(), READ);
    }
    for (let n = 0; n < history; n++) this.commit();
  }

  /** Ten objects, told to every session by the server, in order. */
  commit(): void {
    this.#finish();
    this.#tell(this.#now());
  }

  /** The server has told nobody of so many commits; then of all of them. */
  fallBehind(commits: number): void {
    const first = this.#tid + 1;
    for (let n = 0; n < commits; n++) this.#finish();
    for (let tid = first; tid <= this.#tid; tid++) this.#tell(asTid(BigInt(tid)));
  }

  #finish(): void {
    const ledger = this.#ledger;
    for (let i = 0; i < OIDS; i++) this.#oids.writeUInt32BE(++this.#oid, i * 8 + 4);
    ledger.beginForwarded(1, 7);
    for (let i = 0; i < OIDS; i++) ledger.storeForwarded(1, 7, "created", "zero", this.#oids, i * 8);
    const number = ledger.finishForwarded(1, 7);
    this.#tid++;
    ledger.finishReply(1, number, this.#now(), 0, REPLY);
    ledger.take();
  }

  #tell(tid: Tid): void {
    const args = { tid, oids: Buffer.alloc(0) };
    for (let n = 2; n <= this.#sessions; n++) this.#ledger.invalidation(n, args, 0, READ);
    this.#ledger.take();
  }

  #now(): Tid {
    return asTid(BigInt(this.#tid));
  }
}

/** How a commit's cost grows with clients and with history. */
export function ledgerBenches(): void {
  group("a commit of 10 created objects", () => {
    for (const [clients, history] of [
      [1, 0],
      [50, 0],
      [500, 0],
      [5_000, 0],
      [50, HISTORY],
    ] as const) {
      const world = new World(clients, history);
      bench(`${clients} clients, ${history} commits before`, () => world.commit());
    }
  });
  group("20,000 due at once", () => {
    const few = new World(201);
    bench("100 commits, 200 clients", () => few.fallBehind(100));
    const many = new World(2_001);
    bench("10 commits, 2,000 clients", () => many.fallBehind(DUE / 2_000));
  });
}
