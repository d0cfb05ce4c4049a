import type { Codec, Dialect } from "../wire/codec.ts";
import type { Value } from "../wire/value.ts";

/** ZEO 4 and ZODB3 with threads and zrpc, or ZEO 5 and later with asyncio. */
export type Family = "old" | "new";

/** How one client is talked to. */
export interface Style {
  readonly codec: Codec;
  readonly dialect: Dialect;
  readonly family: Family;
  /** The answer of the handshake: `Z308`, `Z4`, `Z5`, `M5`, ... */
  readonly protocol: string;
}

export function isPython2({ dialect }: Style): boolean {
  return dialect === "pickle1" || dialect === "pickle1-zeo5" || dialect === "pickle3-py2" || dialect === "msgpack-py2";
}

/** Text of the program itself (dictionary keys, class names): Python 2 has it as bytes. */
export function nativeText(style: Style, text: string): Value {
  return isPython2(style) ? Buffer.from(text, "utf8") : text;
}

/** Z308 and older: a version argument, and invalidations of pairs. The names compare as text, as ZEO does it. */
export function hasVersions({ protocol }: Style): boolean {
  return protocol.startsWith("Z") && protocol < "Z309";
}

/** A dictionary with native keys. */
export function nativeDict(style: Style, entries: Record<string, Value>): Value {
  return new Map(Object.entries(entries).map(([key, value]) => [nativeText(style, key), value]));
}
