/**
 * Object and transaction ids. On the wire both are eight bytes, big-endian.
 *
 * A `Tid` is a bigint, so that tids compare with `<`. An oid is never compared or counted one by one on a hot
 * path, so oids travel packed: a `Buffer` of n * 8 bytes is a list of n oids.
 */

declare const tidBrand: unique symbol;

/** A transaction id as an unsigned 64-bit number. `0n` stands for "no transaction yet" (ZODB's `z64`). */
export type Tid = bigint & { readonly [tidBrand]: true };

/** Bytes of one oid or tid. */
export const ID_BYTES = 8;

export const NO_TID = 0n as Tid;

/** The highest there can be: stands for a message that may show any tid. */
export const ANY_TID = 0xffff_ffff_ffff_ffffn as Tid;

export function asTid(value: bigint): Tid {
  return value as Tid;
}

/** Reads the tid at `offset`; throws a RangeError outside the buffer. */
export function readTid(bytes: Buffer, offset = 0): Tid {
  return bytes.readBigUInt64BE(offset) as Tid;
}

/** Eight new bytes. */
export function tidBytes(tid: Tid): Buffer {
  const bytes = Buffer.allocUnsafe(ID_BYTES);
  bytes.writeBigUInt64BE(tid);
  return bytes;
}

/** 16 hex digits. */
export function tidHex(tid: Tid): string {
  return tid.toString(16).padStart(16, "0");
}

/**
 * The moment that a tid names, in milliseconds since 1970, UTC: the high 32 bits count minutes (31-day months from
 * 1900), the low 32 bits are the fraction of that minute (persistent/TimeStamp, `_timestamp.c`).
 */
export function tidTimeMs(tid: Tid): number {
  let minutes = Number(tid >> 32n);
  const fraction = Number(tid & 0xffffffffn) / 2 ** 32;
  const minute = minutes % 60;
  minutes = Math.floor(minutes / 60);
  const hour = minutes % 24;
  minutes = Math.floor(minutes / 24);
  const day = (minutes % 31) + 1;
  minutes = Math.floor(minutes / 31);
  const month = minutes % 12;
  const year = Math.floor(minutes / 12) + 1900;
  return Date.UTC(year, month, day, hour, minute) + fraction * 60_000;
}

/** The other way round; microseconds are lost to the double. */
export function tidAt(timeMs: number): Tid {
  const d = new Date(timeMs);
  const days = ((d.getUTCFullYear() - 1900) * 12 + d.getUTCMonth()) * 31 + d.getUTCDate() - 1;
  const minutes = (days * 24 + d.getUTCHours()) * 60 + d.getUTCMinutes();
  const fraction = Math.floor(((timeMs % 60_000) / 60_000) * 2 ** 32);
  return ((BigInt(minutes) << 32n) | BigInt(fraction)) as Tid;
}
