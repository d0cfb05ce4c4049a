/**
 * Reads a persistent cache file of ZEO (`ZEC3`; the same from ZODB3 3.10 to ZEO 6): a tid, then blocks, one behind the
 * other, that are free or hold one revision of an object [ZEO `cache.py`].
 */

import { crc32 } from "node:zlib";

const MAGIC = "ZEC3";
const HEADER_BYTES = 12;
const CURRENT = "0".repeat(16);
/** Status, size, oid, start, end, version, length of the data. */
const BEFORE_DATA = 35;

/** An object that a cache holds as current. */
export interface Held {
  readonly oid: string;
  readonly serial: string;
  readonly checksum: number;
}

export interface Past {
  readonly oid: string;
  readonly serial: string;
  /** From this tid on it was another. */
  readonly end: string;
}

export interface CacheContents {
  readonly tid: string;
  readonly current: readonly Held[];
  readonly past: readonly Past[];
}

export class CacheFileError extends Error {
  override readonly name = "CacheFileError";
}

/** @throws CacheFileError where a client would throw the file away, too */
export function readCacheFile(bytes: Buffer): CacheContents {
  if (bytes.toString("latin1", 0, MAGIC.length) !== MAGIC) throw new CacheFileError("no cache file");
  const tid = bytes.toString("hex", MAGIC.length, HEADER_BYTES);
  const current: Held[] = [];
  const past: Past[] = [];
  for (let at = HEADER_BYTES; at < bytes.length;) {
    const status = String.fromCharCode(bytes[at] ?? 0);
    if ("1234".includes(status)) {
      at += Number(status);
      continue;
    }
    if (status !== "a" && status !== "f") throw new CacheFileError(`a block of kind ${status} at ${at}`);
    if (at + 5 > bytes.length) throw new CacheFileError(`a block is cut off at ${at}`);
    const size = bytes.readUInt32BE(at + 1);
    if (size < 5) throw new CacheFileError(`a block of ${size} bytes at ${at}`);
    if (status === "a" && at + size <= bytes.length) {
      const hex = (from: number): string => bytes.toString("hex", at + from, at + from + 8);
      const oid = hex(5);
      const serial = hex(13);
      const end = hex(21);
      const data = bytes.subarray(at + BEFORE_DATA, at + BEFORE_DATA + bytes.readUInt32BE(at + 31));
      if (end === CURRENT) current.push({ oid, serial, checksum: crc32(data) });
      else past.push({ oid, serial, end });
    }
    at += size;
  }
  return { tid, current, past };
}
