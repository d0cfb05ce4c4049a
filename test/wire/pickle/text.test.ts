import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ProtocolError } from "../../../src/wire/errors.ts";
import { quotedString, rawUnicode, textFloat } from "../../../src/wire/pickle/text.ts";
import { latin } from "../raw.ts";

describe("quotedString", () => {
  // What Python 2.7's ast.literal_eval makes of them.
  it.each([
    ["'abc'", "abc"],
    ['"a\'c"', "a'c"],
    ["''", ""],
    ["'\\x41\\x4a\\x4A'", "AJJ"],
    ["'\\x4g'", "\\x4g"],
    ["'\\101\\7\\0012\\8'", "A\x07\x012\\8"],
    ["'\\777'", "\xff"],
    ["'\\\\\\'\\\"'", "\\'\""],
    ["'\\a\\b\\f\\n\\r\\t\\v\\q'", "\x07\b\f\n\r\t\v\\q"],
    ["'\xe9\\xe9'", "\xe9\xe9"],
  ])("reads %s", (line, text) => {
    expect(quotedString(latin(line), 0).toString("latin1")).toBe(text);
  });

  it.each(["abc", "'", "'abc", "abc'", "'abc\"", ""])("refuses %s", (line) => {
    expect(() => quotedString(latin(line), 0)).toThrow(ProtocolError);
  });

  it("reads whatever bytes are escaped as Python 2 does", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 50 }), (bytes) => {
        const line = [...bytes]
          .map((byte) =>
            byte === 0x27 || byte === 0x5c
              ? `\\${String.fromCharCode(byte)}`
              : byte < 0x20 || byte > 0x7e
                ? `\\x${byte.toString(16).padStart(2, "0")}`
                : String.fromCharCode(byte),
          )
          .join("");
        expect(quotedString(latin(`'${line}'`), 0)).toEqual(Buffer.from(bytes));
      }),
    );
  });
});

describe("rawUnicode", () => {
  it.each([
    ["abc", "abc"],
    ["", ""],
    ["\\u00e9\\U0001F600", "\u00e9\u{1f600}"],
    ["\xe9", "\xe9"],
    ["\\u12", "\\u12"],
    ["\\x41\\\\", "\\x41\\\\"],
    ["a\\u0062c\\u0064", "abcd"],
    ["\\u00zz\\u0041", "\\u00zzA"],
  ])("reads %s", (line, text) => {
    expect(rawUnicode(latin(line), 0)).toBe(text);
  });

  it("refuses a character above the last one", () => {
    expect(() => rawUnicode(latin("\\U00110000"), 0)).toThrow(ProtocolError);
  });
});

describe("textFloat", () => {
  it.each([
    ["1", 1],
    ["-1.5", -1.5],
    ["+.5", 0.5],
    ["5.", 5],
    ["1e3", 1000],
    [" 2.5E-1 ", 0.25],
    ["-inf", Number.NEGATIVE_INFINITY],
    ["Infinity", Number.POSITIVE_INFINITY],
    ["nan", Number.NaN],
  ])("reads %s", (line, value) => {
    expect(textFloat(line, 0)).toBe(value);
  });

  it.each(["", ".", "1.5.", "e3", "0x10", "1 2"])("refuses %s", (line) => {
    expect(() => textFloat(line, 0)).toThrow(ProtocolError);
  });

  it("refuses a long line of digits that is no number in one pass", () => {
    // Quadratic time would be hours.
    expect(() => textFloat(`${"1".repeat(5_000_000)}x`, 0)).toThrow(ProtocolError);
  });
});
