import { describe, expect, it } from "vitest";
import { firstArg, lastArg } from "../../src/wire/arguments.ts";
import type { Envelope } from "../../src/wire/codec.ts";
import { MAX_HEAD } from "../../src/wire/codec.ts";
import { ProtocolError } from "../../src/wire/errors.ts";
import { asTid } from "../../src/wire/ids.ts";
import { messageIdOf } from "../../src/wire/message-id.ts";
import { methodNamed } from "../../src/wire/methods.ts";
import type { Value } from "../../src/wire/value.ts";
import { PyTuple } from "../../src/wire/value.ts";
import { DIALECTS, id8, native, oidsTo } from "./codec-vectors.ts";

const STORE = methodNamed("storea");
const TID = asTid(0x040d32f12beed388n);
const TXN = 140006485388752;
const tuple = (...items: Value[]): PyTuple => new PyTuple(items);

const IDS: readonly Value[] = [
  0,
  1,
  255,
  256,
  65535,
  65536,
  -1,
  2 ** 31,
  2 ** 40,
  2n ** 63n - 1n,
  "text",
  "tëxt",
  Buffer.from("bytes"),
  tuple(id8(7), id8(TID)),
  tuple(1, 2),
  tuple("a", 1, null),
  tuple(tuple(id8(1), 2), id8(3)),
  tuple(),
  null,
];

describe.each(DIALECTS)("$dialect", ({ dialect, codec, python2 }) => {
  const peek = (payload: Buffer): Envelope => codec.peek(payload) as Envelope;

  describe("peek", () => {
    it.each(IDS.map((id): [string, Value] => [JSON.stringify(messageIdOf(id)), id]))(
      "reads a message with the id %s",
      (_text, id) => {
        for (const flags of [0, 1, 2]) {
          for (const method of [".reply", "invalidateTransaction", "x".repeat(300)]) {
            const payload = codec.encode(dialect, id, flags, method, tuple(1, "args"));
            const envelope = peek(payload);
            expect(envelope).toMatchObject({ id: messageIdOf(id), flags, method });
            const whole = codec.encode(dialect, id, flags, method, null);
            expect(whole.subarray(0, envelope.argsAt).equals(payload.subarray(0, envelope.argsAt))).toBe(true);
            // Arguments begin there: None is the byte 0x4e in a pickle, 0xc0 in msgpack.
            expect(whole[envelope.argsAt]).toBe(codec.encoding === "pickle" ? 0x4e : 0xc0);
          }
        }
      },
    );

    it("asks for more of a cut head, wherever it is cut, and never misreads it", () => {
      for (const id of IDS) {
        const payload = codec.encode(dialect, id, 0, ".reply", tuple(id8(1), "tail"));
        const envelope = peek(payload);
        for (let cut = 0; cut < payload.length; cut++) {
          const seen = codec.peek(payload.subarray(0, cut));
          if (cut < envelope.argsAt) expect(seen, `cut at ${cut}`).toBeUndefined();
          else if (seen !== undefined) expect(seen).toEqual(envelope);
        }
        expect(codec.peek(payload.subarray(0, envelope.argsAt + 2))).toEqual(envelope);
      }
    });

    it("gives up after the bytes that always suffice", () => {
      const payload = codec.encode(dialect, 1, 0, "x".repeat(2 * MAX_HEAD), null);
      expect(() => codec.peek(payload.subarray(0, MAX_HEAD))).toThrow(ProtocolError);
      expect(() => codec.peek(codec.encode(dialect, Buffer.alloc(MAX_HEAD), 0, "x", null))).toThrow(ProtocolError);
    });

    it("reads from a view that does not begin its buffer", () => {
      const payload = codec.encode(dialect, tuple(id8(7), id8(TID)), 0, ".reply", null);
      const view = Buffer.concat([Buffer.alloc(9, 0xff), payload]).subarray(9);
      expect(codec.peek(view)).toEqual(codec.peek(payload));
    });

    it.each(["", "null", "GET / HTTP/1.1\r\n", "\x16\x03\x01\x02\0\x01"])(
      "refuses %j, or asks for more of it",
      (text) => {
        const bytes = Buffer.from(text, "latin1");
        if (text === "") expect(codec.peek(bytes)).toBeUndefined();
        else expect(() => codec.peek(bytes)).toThrow(ProtocolError);
      },
    );
  });

  describe("stores", () => {
    const data = Buffer.alloc(3000, 0x2e);
    const serials: readonly (readonly [string, Value])[] = [
      ["zero", id8(0)],
      ["set", id8(TID)],
      ["none", null],
    ];
    const calls: readonly (readonly [string, (serial: Value, data: Value) => Value[]])[] = [
      ["storea", (serial, content) => [id8(7), serial, content, TXN]],
      ["storea", (serial, content) => [id8(7), serial, content, native("", python2), TXN]],
      ["storeBlobEnd", (serial, content) => [id8(7), serial, content, TXN]],
      ["storeBlobShared", (serial, content) => [id8(7), serial, content, native("x.tmp", python2), TXN]],
      ["restorea", (serial, content) => [id8(7), serial, content, null, TXN]],
      ["restorea", (serial, content) => [id8(7), serial, content, id8(TID), TXN]],
      ["deleteObject", (serial) => [id8(7), serial, TXN]],
    ];

    it.each(calls.map(([method, args], index) => [`${method} (${index})`, method, args] as const))(
      "reads %s",
      (_name, method, args) => {
        for (const [serial, value] of serials) {
          for (const content of [data, Buffer.alloc(0), Buffer.alloc(255), Buffer.alloc(70_000), null]) {
            for (const txn of [TXN, 5, 2n ** 62n, "own"]) {
              const list = args(value, content);
              list[list.length - 1] = txn;
              const payload = codec.encode(dialect, 0, 1, method, tuple(...list));
              const head = codec.storeHead(payload.subarray(0, MAX_HEAD), peek(payload), methodNamed(method));
              expect(head).toMatchObject({ serial });
              expect(payload.subarray(head?.oidAt, (head?.oidAt ?? 0) + 8)).toEqual(id8(7));
              const tail = payload.subarray(head?.restAt);
              expect(codec.storeTail(tail)).toBe(messageIdOf(txn));
              for (let cut = 0; cut < tail.length; cut++) {
                let seen: unknown;
                try {
                  seen = codec.storeTail(tail.subarray(0, cut));
                } catch (error) {
                  expect(error).toBeInstanceOf(ProtocolError);
                  continue;
                }
                // In msgpack a tail has no end of its own, so one cut between two values looks whole.
                expect(codec.encoding).toBe("msgpack");
                expect(seen).not.toBe(messageIdOf(txn));
              }
            }
          }
        }
      },
    );

    it("asks for more of a cut head, wherever it is cut", () => {
      for (const [, args] of calls) {
        const payload = codec.encode(dialect, 0, 1, "storea", tuple(...args(id8(TID), data)));
        const envelope = peek(payload);
        if (args(null, data).length === 3) continue;
        const whole = codec.storeHead(payload, envelope, STORE);
        let first = -1;
        for (let cut = envelope.argsAt; cut <= MAX_HEAD; cut++) {
          const seen = codec.storeHead(payload.subarray(0, cut), envelope, STORE);
          if (seen === undefined) expect(first).toBe(-1);
          else {
            if (first < 0) first = cut;
            expect(seen).toEqual(whole);
          }
        }
        // The data's own header is enough; its bytes are never looked at.
        expect(first).toBeLessThan(envelope.argsAt + 40);
      }
    });

    it.each<readonly [string, Value[]]>([
      ["an oid of seven bytes", [Buffer.alloc(7), id8(0), data, TXN]],
      ["an oid that is a number", [7, id8(0), data, TXN]],
      ["a serial that is a list", [id8(7), [], data, TXN]],
      ["data that are a number", [id8(7), id8(0), 5, TXN]],
      ["data that are a list", [id8(7), id8(0), [], TXN]],
    ])("refuses %s", (_name, args) => {
      const payload = codec.encode(dialect, 0, 1, "storea", tuple(...args));
      expect(() => codec.storeHead(payload, peek(payload), STORE)).toThrow(ProtocolError);
    });

    it.each<readonly [string, Value]>([
      ["of nine bytes", Buffer.alloc(9)],
      ["that is a number", 5],
      ["that is a text", "\0".repeat(8)],
    ])("takes a serial %s for that of a modified object, as servers do", (_name, serial) => {
      const payload = codec.encode(dialect, 0, 1, "storea", tuple(id8(7), serial, data, TXN));
      const head = codec.storeHead(payload, peek(payload), STORE);
      expect(head?.serial).toBe("set");
      expect(codec.storeTail(payload.subarray(head?.restAt))).toBe(messageIdOf(TXN));
    });

    it.each<readonly [string, Value[]]>([
      ["no arguments", []],
      ["a tail that is a list", [id8(7), id8(0), data, []]],
      ["a tail that is a dictionary", [id8(7), id8(0), data, new Map()]],
    ])("refuses %s", (_name, args) => {
      const payload = codec.encode(dialect, 0, 1, "storea", tuple(...args));
      expect(() => {
        const head = codec.storeHead(payload, peek(payload), STORE);
        const id = codec.storeTail(payload.subarray(head?.restAt));
        // An empty array can be an id in msgpack.
        if (id === messageIdOf([]) && codec.encoding === "msgpack") throw new ProtocolError("bad-store", 0, "", "");
      }).toThrow(ProtocolError);
    });
  });

  describe("firstArg and lastArg", () => {
    it("read the ids of transaction calls", () => {
      for (const id of [TXN, 0, -5, 2n ** 62n, "own", Buffer.from("own"), null]) {
        for (const rest of [[], [1], [native("user", python2), new Map(), null, "x"]]) {
          const payload = codec.encode(dialect, 5, 0, "tpc_begin", tuple(id, ...rest));
          expect(firstArg(codec, payload, peek(payload))).toBe(messageIdOf(id));
          const last = codec.encode(dialect, 5, 0, "undoa", tuple(...rest, id));
          expect(lastArg(codec, last, peek(last))).toBe(messageIdOf(id));
        }
      }
    });

    it("read ids that are tuples", () => {
      const id = tuple(id8(1), id8(2));
      for (const rest of [[], [1], [1, 2, 3]]) {
        const payload = codec.encode(dialect, 5, 0, "vote", tuple(id, ...rest));
        expect(firstArg(codec, payload, peek(payload))).toBe(messageIdOf(id));
      }
    });

    it("refuse a call without arguments", () => {
      const payload = codec.encode(dialect, 5, 0, "vote", tuple());
      expect(() => firstArg(codec, payload, peek(payload))).toThrow(ProtocolError);
      expect(() => lastArg(codec, payload, peek(payload))).toThrow(ProtocolError);
    });

    it("refuse what was cut, wherever", () => {
      const payload = codec.encode(dialect, 5, 0, "undoa", tuple(Buffer.from("BA0y8fzYKJk="), TXN));
      const envelope = peek(payload);
      for (let cut = envelope.argsAt; cut < payload.length; cut++) {
        expect(() => lastArg(codec, payload.subarray(0, cut), envelope), `cut at ${cut}`).toThrow(ProtocolError);
      }
    });
  });

  describe("invalidations", () => {
    it.each([0, 1, 2, 3, 15, 16, 1000, 1001, 3000, 8000])("come back with %i oids as they were written", (count) => {
      for (const shape of ["plain", "pairs"] as const) {
        const oids = oidsTo(count);
        const payload = codec.encodeInvalidation(dialect, shape, TID, oids);
        const envelope = peek(payload);
        expect(envelope).toMatchObject({ id: 0, flags: 1, method: "invalidateTransaction" });
        const read = codec.invalidation(payload, envelope);
        expect(read.tid).toBe(TID);
        expect(read.oids.equals(oids)).toBe(true);
        // Small ones share a piece of memory: how small they are, and how large it is, differs from Node to Node.
        if (payload.byteLength >= Buffer.poolSize / 2) expect(payload.byteLength).toBe(payload.buffer.byteLength);
      }
    });

    it("keep an oid that stands there twice, and the order", () => {
      const oids = Buffer.concat([id8(9), id8(3), id8(9)]);
      const payload = codec.encodeInvalidation(dialect, "plain", TID, oids);
      expect(codec.invalidation(payload, peek(payload)).oids).toEqual(oids);
    });

    it("are read from a tuple of oids too, as a fan-out server sends them", () => {
      for (const count of [0, 1, 2, 3, 4, 40]) {
        const oids = oidsTo(count);
        const items = Array.from({ length: count }, (_, i) => oids.subarray(i * 8, i * 8 + 8));
        const payload = codec.encode(dialect, 0, 1, "invalidateTransaction", tuple(id8(TID), tuple(...items)));
        expect(codec.invalidation(payload, peek(payload))).toEqual({ tid: TID, oids });
      }
    });

    it("are refused where they were cut", () => {
      for (const count of [0, 1, 5]) {
        const payload = codec.encodeInvalidation(dialect, "plain", TID, oidsTo(count));
        const envelope = peek(payload);
        for (let cut = envelope.argsAt; cut < payload.length; cut++) {
          expect(() => codec.invalidation(payload.subarray(0, cut), envelope), `cut at ${cut}`).toThrow(ProtocolError);
        }
        expect(() => codec.invalidation(Buffer.concat([payload, Buffer.from([0x2e])]), envelope)).toThrow(
          ProtocolError,
        );
      }
    });

    it.each<readonly [string, Value]>([
      ["a tid of seven bytes", tuple(Buffer.alloc(7), [])],
      ["no tid", tuple(null, [])],
      ["an oid of nine bytes", tuple(id8(TID), [Buffer.alloc(9)])],
      ["an oid that is a number", tuple(id8(TID), [5, 6])],
      ["a third argument", tuple(id8(TID), [id8(1)], 3)],
      ["oids that are a dictionary", tuple(id8(TID), new Map())],
      ["no oids", tuple(id8(TID))],
      ["None", null],
    ])("are refused with %s", (_name, args) => {
      const payload = codec.encode(dialect, 0, 1, "invalidateTransaction", args);
      expect(() => codec.invalidation(payload, peek(payload))).toThrow(ProtocolError);
    });

    it("refuse to write what is no whole number of oids", () => {
      expect(() => codec.encodeInvalidation(dialect, "plain", TID, Buffer.alloc(9))).toThrow(RangeError);
    });
  });

  describe("getInvalidations replies", () => {
    it("are None, or tid and oids; changed, they keep their id", () => {
      for (const id of [5, 300, tuple(id8(1), id8(2))]) {
        const reply = codec.encode(dialect, id, 0, ".reply", tuple(id8(TID), [id8(1), id8(2)]));
        const envelope = peek(reply);
        expect(codec.invalidationsReply(reply, envelope)).toEqual({ tid: TID, oids: oidsTo(2) });
        const none = codec.encodeInvalidationsReply(reply, envelope, dialect, "plain", undefined);
        expect(none.equals(codec.encode(dialect, id, 0, ".reply", null))).toBe(true);
        expect(codec.invalidationsReply(none, envelope)).toBeUndefined();
        const value = { tid: asTid(TID + 1n), oids: oidsTo(1200) };
        for (const old of [reply, none]) {
          const changed = codec.encodeInvalidationsReply(old, envelope, dialect, "plain", value);
          expect(peek(changed)).toEqual(envelope);
          expect(codec.invalidationsReply(changed, envelope)).toEqual(value);
        }
      }
    });

    it("are refused with another value", () => {
      for (const value of [5, [], tuple(id8(TID)), "text"]) {
        const reply = codec.encode(dialect, 5, 0, ".reply", value);
        expect(() => codec.invalidationsReply(reply, peek(reply))).toThrow(ProtocolError);
      }
    });
  });

  it("tells its own dialect from a reply and from an invalidation", () => {
    const oldServer = dialect === "pickle1" || dialect === "pickle3-zeo4";
    const reply = codec.encode(dialect, 300, 0, ".reply", null);
    expect(codec.dialect(reply, oldServer)).toBe(dialect);
    expect(codec.dialect(codec.encodeInvalidation(dialect, "plain", TID, oidsTo(3)), oldServer)).toBe(dialect);
    expect(codec.dialect(reply.subarray(0, 3), oldServer)).toBeUndefined();
  });

  it("writes integers from 2^32 on as integers, and reads them back", () => {
    for (const value of [2 ** 32, 2 ** 40, 2 ** 53 - 1, 2n ** 53n, 2n ** 63n - 1n, -(2 ** 40), -(2n ** 63n)]) {
      const payload = codec.encode(dialect, 1, 0, ".reply", value);
      expect(codec.args(payload, peek(payload))).toBe(value);
    }
  });
});
