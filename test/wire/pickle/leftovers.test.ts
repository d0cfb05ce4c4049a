import { describe, expect, it } from "vitest";
import type { Envelope } from "../../../src/wire/codec.ts";
import { asTid } from "../../../src/wire/ids.ts";
import { pickleCodec } from "../../../src/wire/pickle-codec.ts";
import { replyTid } from "../../../src/wire/replies.ts";
import type { Value } from "../../../src/wire/value.ts";
import { PyTuple } from "../../../src/wire/value.ts";
import { voteOutcome } from "../../../src/wire/vote.ts";
import { CAPTURES, readCapture } from "../captured.ts";
import { id8, oidsTo } from "../codec-vectors.ts";

const TID = asTid(0x040d32f12beed388n);
const DIALECT = "pickle1-zeo5";
const tuple = (...items: Value[]): PyTuple => new PyTuple(items);

/** The beginning of a reply that could not be pickled. */
function leftover(id: number): Buffer {
  const whole = pickleCodec.encode(DIALECT, id, 0, ".reply", null);
  return whole.subarray(0, whole.length - 3);
}

describe("messages behind the leftovers of failed ones (ZEO 5.0 and 5.1 on Python 2)", () => {
  it("are what counts, whichever they are and however many leftovers there are", () => {
    const messages: [Buffer, Partial<Envelope>][] = [
      [pickleCodec.encode(DIALECT, 7, 0, ".reply", id8(TID)), { id: 7, flags: 0, method: ".reply" }],
      [
        pickleCodec.encode(DIALECT, tuple(id8(1), id8(2)), 0, ".reply", tuple(Buffer.from("x"), id8(TID), null)),
        { flags: 0, method: ".reply" },
      ],
      [
        pickleCodec.encodeInvalidation(DIALECT, "plain", TID, oidsTo(5)),
        { id: 0, flags: 1, method: "invalidateTransaction" },
      ],
      [pickleCodec.encode(DIALECT, 0, 1, "info", tuple(new Map())), { id: 0, flags: 1, method: "info" }],
    ];
    for (const [message, expected] of messages) {
      for (const before of [[5], [300], [70_000], [5, 6], [5, 300, 7, 8]]) {
        const prefix = Buffer.concat(before.map(leftover));
        const payload = Buffer.concat([prefix, message]);
        const own = pickleCodec.peek(message) as Envelope;
        const envelope = pickleCodec.peek(payload) as Envelope;
        expect(envelope).toMatchObject(expected);
        expect(envelope).toEqual({ ...own, argsAt: own.argsAt + prefix.length });
        expect(pickleCodec.args(payload, envelope)).toEqual(pickleCodec.args(message, own));
        for (let cut = 0; cut < payload.length; cut++) {
          const seen = pickleCodec.peek(payload.subarray(0, cut));
          if (seen !== undefined) expect(seen, `cut at ${cut}`).toEqual(envelope);
        }
      }
    }
  });

  it("have their invalidation read and their getInvalidations reply changed", () => {
    const invalidation = Buffer.concat([leftover(5), pickleCodec.encodeInvalidation(DIALECT, "plain", TID, oidsTo(5))]);
    expect(pickleCodec.invalidation(invalidation, pickleCodec.peek(invalidation) as Envelope)).toEqual({
      tid: TID,
      oids: oidsTo(5),
    });
    const reply = Buffer.concat([leftover(5), pickleCodec.encode(DIALECT, 6, 0, ".reply", null)]);
    const envelope = pickleCodec.peek(reply) as Envelope;
    const value = { tid: TID, oids: oidsTo(3) };
    const changed = pickleCodec.encodeInvalidationsReply(reply, envelope, DIALECT, "plain", value);
    expect(pickleCodec.invalidationsReply(changed, pickleCodec.peek(changed) as Envelope)).toEqual(value);
    expect(pickleCodec.dialect(invalidation, false)).toBe(DIALECT);
  });

  it("are no ordinary values: a reply's tuple stays its value", () => {
    const values: Value[] = [
      tuple(5, 0, "x"),
      tuple(5, 0, Buffer.from("tpc_finish")),
      tuple(5, 0),
      tuple(5),
      tuple(tuple(5, 0), 1),
      tuple(5, 0, Buffer.alloc(600)),
      tuple(Buffer.from(".reply"), 0, 1),
      tuple(5, "info", 1),
      tuple(140006485388752, 1, 2),
      tuple(id8(1), id8(2), Buffer.from("info")),
      tuple(),
    ];
    for (const value of values) {
      const payload = pickleCodec.encode(DIALECT, 9, 0, ".reply", value);
      const envelope = pickleCodec.peek(payload) as Envelope;
      expect(envelope).toMatchObject({ id: 9, flags: 0, method: ".reply", argsAt: 13 });
      expect(pickleCodec.args(payload, envelope)).toEqual(value);
    }
  });

  it("are in the recordings: every tpc_finish reply has its tid, every vote its outcome", () => {
    for (const file of CAPTURES.filter((name) => name === "z504py27" || name === "z512py27")) {
      const asked = new Map<string, string>();
      let finished = 0;
      let granted = 0;
      const frames = readCapture(file).flatMap((frame) => {
        const envelope = frame.more > 0 ? undefined : frame.codec?.peek(frame.payload);
        return envelope === undefined || frame.codec === undefined ? [] : [{ ...frame, codec: frame.codec, envelope }];
      });
      // The order of a call and its reply is not kept in a recording.
      for (const { conn, dir, envelope } of frames) {
        if (dir === "c>s") asked.set(`${conn} ${envelope.id}`, envelope.method);
      }
      for (const { codec, conn, dir, payload, line, envelope } of frames) {
        if (dir === "c>s" || envelope.method !== ".reply") continue;
        const method = asked.get(`${conn} ${envelope.id}`);
        expect(method, `${file}:${line}`).toBeDefined();
        if (method === "tpc_finish") {
          expect(replyTid(codec, payload, envelope).kind, `${file}:${line}`).toBe("tid");
          finished++;
        }
        if (method === "vote" && voteOutcome(codec, payload, envelope, false).kind === "granted") granted++;
      }
      expect(granted).toBeGreaterThanOrEqual(finished);
      expect(finished).toBeGreaterThan(3);
    }
  });
});
