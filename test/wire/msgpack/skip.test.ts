import { describe, expect, it } from "vitest";
import { ProtocolError } from "../../../src/wire/errors.ts";
import { skipMsgpack } from "../../../src/wire/msgpack/skip.ts";
import { TokenCursor } from "../../../src/wire/msgpack/tokens.ts";
import { Work } from "../../../src/wire/work.ts";

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(" ", ""), "hex");

const VALUES: readonly string[] = [
  "c0",
  "90",
  "80",
  "91 c0",
  "93 01 02 03",
  "82 01 02 03 04",
  "81 93 01 02 03 81 01 90",
  "c4 03 616263",
  "93 c4 01 61 a1 62 92 81 c0 c0 cb 3ff8000000000000",
  "dc 0002 c0 dd 00000001 de 0001 01 02",
  "d4 01 61",
];

function end(bytes: Buffer, at = 0, work = new Work("bad-msgpack", 1_000_000)): number {
  const cursor = new TokenCursor(bytes, at);
  skipMsgpack(cursor, 1, work);
  return cursor.at;
}

describe("skipMsgpack", () => {
  it.each(VALUES)("finds the end of %s", (text) => {
    const bytes = hex(text);
    expect(end(bytes)).toBe(bytes.length);
    expect(end(Buffer.concat([hex("ff"), bytes, bytes]), 1)).toBe(1 + bytes.length);
  });

  it.each(VALUES)("refuses %s, wherever it is cut", (text) => {
    const bytes = hex(text);
    for (let cut = 0; cut < bytes.length; cut++) {
      expect(() => end(bytes.subarray(0, cut)), `cut at ${cut}`).toThrow(ProtocolError);
    }
  });

  it("goes over any number of levels, and counts none of them twice", () => {
    const levels = 500_000;
    const work = new Work("bad-msgpack", levels + 1);
    expect(end(Buffer.concat([Buffer.alloc(levels, 0x91), hex("c0")]), 0, work)).toBe(levels + 1);
    expect(work.steps).toBe(levels + 1);
    const less = new Work("bad-msgpack", levels - 1000);
    expect(() => end(Buffer.concat([Buffer.alloc(levels, 0x91), hex("c0")]), 0, less)).toThrow(/steps/);
  });

  it("refuses counts that the bytes can't hold", () => {
    expect(() => end(hex("dd ffffffff c0"))).toThrow(ProtocolError);
    expect(() => end(hex("82 01 02 03"))).toThrow(ProtocolError);
  });
});
