import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { escapeText, escapeTexts } from "../../src/log/text.ts";

describe("escapeText", () => {
  test.each([
    ["plain text, ä and 漢 and 😀", "plain text, ä and 漢 and 😀"],
    ["a\nb\r\tc", "a\\x0ab\\x0d\\x09c"],
    ["\u001b[31mred", "\\x1b[31mred"],
    ["\u007f\u0085\u009b", "\\x7f\\x85\\x9b"],
    ["\u2028\u2029", "\\u{2028}\\u{2029}"],
    ["abc\u202edef\u2066\u200b\ufeff", "abc\\u{202e}def\\u{2066}\\u{200b}\\u{feff}"],
    ["\ud800", "\\u{d800}"],
    ["\u{e0041}", "\\u{e0041}"],
    ["back\\slash", "back\\slash"],
  ])("writes %j as %j", (text, escaped) => expect(escapeText(text)).toBe(escaped));

  it("cuts what is long", () => {
    expect(escapeText("x".repeat(500))).toHaveLength(500);
    expect(escapeText("x".repeat(1_000_000))).toBe(`${"x".repeat(500)}...`);
  });

  it("leaves nothing that a terminal obeys, whatever the text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(escapeText(text)).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
      }),
    );
  });
});

describe("escapeTexts", () => {
  it("reaches lists, maps and keys, and leaves other values alone", () => {
    const error = new Error("\n");
    const value = { "a\n": ["\n", { b: "\n" }], number: 5, nothing: null, error, big: 5n };
    expect(escapeTexts(value)).toEqual({
      "a\\x0a": ["\\x0a", { b: "\\x0a" }],
      number: 5,
      nothing: null,
      error,
      big: 5n,
    });
  });

  it("copies nothing where there is nothing to escape", () => {
    const value = { a: ["b", { c: "d" }], number: 5, nothing: undefined };
    expect(escapeTexts(value)).toBe(value);
  });

  it.each([
    [{ a: { b: ["c", "\n"] } }, { a: { b: ["c", "\\x0a"] } }],
    [{ a: { b: { "\n": 1 } } }, { a: { b: { "\\x0a": 1 } } }],
    [{ a: ["x".repeat(501)] }, { a: [`${"x".repeat(500)}...`] }],
    [[[[[[1]]]]], [[[["..."]]]]],
    [[[[{ a: {} }]]], [[[{ a: "..." }]]]],
    ["\n", "\\x0a"],
  ])("finds the one place in %j", (value, escaped) => {
    const before = structuredClone(value);
    expect(escapeTexts(value)).toEqual(escaped);
    expect(value).toEqual(before);
  });

  it("ends where values nest deep or for ever", () => {
    const ring: unknown[] = [];
    ring.push(ring);
    expect(JSON.stringify(escapeTexts(ring))).toBe('[[[["..."]]]]');
  });
});
