import * as z5 from "../wire/z5.ts";

/** The ids of a writer's two calls. */
export const VOTE = 7;
export const FINISH = 8;
/** Where the id of a message stands that has a small one: behind the pickle's header. One-way messages have 0. */
export const ID_AT = 4;

/** ZODB's clients name a transaction by its object's address (ZEO 5.2.1 `ClientStorage.py`, `id(txn)`): LONG1, six bytes. */
const TRANSACTION = Buffer.from([0x8a, 6, 0xd0, 0x78, 0x3d, 0x92, 0x6d, 0x7f]);
const CREATED = Buffer.alloc(8);
const MODIFIED = z5.eight(0x1_0000_0000);
const MARKER = Buffer.from("oid=oid=");
const DATA = z5.bytes(Buffer.alloc(400, "x"));

export const TPC_BEGIN = z5.oneWay(
  "tpc_begin",
  z5.tuple(TRANSACTION, z5.text("u"), z5.text("d"), z5.NONE, z5.NONE, z5.text(" ")),
);
export const TPC_ABORT = z5.oneWay("tpc_abort", z5.tuple(TRANSACTION));
export const TPC_FINISH = z5.call(z5.int(FINISH), "tpc_finish", z5.tuple(TRANSACTION));
export const TPC_VOTE = z5.call(z5.int(VOTE), "vote", z5.tuple(TRANSACTION));

/** A `storea`, and where its oid stands. */
export interface Store {
  readonly frame: Buffer;
  readonly oidAt: number;
}

export function storeOf(isCreated: boolean, data: Buffer = DATA): Store {
  const serial = z5.bytes(isCreated ? CREATED : MODIFIED);
  const frame = z5.oneWay("storea", z5.tuple(z5.bytes(MARKER), serial, data, TRANSACTION));
  return { frame, oidAt: frame.indexOf(MARKER) };
}

/**
 * `tpc_begin`, all stores and the vote of one transaction after the other, as one write: a client's socket gets them
 * nearly so. Half of the objects are created, with new oids each time; the others are always the same.
 */
export class Transactions {
  readonly bytes: Buffer;
  /** `tpc_begin`, stores, vote. */
  readonly messages: number;
  readonly oids: number;
  readonly #createdAt: number[] = [];
  readonly #modified: number[] = [];
  #next: number;

  /** `writer`: whose oids are nobody else's. */
  constructor(oids: number, writer: number) {
    this.oids = oids;
    this.messages = oids + 2;
    this.#next = 0x0100_0000 * (writer + 1);
    const parts: Buffer[] = [TPC_BEGIN];
    let at = TPC_BEGIN.length;
    for (let i = 0; i < oids; i++) {
      const { frame, oidAt } = storeOf(i % 2 === 0);
      const store = Buffer.from(frame);
      if (i % 2 === 0) {
        this.#createdAt.push(at + oidAt + 4);
        store.writeUInt32BE(0, oidAt);
      } else {
        const oid = 0x8000_0000 + writer * 0x1_0000 + i;
        z5.eight(oid).copy(store, oidAt);
        this.#modified.push(oid);
      }
      parts.push(store);
      at += store.length;
    }
    this.bytes = Buffer.concat([...parts, TPC_VOTE]);
  }

  /** The next transaction stands in `bytes` then. */
  advance(): void {
    for (const at of this.#createdAt) this.bytes.writeUInt32BE(this.#next++, at);
  }

  /** Those that stand in `bytes`, as hexadecimal digits, ascending. */
  current(): string[] {
    const created = this.#createdAt.map((_, i) => this.#next - this.#createdAt.length + i);
    return [...created, ...this.#modified].map((oid) => z5.eight(oid).toString("hex")).sort();
  }
}
