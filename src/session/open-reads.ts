import type { MessageId } from "../wire/codec.ts";
import { ID_BYTES, type Tid } from "../wire/ids.ts";

/** A `loadBefore` that waits for its reply. */
export interface OpenRead {
  /** The eight bytes of the oid. */
  readonly oid: Buffer;
  /** The call, as its client has written it. */
  readonly frame: Buffer;
  /** The client was told meanwhile that the object has changed in these, in this order. */
  readonly told: Tid[];
}

/** About as much memory as one takes up beside its frame. */
const READ_BYTES = 320;
/** And with each transaction that it was told of. */
const TOLD_BYTES = 32;
/** With so many it is quicker to look them up by their oids than to look for each in what is told. */
const MANY = 16;

/**
 * What an old server's client is reading. A server with threads computes an answer before a commit and can write it behind
 * that commit's invalidation (ZEO issue 209); ZEO 5 clients keep it as current. (Those of ZEO 4 see to that themselves; they
 * load by other methods.)
 */
export class OpenReads {
  readonly #reads = new Map<MessageId, OpenRead>();
  #frameBytes = 0;
  /** How many transactions all of them were told of. */
  #told = 0;

  get size(): number {
    return this.#reads.size;
  }

  get bytes(): number {
    return this.#frameBytes + this.#reads.size * READ_BYTES + this.#told * TOLD_BYTES;
  }

  add(id: MessageId, oid: Buffer, frame: Buffer): void {
    this.take(id);
    this.#reads.set(id, { oid, frame, told: [] });
    this.#frameBytes += frame.length;
  }

  /** An invalidation goes out. `oids`: packed, in any order. */
  told(tid: Tid, oids: Buffer): void {
    if (this.#reads.size === 0) return;
    const reads = [...this.#reads.values()];
    if (reads.length > MANY) {
      const named = new Set<string>();
      for (let at = 0; at < oids.length; at += ID_BYTES) named.add(oids.toString("latin1", at, at + ID_BYTES));
      for (const read of reads) if (named.has(read.oid.toString("latin1"))) this.#tell(read, tid);
      return;
    }
    for (const read of reads) if (includes(oids, read.oid)) this.#tell(read, tid);
  }

  #tell(read: OpenRead, tid: Tid): void {
    read.told.push(tid);
    this.#told++;
  }

  /** Was its client told meanwhile that the object has changed? */
  isOld(id: MessageId): boolean {
    const read = this.#reads.get(id);
    return read !== undefined && read.told.length > 0;
  }

  /** Nobody looks at their replies any more. */
  clear(): void {
    this.#reads.clear();
    this.#frameBytes = 0;
    this.#told = 0;
  }

  /** Its reply goes out. */
  take(id: MessageId): OpenRead | undefined {
    const read = this.#reads.get(id);
    if (read === undefined) return undefined;
    this.#reads.delete(id);
    this.#frameBytes -= read.frame.length;
    this.#told -= read.told.length;
    return read;
  }
}

function includes(oids: Buffer, oid: Buffer): boolean {
  for (let at = oids.indexOf(oid); at >= 0; at = oids.indexOf(oid, at + 1)) if (at % ID_BYTES === 0) return true;
  return false;
}
