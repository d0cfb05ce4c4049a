import { NEWEST, writer, type FrameWriter, type Id } from "./frame-writer.ts";
import { NONE_SERIAL, type Request, type RequestKind } from "./message.ts";
import type { Style } from "./style.ts";

/** What objects are made of. */
const STUFF = Buffer.alloc(512 * 1024, "the data of an object, ");

export function dataOf(size: number): Buffer {
  return STUFF.subarray(0, size);
}

interface Details {
  readonly oid?: number;
  readonly tid?: number;
  readonly txn?: number;
}

function request(kind: RequestKind, method: string, id: Id, isOneWay: boolean, details: Details = {}): Request {
  const frame = writer.finish();
  const { oid = 0, tid = 0, txn = 0 } = details;
  return { frame, kind, method, id, isOneWay, oid, tid, txn, askedAt: 0, toldAt: 0 };
}

/** Encodes what the clients of one connection say. */
export class Requests {
  readonly #style: Style;
  #nextId: number;
  #nextQuestion = -(2 ** 30) - 123_456;
  /** ZODB3 up to 3.9 numbers one-way messages, too. */
  readonly #numbersOneWay: boolean;

  constructor(style: Style, firstId: number, numbersOneWay: boolean) {
    this.#style = style;
    this.#nextId = firstId;
    this.#numbersOneWay = numbersOneWay;
  }

  static hello(protocol: string): Request {
    const frame = writer.raw(protocol);
    return { frame, kind: "hello", method: "", id: 0, isOneWay: true, oid: 0, tid: 0, txn: 0, askedAt: 0, toldAt: 0 };
  }

  register(storage: string, isReadOnly: boolean): Request {
    const [id, w] = this.#call("register", 2);
    w.name(storage).bool(isReadOnly).tupleEnd(2);
    return request("register", "register", id, false);
  }

  lastTransaction(): Request {
    const [id, w] = this.#call("lastTransaction", 0);
    w.tupleEnd(0);
    return request("lastTransaction", "lastTransaction", id, false);
  }

  /** The same, as the question of another proxy between this client and the subject. */
  question(): Request {
    const id = this.#nextQuestion--;
    writer.begin(this.#style, id, this.#flag(false), "lastTransaction").tuple(0).tupleEnd(0);
    return request("lastTransaction", "lastTransaction", id, false);
  }

  getInvalidations(tid: number): Request {
    const [id, w] = this.#call("getInvalidations", 1);
    w.tid(tid).tupleEnd(1);
    return request("getInvalidations", "getInvalidations", id, false, { tid });
  }

  /** The current revision, as old clients ask for it. */
  load(oid: number): Request {
    const { protocol, hasVersions } = this.#style;
    const method = protocol === "Z4" ? "loadEx" : hasVersions ? "load" : "loadEx";
    const count = hasVersions ? 2 : 1;
    const [id, w] = this.#call(method, count);
    w.oid(oid);
    if (hasVersions) w.name("");
    w.tupleEnd(count);
    return request("load", method, id, false, { oid, tid: NEWEST });
  }

  /** `hasOwnId`: as ZEO 5 clients do it, by oid and tid. */
  loadBefore(oid: number, before: number, hasOwnId: boolean): Request {
    const id: Id = hasOwnId ? { oid, before } : this.#nextId++;
    writer.begin(this.#style, id, this.#flag(false), "loadBefore").tuple(2).oid(oid).tid(before).tupleEnd(2);
    return request("loadBefore", "loadBefore", id, false, { oid, tid: before });
  }

  /** A call whose reply shows nothing. */
  plain(method: string): Request {
    const count = method === "new_oids" ? 1 : 0;
    const [id, w] = this.#call(method, count);
    if (count > 0) w.int(100);
    w.tupleEnd(count);
    return request("plain", method, id, false);
  }

  /** A call whose reply shows the current serial. */
  getTid(oid: number): Request {
    const [id, w] = this.#call("getTid", 1);
    w.oid(oid).tupleEnd(1);
    return request("plain", "getTid", id, false, { oid });
  }

  /** Its blob comes in messages of the server's, before the reply. */
  sendBlob(oid: number, serial: number): Request {
    const [id, w] = this.#call("sendBlob", 2);
    w.oid(oid).tid(serial).tupleEnd(2);
    return request("sendBlob", "sendBlob", id, false, { oid, tid: serial });
  }

  heartbeat(): Request {
    writer.begin(this.#style, -1, this.#flag(false), ".reply").none();
    return request("heartbeat", ".reply", -1, true);
  }

  // --- transactions -----------------------------------------------------------------------------------------------

  /** `tid`: 0, or the tid of a transaction that is copied. */
  begin(txn: number, tid: number): Request {
    const [id, w] = this.#oneWay("tpc_begin", 6);
    w.int(txn).name("user").name("what for").dict(0).dictEnd(0);
    if (tid === 0) w.none();
    else w.tid(tid);
    w.name(" ").tupleEnd(6);
    return request("begin", "tpc_begin", id, true, { txn, tid });
  }

  /** `serial`: 0 for a new object; `NONE_SERIAL`. */
  store(txn: number, oid: number, serial: number, size: number): Request {
    return this.#store("storea", txn, oid, serial, size);
  }

  storeBlob(txn: number, oid: number, serial: number, size: number, isShared: boolean): Request {
    return this.#store(isShared ? "storeBlobShared" : "storeBlobEnd", txn, oid, serial, size);
  }

  #store(method: string, txn: number, oid: number, serial: number, size: number): Request {
    const { hasVersions } = this.#style;
    const isShared = method === "storeBlobShared";
    const count = 4 + (isShared ? 1 : 0) + (hasVersions ? 1 : 0);
    const [id, w] = this.#oneWay(method, count);
    w.oid(oid);
    if (serial === NONE_SERIAL) w.none();
    else w.tid(serial);
    w.bytes(dataOf(size));
    if (isShared) w.name("a/file.blob");
    if (hasVersions) w.name("");
    w.int(txn).tupleEnd(count);
    return request("store", method, id, true, { txn, oid, tid: serial });
  }

  blobChunk(size: number): Request {
    const [id, w] = this.#oneWay("storeBlobChunk", 1);
    w.bytes(dataOf(size)).tupleEnd(1);
    return request("blobChunk", "storeBlobChunk", id, true);
  }

  restore(txn: number, oid: number, size: number): Request {
    const [id, w] = this.#oneWay("restorea", 5);
    w.oid(oid).tid(0).bytes(dataOf(size)).none().int(txn).tupleEnd(5);
    return request("restore", "restorea", id, true, { txn, oid });
  }

  delete(txn: number, oid: number, serial: number): Request {
    const [id, w] = this.#oneWay("deleteObject", 3);
    w.oid(oid).tid(serial).int(txn).tupleEnd(3);
    return request("delete", "deleteObject", id, true, { txn, oid, tid: serial });
  }

  check(txn: number, oid: number, serial: number): Request {
    const [id, w] = this.#oneWay("checkCurrentSerialInTransaction", 3);
    w.oid(oid).tid(serial).int(txn).tupleEnd(3);
    return request("check", "checkCurrentSerialInTransaction", id, true, { txn, oid, tid: serial });
  }

  undo(txn: number, tid: number): Request {
    const [id, w] = this.#oneWay("undoa", 2);
    w.name(Buffer.from(tidHex(tid), "hex").toString("base64"))
      .int(txn)
      .tupleEnd(2);
    return request("undo", "undoa", id, true, { txn, tid });
  }

  vote(txn: number): Request {
    return this.#ofTransaction("vote", "vote", txn);
  }

  /** No client does so: nobody would hear how it went. */
  oneWayVote(txn: number): Request {
    const [id, w] = this.#oneWay("vote", 1);
    w.int(txn).tupleEnd(1);
    return request("vote", "vote", id, true, { txn });
  }

  finish(txn: number): Request {
    return this.#ofTransaction("finish", "tpc_finish", txn);
  }

  /** `isOneWay`: ZEO 5 does not wait for it. */
  abort(txn: number, isOneWay: boolean): Request {
    if (!isOneWay) return this.#ofTransaction("abort", "tpc_abort", txn);
    const [id, w] = this.#oneWay("tpc_abort", 1);
    w.int(txn).tupleEnd(1);
    return request("abort", "tpc_abort", id, true, { txn });
  }

  #ofTransaction(kind: RequestKind, method: string, txn: number): Request {
    const [id, w] = this.#call(method, 1);
    w.int(txn).tupleEnd(1);
    return request(kind, method, id, false, { txn });
  }

  #call(method: string, count: number): [number, FrameWriter] {
    const id = this.#nextId++;
    return [id, writer.begin(this.#style, id, this.#flag(false), method).tuple(count)];
  }

  #oneWay(method: string, count: number): [number, FrameWriter] {
    const id = this.#numbersOneWay ? this.#nextId++ : 0;
    return [id, writer.begin(this.#style, id, this.#flag(true), method).tuple(count)];
  }

  /** New clients write booleans. */
  #flag(isOneWay: boolean): number | boolean {
    return this.#style.family === "new" ? isOneWay : isOneWay ? 1 : 0;
  }
}

function tidHex(tid: number): string {
  return `03e45a00${tid.toString(16).padStart(8, "0")}`;
}
