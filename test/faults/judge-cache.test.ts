import { crc32 } from "node:zlib";
import { describe, expect, it } from "vitest";
import { CacheFileError, readCacheFile } from "./cache-file.ts";
import { History } from "./history.ts";
import { judgeCache, judgeObjects, type Contents } from "./judge-cache.ts";

const tid = (n: number): string => `04000000000000${n.toString(16).padStart(2, "0")}`;
const oid = (n: number): string => n.toString(16).padStart(16, "0");

/** Object 1 changes at 1, 3 and 5; object 2 is created at 2 and deleted at 4. */
const HISTORY = new History([
  { tid: tid(1), mark: "", records: [[oid(1), 11]] },
  { tid: tid(2), mark: "", records: [[oid(2), 22]] },
  { tid: tid(3), mark: "", records: [[oid(1), 13]] },
  { tid: tid(4), mark: "", records: [[oid(2), null]] },
  { tid: tid(5), mark: "", records: [[oid(1), 15]] },
]);

function found(contents: Partial<Contents>, resumedAt?: ReadonlySet<string>): string[] {
  const whole = { tid: tid(4), current: [], past: [], ...contents };
  return judgeCache("it", whole, HISTORY, resumedAt).findings.map(({ kind, detail }) => `${kind}: ${detail}`);
}

const has = (serial: number, checksum: number, object = 1): Contents["current"] => [
  { oid: oid(object), serial: tid(serial), checksum },
];

describe("judging a cache", () => {
  it("finds nothing in what is current at its tid", () => {
    expect(found({ current: has(3, 13) })).toEqual([]);
    expect(found({ tid: tid(2), current: [...has(1, 11), ...has(2, 22, 2)] })).toEqual([]);
  });

  it("finds a stale object", () => {
    expect(found({ current: has(1, 11) })).toEqual([expect.stringContaining(`the file has that of ${tid(3)}`)]);
  });

  it("finds an object that is deleted", () => {
    expect(found({ current: has(2, 22, 2) })).toEqual([expect.stringContaining(`the file has that of ${tid(4)}`)]);
    expect(found({ current: has(4, 0, 2) })).toEqual([expect.stringContaining("it is deleted there")]);
  });

  it("finds other data, and a revision that nobody has committed", () => {
    expect(found({ current: has(3, 99) })).toEqual([expect.stringContaining("its data are others")]);
    expect(found({ current: has(2, 12) })).toEqual([expect.stringContaining("nobody has committed that")]);
  });

  it("takes what is newer than its tid: whoever opens it hears of that", () => {
    const judged = judgeCache("it", { tid: tid(4), current: has(5, 15), past: [] }, HISTORY);
    expect(judged).toEqual({ findings: [], kept: { objects: 1, ahead: 1 } });
  });

  it("finds a past revision that is kept for too long, but for ZEO 4's verifications", () => {
    const past = (end: number): Contents["past"] => [{ oid: oid(1), serial: tid(1), end: tid(end) }];
    expect(found({ past: past(3) })).toEqual([]);
    expect(found({ past: past(4) })).toEqual([expect.stringContaining(`misplaced: ${oid(1)} of ${tid(1)}`)]);
    expect(found({ past: past(4) }, new Set([tid(4)]))).toEqual([]);
  });

  it("finds a stale object in an application's memory", () => {
    expect(judgeObjects("it", [[oid(1), tid(5)]], HISTORY)).toEqual([]);
    expect(judgeObjects("it", [[oid(1), tid(3)]], HISTORY)).toMatchObject([{ kind: "stale" }]);
  });
});

function block(object: number, serial: number, end: string, data: string): Buffer {
  const head = Buffer.alloc(35);
  head.write("a");
  head.writeUInt32BE(43 + data.length, 1);
  head.write(oid(object) + tid(serial) + end, 5, "hex");
  head.writeUInt32BE(data.length, 31);
  return Buffer.concat([head, Buffer.from(data), Buffer.from(oid(object), "hex")]);
}

describe("reading a cache file", () => {
  const NOW = "0".repeat(16);
  const free = Buffer.from("f000000ff", "latin1");
  free.writeUInt32BE(9, 1);
  const file = (...blocks: Buffer[]): Buffer =>
    Buffer.concat([Buffer.from("ZEC3"), Buffer.from(tid(4), "hex"), ...blocks]);

  it("has what is current and what is past", () => {
    const contents = readCacheFile(
      file(block(1, 3, NOW, "new"), Buffer.from("3xx"), free, block(1, 1, tid(3), "old"), Buffer.from("1")),
    );
    expect(contents).toEqual({
      tid: tid(4),
      current: [{ oid: oid(1), serial: tid(3), checksum: crc32("new") }],
      past: [{ oid: oid(1), serial: tid(1), end: tid(3) }],
    });
  });

  it("refuses what a client would throw away", () => {
    expect(() => readCacheFile(Buffer.from("nothing of the kind"))).toThrow(CacheFileError);
    expect(() => readCacheFile(file(Buffer.from("what")))).toThrow(CacheFileError);
    expect(() => readCacheFile(file(Buffer.from("f\0")))).toThrow(CacheFileError);
  });
});
