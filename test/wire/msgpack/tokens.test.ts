import { describe, expect, it } from "vitest";
import { ProtocolError } from "../../../src/wire/errors.ts";
import * as token from "../../../src/wire/msgpack/tokens.ts";
import { TokenCursor } from "../../../src/wire/msgpack/tokens.ts";

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(" ", ""), "hex");

/** From the msgpack specification: the bytes, the kind, and the number or length. */
const VECTORS: readonly (readonly [string, number, number | bigint])[] = [
  ["c0", token.NIL, 0],
  ["c2", token.BOOLEAN, 0],
  ["c3", token.BOOLEAN, 1],
  ["00", token.INTEGER, 0],
  ["7f", token.INTEGER, 127],
  ["ff", token.INTEGER, -1],
  ["e0", token.INTEGER, -32],
  ["cc ff", token.INTEGER, 255],
  ["cd ffff", token.INTEGER, 65535],
  ["ce ffffffff", token.INTEGER, 4294967295],
  ["cf 00007f6270087fd0", token.INTEGER, 0x7f6270087fd0],
  ["cf ffffffffffffffff", token.INTEGER, 18446744073709551615n],
  ["d0 80", token.INTEGER, -128],
  ["d1 8000", token.INTEGER, -32768],
  ["d2 80000000", token.INTEGER, -2147483648],
  ["d3 8000000000000000", token.INTEGER, -9223372036854775808n],
  ["d3 ffffffffffffffff", token.INTEGER, -1],
  ["ca 3fc00000", token.FLOAT, 1.5],
  ["cb 3ff8000000000000", token.FLOAT, 1.5],
  ["a3 616263", token.TEXT, 3],
  ["d9 03 616263", token.TEXT, 3],
  ["da 0003 616263", token.TEXT, 3],
  ["db 00000003 616263", token.TEXT, 3],
  ["c4 03 616263", token.BYTES, 3],
  ["c5 0003 616263", token.BYTES, 3],
  ["c6 00000003 616263", token.BYTES, 3],
  ["d4 01 61", token.EXTENSION, 1],
  ["d5 01 6161", token.EXTENSION, 2],
  ["d6 01 61616161", token.EXTENSION, 4],
  [`d7 01 ${"61".repeat(8)}`, token.EXTENSION, 8],
  [`d8 01 ${"61".repeat(16)}`, token.EXTENSION, 16],
  ["c7 03 01 616263", token.EXTENSION, 3],
  ["c8 0003 01 616263", token.EXTENSION, 3],
  ["c9 00000003 01 616263", token.EXTENSION, 3],
  ["93", token.ARRAY, 3],
  ["dc 0003", token.ARRAY, 3],
  ["dd 00000003", token.ARRAY, 3],
  ["82", token.MAP, 2],
  ["de 0002", token.MAP, 2],
  ["df 00000002", token.MAP, 2],
];

describe("TokenCursor", () => {
  it.each(VECTORS)("reads %s", (text, kind, value) => {
    const bytes = hex(text);
    const cursor = new TokenCursor(Buffer.concat([hex("c0"), bytes, hex("c3")]), 1);
    expect(cursor.next()).toBe(kind);
    expect(cursor.at).toBe(1 + bytes.length);
    if (kind === token.BOOLEAN || kind === token.INTEGER || kind === token.FLOAT) expect(cursor.int).toBe(value);
    else if (kind !== token.NIL) expect(cursor.length).toBe(value);
    if (kind === token.TEXT || kind === token.BYTES || kind === token.EXTENSION) {
      expect(cursor.isWhole()).toBe(true);
      expect(cursor.start + cursor.length).toBe(cursor.at);
    }
    expect(cursor.next()).toBe(token.BOOLEAN);
  });

  it.each(VECTORS)("asks for more of %s, wherever it is cut", (text, kind) => {
    const bytes = hex(text);
    for (let cut = 0; cut < bytes.length; cut++) {
      const cursor = new TokenCursor(bytes.subarray(0, cut), 0);
      const found = cursor.next();
      if (found !== token.SHORT) {
        expect(found).toBe(kind);
        expect(cursor.isWhole()).toBe(false);
      }
    }
  });

  it("refuses the one byte that means nothing", () => {
    expect(() => new TokenCursor(hex("c1"), 0).next()).toThrow(ProtocolError);
  });
});
