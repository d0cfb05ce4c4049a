import { NO_TID, readTid, tidBytes } from "../wire/ids.ts";
import type { Tid } from "../wire/ids.ts";
import { itemsOf, PyTuple, textOf } from "../wire/value.ts";
import type { Value } from "../wire/value.ts";
import type { EmbeddedClient } from "./client.ts";
import { errorOfInstance } from "./remote-error.ts";
import { tidOfReply } from "./reply-tid.ts";

/** What one transaction does; oids in hex. */
export interface Changes {
  /** New objects: serial of eight zeros. */
  readonly create?: readonly string[];
  /** New objects whose serial is None. */
  readonly createWithoutSerial?: readonly string[];
  /** Objects that exist; their serials are loaded where they are not known. */
  readonly modify?: readonly string[];
  readonly delete?: readonly string[];
  /** Copied history. */
  readonly restore?: readonly string[];
  /** Only checked to be current. */
  readonly check?: readonly string[];
  /** The data to store; default a small record. */
  readonly data?: Buffer;
  /** The data of single objects, by oid. */
  readonly records?: ReadonlyMap<string, Buffer>;
}

const ANY_TIME = 0x7fffffffffffffffn as Tid;

/** A mapping with one number in it, that every ZODB reads. */
export function numberRecord(value: number): Buffer {
  const text = String(value);
  return Buffer.concat([
    Buffer.from("cpersistent.mapping\nPersistentMapping\n.}U\x04data}U\x05valueU", "latin1"),
    Buffer.from([text.length]),
    Buffer.from(`${text}ss.`, "latin1"),
  ]);
}

/**
 * The transactions of one client, one after the other, call by call or all at once by `commit`. Serials that the client
 * has seen are remembered.
 */
export class ClientCommit {
  /** By oid in hex. */
  readonly serials = new Map<string, Tid>();
  readonly #client: EmbeddedClient;
  #id = 0;
  #stored: string[] = [];
  #counter = 0;

  constructor(client: EmbeddedClient) {
    this.#client = client;
  }

  /** Does all of it and resolves with the tid. Rejects with a `RemoteError` for a conflict, after having aborted. */
  async commit(changes: Changes): Promise<Tid> {
    const modify = changes.modify ?? [];
    for (const oid of [...modify, ...(changes.delete ?? []), ...(changes.check ?? [])]) await this.serialOf(oid);
    this.begin();
    this.#counter += 1;
    const all = changes.data ?? numberRecord(this.#counter);
    const data = (oid: string): Buffer => changes.records?.get(oid) ?? all;
    for (const oid of changes.create ?? []) this.store(oid, NO_TID, data(oid));
    for (const oid of changes.createWithoutSerial ?? []) this.store(oid, null, data(oid));
    for (const oid of modify) this.store(oid, this.serials.get(oid) ?? NO_TID, data(oid));
    for (const oid of changes.restore ?? []) this.restore(oid, data(oid));
    for (const oid of changes.delete ?? []) this.delete(oid);
    for (const oid of changes.check ?? []) this.check(oid);
    try {
      await this.vote();
    } catch (error) {
      await this.abort();
      throw error;
    }
    return this.finish();
  }

  /** `tpc_begin`; a tid is given when history is copied. Returns the transaction's id. */
  begin(options: { readonly id?: number; readonly tid?: Tid; readonly description?: string } = {}): number {
    this.#id = options.id ?? this.#id + 1;
    this.#stored = [];
    const text = (value: string): Value => this.#client.text(value);
    const tid = options.tid === undefined ? null : tidBytes(options.tid);
    this.#client.send("tpc_begin", this.#id, text(""), text(options.description ?? ""), new Map(), tid, text(" "));
    return this.#id;
  }

  store(oid: string, serial: Tid | null, data: Buffer): void {
    this.#stored.push(oid);
    const args: Value[] = [Buffer.from(oid, "hex"), serial === null ? null : tidBytes(serial), data];
    if (this.#client.protocol.versions) args.push(this.#client.text(""));
    this.#client.send("storea", ...args, this.#id);
  }

  restore(oid: string, data: Buffer | null): void {
    this.#stored.push(oid);
    this.#client.send("restorea", Buffer.from(oid, "hex"), tidBytes(NO_TID), data, null, this.#id);
  }

  delete(oid: string): void {
    const serial = this.serials.get(oid) ?? NO_TID;
    this.#client.send("deleteObject", Buffer.from(oid, "hex"), tidBytes(serial), this.#id);
  }

  check(oid: string): void {
    const serial = this.serials.get(oid) ?? NO_TID;
    this.#client.send("checkCurrentSerialInTransaction", Buffer.from(oid, "hex"), tidBytes(serial), this.#id);
  }

  undo(tid: Tid): void {
    this.#client.send("undoa", Buffer.from(tidBytes(tid).toString("base64"), "latin1"), this.#id);
  }

  /**
   * Resolves with what a new server replies (oids, or conflict dictionaries) or with the list of an old server's
   * `serialnos`. Rejects with a `RemoteError` when the vote or a store failed.
   */
  async vote(): Promise<readonly Value[]> {
    const from = this.#client.received.length;
    const reply = await this.#client.call("vote", this.#id);
    if (this.#client.family === "new") return itemsOf(reply) ?? [];
    const serials: Value[] = [];
    for (const entry of this.#client.received.slice(from)) {
      if (entry.type !== "one-way" || entry.method !== "serialnos") continue;
      for (const serial of itemsOf(entry.args[0] ?? null) ?? []) serials.push(serial);
    }
    for (const pair of serials) {
      const error = errorOfInstance(itemsOf(pair)?.[1] ?? null, "vote");
      if (error !== undefined) throw error;
    }
    return serials;
  }

  /** The committed tid; `NO_TID` when the server replied None. */
  async finish(): Promise<Tid> {
    const tid = tidOfReply(await this.#client.call("tpc_finish", this.#id));
    if (tid !== NO_TID) for (const oid of this.#stored) this.serials.set(oid, tid);
    return tid;
  }

  async abort(): Promise<void> {
    await this.#client.call("tpc_abort", this.#id);
  }

  /** The serial of the newest revision. Rejects with a POSKeyError where there is no such object. */
  async serialOf(oid: string): Promise<Tid> {
    const known = this.serials.get(oid);
    if (known !== undefined) return known;
    const found = await this.#client.loadBefore(oid, ANY_TIME);
    const serial = found?.serial ?? NO_TID;
    this.serials.set(oid, serial);
    return serial;
  }
}

/** The committed and the read serial of each conflict in a new server's vote reply, by oid in hex. */
export function conflictsOf(reply: readonly Value[]): Map<string, { current: Tid; data: Buffer }> {
  const conflicts = new Map<string, { current: Tid; data: Buffer }>();
  for (const entry of reply) {
    if (!(entry instanceof Map)) continue;
    const fields = new Map([...(entry as ReadonlyMap<Value, Value>)].map(([key, value]) => [textOf(key), value]));
    const oid = fields.get("oid");
    const data = fields.get("data");
    const serials = fields.get("serials");
    const current = serials instanceof PyTuple || Array.isArray(serials) ? itemsOf(serials)?.[0] : undefined;
    if (Buffer.isBuffer(oid) && Buffer.isBuffer(data) && Buffer.isBuffer(current)) {
      conflicts.set(oid.toString("hex"), { current: readTid(current), data });
    }
  }
  return conflicts;
}
