import type { Style } from "./style.ts";

/** A message's id: a number, or an oid and the tid before which it is to be loaded. */
export type Id = number | LoadId;

export interface LoadId {
  readonly oid: number;
  /** `NEWEST`: whatever is current. */
  readonly before: number;
}

export const NEWEST = 0xffffffff;

/** The first four bytes of every tid. The world's own tids are numbers: the last four. */
const TID_HIGH = 0x03e4_5a00;
/** Frames stand in pieces of memory of this size. */
const SLAB = 64 * 1024;
const MAX_TID = Buffer.from("7fffffffffffffff", "hex");

/**
 * Writes frames byte by byte, as the peers of a style do; shares nothing with `src/wire`. Oids and tids are small
 * numbers, of which the world has no more than 32 bits. Not more than a few hundred items in a list.
 */
export class FrameWriter {
  #style!: Style;
  #bytes: Buffer = Buffer.allocUnsafeSlow(SLAB);
  #start = 0;
  #at = 0;

  begin(style: Style, id: Id, flags: number | boolean, name: string): this {
    this.#style = style;
    this.#start = this.#at;
    this.#at += 4;
    this.#reserve(64);
    if (style.isMsgpack) this.#byte(0x94);
    else {
      if (style.isBinary2) this.#byte(0x80).#byte(3);
      this.#byte(0x28);
    }
    if (typeof id === "number") this.int(id);
    else this.tuple(2).oid(id.oid).tid(id.before).tupleEnd(2);
    if (typeof flags === "number") this.int(flags);
    else this.bool(flags);
    return this.name(name);
  }

  /** The frame, in bytes that are never written again. */
  finish(): Buffer {
    if (!this.#style.isMsgpack) this.#byte(0x74).#byte(0x2e);
    return this.#frame();
  }

  /** A frame of a handshake. */
  raw(text: string): Buffer {
    this.#start = this.#at;
    this.#at += 4;
    this.#reserve(64);
    this.#text(text);
    return this.#frame();
  }

  #frame(): Buffer {
    const frame = this.#bytes.subarray(this.#start, this.#at);
    frame.writeUInt32BE(frame.length - 4, 0);
    return frame;
  }

  none(): this {
    return this.#byte(this.#style.isMsgpack ? 0xc0 : 0x4e);
  }

  bool(value: boolean): this {
    if (this.#style.isMsgpack) return this.#byte(value ? 0xc3 : 0xc2);
    if (this.#style.isBinary2) return this.#byte(value ? 0x88 : 0x89);
    return this.#byte(0x49).#text(value ? "01\n" : "00\n");
  }

  int(value: number): this {
    if (this.#style.isMsgpack) return this.#msgpackInt(value);
    if (value < 0 || value > 0xffff) return this.#byte(0x4a).#word(value, true);
    if (value > 0xff)
      return this.#byte(0x4d)
        .#byte(value & 0xff)
        .#byte(value >> 8);
    return this.#byte(0x4b).#byte(value);
  }

  #msgpackInt(value: number): this {
    if (value >= -32 && value < 0) return this.#byte(0x100 + value);
    if (value < 0) return this.#byte(0xd2).#word(value, false);
    if (value < 0x80) return this.#byte(value);
    if (value < 0x100) return this.#byte(0xcc).#byte(value);
    if (value < 0x10000)
      return this.#byte(0xcd)
        .#byte(value >> 8)
        .#byte(value & 0xff);
    return this.#byte(0xce).#word(value, false);
  }

  oid(oid: number): this {
    return this.#idHead().#word(0, false).#word(oid, false);
  }

  tid(tid: number): this {
    this.#idHead();
    if (tid === NEWEST) return this.#raw(MAX_TID);
    return this.#word(tid === 0 ? 0 : TID_HIGH, false).#word(tid, false);
  }

  #idHead(): this {
    if (this.#style.isMsgpack) return this.#byte(0xc4).#byte(8);
    return this.#byte(this.#style.isPython2 ? 0x55 : 0x43).#byte(8);
  }

  bytes(bytes: Buffer): this {
    const { length } = bytes;
    const { isMsgpack, isPython2 } = this.#style;
    if (isMsgpack) {
      if (length < 0x100) this.#byte(0xc4).#byte(length);
      else if (length < 0x10000)
        this.#byte(0xc5)
          .#byte(length >> 8)
          .#byte(length & 0xff);
      else this.#byte(0xc6).#word(length, false);
    } else if (length < 0x100) this.#byte(isPython2 ? 0x55 : 0x43).#byte(length);
    else this.#byte(isPython2 ? 0x54 : 0x42).#word(length, true);
    return this.#raw(bytes);
  }

  /** A name: the writer's native `str`. ASCII. */
  name(text: string): this {
    const { isMsgpack, isPython2 } = this.#style;
    if (isMsgpack) {
      if (isPython2) this.#byte(0xc4).#byte(text.length);
      else if (text.length < 32) this.#byte(0xa0 | text.length);
      else this.#byte(0xd9).#byte(text.length);
    } else if (isPython2) this.#byte(0x55).#byte(text.length);
    else this.#byte(0x58).#word(text.length, true);
    return this.#text(text);
  }

  tuple(count: number): this {
    if (this.#style.isMsgpack) return this.#array(count);
    if (count === 0 || (this.#style.isBinary2 && count <= 3)) return this;
    return this.#byte(0x28);
  }

  tupleEnd(count: number): this {
    if (this.#style.isMsgpack) return this;
    if (count === 0) return this.#byte(0x29);
    return this.#byte(this.#style.isBinary2 && count <= 3 ? 0x84 + count : 0x74);
  }

  list(count: number): this {
    if (this.#style.isMsgpack) return this.#array(count);
    this.#byte(0x5d);
    return count > 1 ? this.#byte(0x28) : this;
  }

  listEnd(count: number): this {
    if (this.#style.isMsgpack || count === 0) return this;
    return this.#byte(count === 1 ? 0x61 : 0x65);
  }

  /** Oids in a list, or in a tuple as a server in front of another one has it. */
  oids(oids: readonly number[], asTuple = false): this {
    const count = oids.length;
    if (asTuple) this.tuple(count);
    else this.list(count);
    for (const oid of oids) {
      if (this.#style.hasVersions) this.tuple(2).oid(oid).name("").tupleEnd(2);
      else this.oid(oid);
    }
    return asTuple ? this.tupleEnd(count) : this.listEnd(count);
  }

  dict(count: number): this {
    if (this.#style.isMsgpack) return this.#byte(0x80 | count);
    this.#byte(0x7d);
    return count > 1 ? this.#byte(0x28) : this;
  }

  dictEnd(count: number): this {
    if (this.#style.isMsgpack || count === 0) return this;
    return this.#byte(count === 1 ? 0x73 : 0x75);
  }

  /** Pickle only. */
  global(module: string, name: string): this {
    return this.#byte(0x63).#text(`${module}\n${name}\n`);
  }

  /** Pickle only: what two values before become, a callable and its arguments. */
  reduce(): this {
    return this.#byte(0x52);
  }

  #array(count: number): this {
    if (count < 16) return this.#byte(0x90 | count);
    return this.#byte(0xdc)
      .#byte(count >> 8)
      .#byte(count & 0xff);
  }

  #byte(value: number): this {
    this.#reserve(1);
    this.#bytes[this.#at++] = value;
    return this;
  }

  #word(value: number, isLittle: boolean): this {
    this.#reserve(4);
    const bytes = this.#bytes;
    const at = this.#at;
    const a = (value >>> 24) & 0xff;
    const b = (value >>> 16) & 0xff;
    const c = (value >>> 8) & 0xff;
    const d = value & 0xff;
    bytes[at] = isLittle ? d : a;
    bytes[at + 1] = isLittle ? c : b;
    bytes[at + 2] = isLittle ? b : c;
    bytes[at + 3] = isLittle ? a : d;
    this.#at = at + 4;
    return this;
  }

  #text(text: string): this {
    this.#reserve(text.length);
    for (let i = 0; i < text.length; i++) this.#bytes[this.#at++] = text.charCodeAt(i);
    return this;
  }

  #raw(bytes: Buffer): this {
    this.#reserve(bytes.length);
    bytes.copy(this.#bytes, this.#at);
    this.#at += bytes.length;
    return this;
  }

  /** What was begun goes on in a larger place, if it must. */
  #reserve(count: number): void {
    if (this.#at + count <= this.#bytes.length) return;
    const begun = this.#at - this.#start;
    const larger = Buffer.allocUnsafeSlow(Math.max(SLAB, 2 * (begun + count)));
    this.#bytes.copy(larger, 0, this.#start, Math.min(this.#at, this.#bytes.length));
    this.#bytes = larger;
    this.#start = 0;
    this.#at = begun;
  }
}

/** A tid of the wire as the world's number; undefined for what is none of this world's. */
export function tidNumber(bytes: Buffer, at: number): number | undefined {
  const high = bytes.readUInt32BE(at);
  if (high === TID_HIGH) return bytes.readUInt32BE(at + 4);
  return high === 0 && bytes.readUInt32BE(at + 4) === 0 ? 0 : undefined;
}

export const writer = new FrameWriter();
