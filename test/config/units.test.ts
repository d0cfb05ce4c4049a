import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { formatDuration, formatSize, parseDuration, parseSize } from "../../src/config/units.ts";

describe("a size", () => {
  test.each([
    ["0B", 0],
    ["1B", 1],
    ["64KiB", 65_536],
    ["64MiB", 67_108_864],
    ["2GiB", 2_147_483_648],
    ["8191TiB", 8191 * 1024 ** 4],
  ])("%s is %d bytes", (text, bytes) => expect(parseSize(text)).toBe(bytes));

  test.each([
    "",
    "64",
    "MiB",
    "64M",
    "64MB",
    "64mib",
    "1.5GiB",
    "-1MiB",
    "+1MiB",
    " 64MiB",
    "64MiB ",
    "64 MiB",
    "64MiBs",
    "64MiB64MiB",
    "0x10B",
    "1e3B",
    "8192TiB",
    "99999999999999999B",
    "64MiB\n",
    "64constructor",
    "64toString",
  ])("%j is none", (text) => expect(parseSize(text)).toBeUndefined());

  it("reads what it writes", () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (bytes) => {
        expect(parseSize(formatSize(bytes))).toBe(bytes);
      }),
    );
  });

  it("is written in the largest unit that keeps it whole", () => {
    expect([0, 1023, 1024, 1536, 2 ** 31].map(formatSize)).toEqual(["0B", "1023B", "1KiB", "1536B", "2GiB"]);
  });
});

describe("a time", () => {
  test.each([
    ["0s", 0],
    ["250ms", 250],
    ["30s", 30_000],
    ["2m", 120_000],
    ["1h30m", 5_400_000],
    ["1h2m3s4ms", 3_723_004],
  ])("%s is %d milliseconds", (text, ms) => expect(parseDuration(text)).toBe(ms));

  test.each([
    "",
    "30",
    "s",
    "30sec",
    "30S",
    "30m1h",
    "1h1h",
    " 30s",
    "30s ",
    "30 s",
    "1.5s",
    "-1s",
    "abc 5s",
    "5s\n",
    "1d",
    "1234567890s",
  ])("%j is none", (text) => expect(parseDuration(text)).toBeUndefined());

  it("reads what it writes", () => {
    fc.assert(
      fc.property(fc.nat({ max: 999_999_999 }), (ms) => {
        expect(parseDuration(formatDuration(ms))).toBe(ms);
      }),
    );
  });
});
