import { describe, expect, it } from "vitest";
import { codecFor } from "../../src/wire/codecs.ts";
import { newestIn } from "../../src/wire/ending.ts";
import { Horizon } from "../../src/wire/horizon.ts";
import { asTid, NO_TID, tidBytes } from "../../src/wire/ids.ts";
import { PyTuple, type Value } from "../../src/wire/value.ts";

const SERIAL = 0x03e8_0000_0000_1111n;
const END = 0x03e8_0000_0000_2222n;

describe.each(["pickle1", "pickle3", "pickle3-zeo4", "msgpack", "msgpack-py2"] as const)(
  "the last bytes of a load, %s",
  (dialect) => {
    const codec = codecFor(dialect.startsWith("msgpack") ? "msgpack" : "pickle");
    const load = (bytes: number, items: Value[]): Buffer => {
      // Data ends like a record's, with a reference to an object.
      const data = Buffer.concat([Buffer.alloc(bytes, 1), Buffer.from("5508", "hex"), tidBytes(asTid(77n))]);
      return codec.encode(dialect, 5, 0, ".reply", new PyTuple([data, ...items]));
    };
    const isAbove = (tid: bigint, reply: Buffer): boolean => {
      const horizon = new Horizon();
      horizon.set(asTid(tid));
      const around = Buffer.concat([Buffer.alloc(9, 0xff), reply, Buffer.alloc(9, 0xff)]);
      return horizon.isBelowAny(around, 9, 9 + reply.length);
    };

    it.each([
      ["a serial", [tidBytes(asTid(SERIAL))], SERIAL],
      ["a serial and no end", [tidBytes(asTid(SERIAL)), null], SERIAL],
      ["a serial and an end", [tidBytes(asTid(SERIAL)), tidBytes(asTid(END))], END],
      ["a serial twice", [tidBytes(asTid(SERIAL)), tidBytes(asTid(SERIAL))], SERIAL],
      ["a serial and a version", [tidBytes(asTid(SERIAL)), ""], SERIAL],
    ] satisfies [string, Value[], bigint][])("%s", (_, items, newest) => {
      for (const bytes of [0, 20, 5000]) {
        const reply = load(bytes, items);
        expect(newestIn(reply.subarray(-128))).toBe(newest);
        expect([isAbove(newest, reply), isAbove(newest - 1n, reply)]).toEqual([false, true]);
      }
    });
  },
);

it("too few bytes show no tid", () => {
  expect(newestIn(Buffer.alloc(0))).toBe(NO_TID);
  expect(newestIn(Buffer.concat([Buffer.from("4308", "hex"), tidBytes(asTid(SERIAL))]).subarray(0, 9))).toBe(NO_TID);
});
