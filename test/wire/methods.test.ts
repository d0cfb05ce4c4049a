import { describe, expect, it } from "vitest";
import type { Envelope } from "../../src/wire/codec.ts";
import { NO_TID } from "../../src/wire/ids.ts";
import type { MethodSort, Place } from "../../src/wire/methods.ts";
import { INVALIDATE, methodAt, methodNamed, METHODS, REPLY, SERIALNOS, UNKNOWN } from "../../src/wire/methods.ts";
import { shownBy } from "../../src/wire/tids.ts";
import { CAPTURES, readCapture } from "./captured.ts";

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
    ["ping", "other"],
    ["storeBlobChunk", "other"],
  ] as const)("%s is a %s", (name, sort) => {
    expect(methodNamed(name)).toMatchObject({ name, sort });
  });

  it.each([
    ...["", "Vote", "vote ", "toString", "__proto__", "constructor", REPLY, INVALIDATE, SERIALNOS],
    // No server has them, or all refuse them.
    ...["undo", "tpc_vote", "restoreBlob", "storeBlob", "loadBulk", "ruok"],
  ])("%j is unknown, and its reply is searched for tids", (name) => {
    expect(methodNamed(name)).toBe(UNKNOWN);
    expect(UNKNOWN).toMatchObject({ sort: "other", place: "anywhere" });
  });

  it("is found by its number, which is small and its own", () => {
    METHODS.forEach((method, index) => {
      expect(method.index).toBe(index);
      expect(methodAt(index)).toBe(method);
    });
    expect(METHODS.length).toBeLessThanOrEqual(256);
    for (const index of [-1, METHODS.length, 255, 1000]) expect(methodAt(index)).toBe(UNKNOWN);
  });
});

describe("the table of methods", () => {
  it("has each name once", () => {
    expect(new Set(METHODS.map(({ name }) => name)).size).toBe(METHODS.length);
    for (const method of METHODS) expect(methodNamed(method.name)).toBe(method);
  });

  it("has the tids of a reply that the ledger reads where its reader looks for them", () => {
    const places: Readonly<Record<Exclude<MethodSort, "other">, Place>> = {
      // `replyTid`
      register: "value",
      last: "value",
      finish: "value",
      // `Codec.invalidationsReply`
      resume: [0],
      // `loadReply`
      read: [1, 2],
      // `voteOutcome`
      vote: "vote",
      // Nobody reads them, but a refused store can name the serial that it conflicts with.
      begin: "exception",
      store: "exception",
      restore: "exception",
      delete: "exception",
      undo: "exception",
      abort: "exception",
    };
    const found = new Set<MethodSort>();
    for (const { name, sort, place } of METHODS) {
      if (sort === "other") continue;
      expect(place, name).toEqual(places[sort]);
      found.add(sort);
    }
    expect([...found].sort()).toEqual(Object.keys(places).sort());
  });

  it("knows every method that a recorded client calls", () => {
    const called = new Set<string>();
    for (const file of CAPTURES) {
      for (const { codec, dir, payload } of readCapture(file)) {
        const method = dir === "c>s" ? codec?.peek(payload)?.method : undefined;
        if (method !== undefined && method !== REPLY) called.add(method);
      }
    }
    // A call that was made to fail.
    expect([...called].filter((name) => methodNamed(name) === UNKNOWN)).toEqual(["nosuch"]);
    expect(called.size).toBeGreaterThan(30);
  });

  it("says of which replies nothing is read, not even whether they are exceptions", () => {
    const envelope: Envelope = { id: 1, flags: 2, method: REPLY, argsAt: 0 };
    const looked: string[] = [];
    const look = (what: string) => (): never => {
      looked.push(what);
      throw new Error(what);
    };
    const reader = {
      flat: look("flat"),
      isException: look("isException"),
      isPlainList: look("isPlainList"),
      value: look("value"),
      largest: look("largest"),
    };
    for (const method of METHODS) {
      const show = () => shownBy(reader, Buffer.alloc(0), envelope, method);
      if (method.place === "nothing") expect(show(), method.name).toEqual({ tid: NO_TID, exact: true });
      else expect(show, method.name).toThrow(method.place === "anywhere" ? "largest" : "isException");
    }
    expect(new Set(looked)).toEqual(new Set(["largest", "isException"]));
    expect(METHODS.filter(({ place }) => place === "nothing").map(({ name }) => name)).toContain("new_oids");
  });
});
