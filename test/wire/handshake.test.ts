import { describe, expect, it } from "vitest";
import { MAX_HANDSHAKE_BYTES, protocolNamed, RUOK, TLS_RECORD } from "../../src/wire/handshake.ts";

const named = (name: string) => protocolNamed(Buffer.from(name, "latin1"));

describe("a protocol's name", () => {
  it.each(["Z303", "Z308", "Z309", "Z310", "Z3101", "Z4"])("%s is an old server's, in pickles", (name) => {
    expect(named(name)).toMatchObject({ name, family: "old", encoding: "pickle" });
  });

  it("Z5 is a new server's, in pickles, and M5 in msgpack", () => {
    expect(named("Z5")).toEqual({ name: "Z5", family: "new", encoding: "pickle", versions: false });
    expect(named("M5")).toEqual({ name: "M5", family: "new", encoding: "msgpack", versions: false });
  });

  it("tells whether invalidations carry pairs and stores a version: up to Z308", () => {
    const versions = ["Z303", "Z308", "Z309", "Z310", "Z3101", "Z4", "Z5", "M5"].map((name) => named(name)?.versions);
    expect(versions).toEqual([true, true, false, false, false, false, false, false]);
  });

  it.each(["", "Z", "Z6", "M4", "z5", "Z5 ", "Z5\0", " Z5", RUOK, "constructor", "__proto__"])(
    "%j is unknown",
    (name) => {
      expect(named(name)).toBeUndefined();
    },
  );

  it("is short, and does not look like TLS", () => {
    for (const name of ["Z3101", RUOK]) expect(name.length).toBeLessThan(MAX_HANDSHAKE_BYTES);
    // The first byte of the length of such a frame is 0.
    expect(TLS_RECORD).not.toBe(0);
  });
});
