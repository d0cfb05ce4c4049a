import { describe, expect, it } from "vitest";
import { codecFor } from "../../src/wire/codecs.ts";
import { asTid, tidBytes } from "../../src/wire/ids.ts";
import { largeReply, newestIn } from "../../src/wire/large-reply.ts";
import { methodNamed, METHODS, UNKNOWN } from "../../src/wire/methods.ts";
import { PyTuple, type Value } from "../../src/wire/value.ts";

describe("a large reply", () => {
  it("of a load shows in its last bytes what it shows", () => {
    const names = METHODS.filter((method) => largeReply(method) === "ending").map(({ name }) => name);
    expect(names).toEqual(["load", "loadEx", "loadBefore"]);
  });

  it("of data alone shows nothing, and one that nobody knows may show anything anywhere", () => {
    expect(largeReply(methodNamed("loadSerial"))).toBe("nothing");
    expect(largeReply(methodNamed("sendBlob"))).toBe("nothing");
    expect(largeReply(methodNamed("undoInfo"))).toBe("anywhere");
    // Its tid stands before the data.
    expect(largeReply(methodNamed("iterator_record_next"))).toBe("anywhere");
    expect(largeReply(UNKNOWN)).toBe("anywhere");
  });
});

const eight = (n: number): Buffer => tidBytes(asTid(BigInt(n)));
const SERIAL = 0x03e8_0000_0000_1111n;
const END = 0x03e8_0000_0000_2222n;

describe.each(["pickle1", "pickle3", "pickle3-zeo4", "msgpack"] as const)("the last bytes of a load, %s", (dialect) => {
  const codec = codecFor(dialect === "msgpack" ? "msgpack" : "pickle");
  const ending = (...items: Value[]): Buffer => {
    // Data ends like a record's, with a reference to an object.
    const data = Buffer.concat([Buffer.alloc(5000, 1), Buffer.from("5508", "hex"), eight(77)]);
    return codec.encode(dialect, 5, 0, ".reply", new PyTuple([data, ...items])).subarray(-128);
  };

  it.each([
    ["a serial", [tidBytes(asTid(SERIAL))], SERIAL],
    ["a serial and no end", [tidBytes(asTid(SERIAL)), null], SERIAL],
    ["a serial and an end", [tidBytes(asTid(SERIAL)), tidBytes(asTid(END))], END],
    ["a serial twice", [tidBytes(asTid(SERIAL)), tidBytes(asTid(SERIAL))], SERIAL],
    ["a serial and a version", [tidBytes(asTid(SERIAL)), ""], SERIAL],
  ] satisfies [string, Value[], bigint][])("%s", (_, items, newest) => {
    expect(newestIn(ending(...items))).toBe(newest);
  });
});
