import { describe, expect, it } from "vitest";
import { INVALIDATE, methodAt, methodNamed, REPLY, SERIALNOS, UNKNOWN } from "../../src/wire/methods.ts";

describe("a method", () => {
  it.each([
    ["register", "register"],
    ["tpc_begin", "begin"],
    ["storea", "store"],
    ["storeBlobEnd", "store"],
    ["storeBlobShared", "store"],
    ["restorea", "restore"],
    ["deleteObject", "delete"],
    ["undoa", "undo"],
    ["vote", "vote"],
    ["tpc_finish", "finish"],
    ["tpc_abort", "abort"],
    ["getInvalidations", "resume"],
    ["lastTransaction", "last"],
    ["loadBefore", "read"],
    ["loadEx", "read"],
    ["ping", "plain"],
    ["storeBlobChunk", "plain"],
    ["new_oids", "plain"],
  ] as const)("%s is a %s", (name, sort) => {
    expect(methodNamed(name)).toMatchObject({ name, sort });
  });

  it.each(["", "Vote", "vote ", "toString", "__proto__", "constructor", REPLY, INVALIDATE, SERIALNOS])(
    "%j is unknown, and its reply is searched for tids",
    (name) => {
      expect(methodNamed(name)).toBe(UNKNOWN);
      expect(UNKNOWN.sort).toBe("read");
    },
  );

  it("is found by its number, which is small and its own", () => {
    const names = ["register", "tpc_begin", "storea", "vote", "loadBefore", "auth_response", "get_size_info"];
    const indexes = names.map((name) => methodNamed(name).index);
    expect(new Set(indexes).size).toBe(names.length);
    for (const index of indexes) {
      expect(index).toBeGreaterThan(0);
      expect(index).toBeLessThan(256);
    }
    expect(indexes.map((index) => methodAt(index).name)).toEqual(names);
    for (const index of [0, -1, 255, 1000]) expect(methodAt(index)).toBe(UNKNOWN);
  });
});
