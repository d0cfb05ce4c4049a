import type { Codec, Dialect } from "../../src/wire/codec.ts";
import { msgpackCodec } from "../../src/wire/msgpack-codec.ts";
import { pickleCodec } from "../../src/wire/pickle-codec.ts";
import type { Value } from "../../src/wire/value.ts";

/** All dialects with their codec, for tests that hold for each. */
export const DIALECTS: readonly { readonly dialect: Dialect; readonly codec: Codec; readonly python2: boolean }[] = [
  { dialect: "pickle1", codec: pickleCodec, python2: true },
  { dialect: "pickle1-zeo5", codec: pickleCodec, python2: true },
  { dialect: "pickle3-py2", codec: pickleCodec, python2: true },
  { dialect: "pickle3-zeo4", codec: pickleCodec, python2: false },
  { dialect: "pickle3", codec: pickleCodec, python2: false },
  { dialect: "msgpack", codec: msgpackCodec, python2: false },
  { dialect: "msgpack-py2", codec: msgpackCodec, python2: true },
];

/** A name as the native `str` of a peer. */
export function native(text: string, python2: boolean): Value {
  return python2 ? Buffer.from(text, "utf8") : text;
}

/** Eight bytes. */
export function id8(value: bigint | number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
}

/** Packed oids 1 to `count`. */
export function oidsTo(count: number): Buffer {
  const oids = Buffer.alloc(count * 8);
  for (let i = 0; i < count; i++) oids.writeBigUInt64BE(BigInt(i + 1), i * 8);
  return oids;
}
