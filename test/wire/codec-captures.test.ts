import { describe, expect, it } from "vitest";
import type { Dialect, Envelope } from "../../src/wire/codec.ts";
import { ProtocolError } from "../../src/wire/errors.ts";
import { ID_BYTES } from "../../src/wire/ids.ts";
import type { Value } from "../../src/wire/value.ts";
import { PyObject, PyTuple } from "../../src/wire/value.ts";
import type { CapturedFrame } from "./captured.ts";
import { CAPTURES, readCapture } from "./captured.ts";

const LIMITS = { maxBytes: 64 * 1024 * 1024 };

/** Frames that a test client sent in order to be refused. */
const ODD = new Set<string>();

function whole(file: string): readonly CapturedFrame[] {
  return readCapture(file).filter((frame) => frame.codec !== undefined && frame.more === 0);
}

function named(frame: CapturedFrame): string {
  return `${frame.file}:${frame.line}`;
}

/** The dialect that each connection's server writes, from its first reply. */
function dialects(frames: readonly CapturedFrame[]): ReadonlyMap<number, Dialect> {
  const found = new Map<number, Dialect>();
  for (const frame of frames) {
    if (frame.dir !== "s>c" || found.has(frame.conn)) continue;
    const dialect = frame.codec?.dialect(frame.payload, frame.oldServer);
    if (dialect !== undefined) found.set(frame.conn, dialect);
  }
  return found;
}

/** Things that `Value` does not keep apart, so that the bytes can differ: `Long` and whole floats of Python 2. */
function survives(payload: Buffer): boolean {
  return !payload.includes("L\n");
}

describe.each(CAPTURES)("capture %s", (file) => {
  const frames = whole(file);

  it("peeks and decodes every frame", () => {
    let decoded = 0;
    for (const frame of frames) {
      if (ODD.has(named(frame))) continue;
      const envelope = frame.codec?.peek(frame.payload);
      expect(envelope, named(frame)).toBeDefined();
      expect(envelope?.method, named(frame)).toMatch(/^\.?[A-Za-z_]+$/);
      expect([0, 1, 2], named(frame)).toContain(envelope?.flags);
      frame.codec?.args(frame.payload, envelope as Envelope, LIMITS);
      decoded++;
    }
    expect(decoded).toBeGreaterThan(5);
  });

  it("peeks a cut frame as the whole one, or asks for more", () => {
    for (const frame of frames.slice(0, 120)) {
      const envelope = frame.codec?.peek(frame.payload);
      for (let cut = 0; cut < Math.min(frame.payload.length, 80); cut++) {
        const seen = frame.codec?.peek(frame.payload.subarray(0, cut));
        if (seen !== undefined) expect(seen, `${named(frame)} cut at ${cut}`).toEqual(envelope);
        else expect(cut, named(frame)).toBeLessThan((envelope?.argsAt ?? 0) + 1);
      }
    }
  });

  it("refuses a cut frame where it must be whole", () => {
    for (const frame of frames.slice(0, 150)) {
      const envelope = frame.codec?.peek(frame.payload) as Envelope;
      const step = Math.max(1, Math.floor(frame.payload.length / 60));
      for (let cut = envelope.argsAt; cut < frame.payload.length; cut += step) {
        expect(() => frame.codec?.args(frame.payload.subarray(0, cut), envelope, LIMITS), named(frame)).toThrow(ProtocolError);
      }
    }
  });

  it("writes the server's messages as the server did", () => {
    const writers = dialects(frames);
    let compared = 0;
    for (const frame of frames) {
      const dialect = writers.get(frame.conn);
      const envelope = frame.codec?.peek(frame.payload);
      if (frame.dir !== "s>c" || dialect === undefined || envelope === undefined || !survives(frame.payload)) continue;
      const args = frame.codec?.args(frame.payload, envelope, LIMITS) as Value;
      if (frame.codec?.encoding === "msgpack" && frame.payload.includes(0xcb)) continue;
      const id = idValue(envelope.id, frame);
      const written = frame.codec?.encode(dialect, id, envelope.flags, envelope.method, args);
      expect(written?.toString("hex"), named(frame)).toBe(frame.payload.toString("hex"));
      compared++;
    }
    if (writers.size > 0) expect(compared).toBeGreaterThan(3);
  });

  it("writes invalidations and getInvalidations replies as the server did", () => {
    const writers = dialects(frames);
    const questions = new Set<string>();
    for (const frame of frames) {
      const envelope = frame.codec?.peek(frame.payload);
      const dialect = writers.get(frame.conn);
      if (frame.codec === undefined || envelope === undefined || dialect === undefined) continue;
      const key = `${frame.conn} ${envelope.id}`;
      if (frame.dir === "c>s") {
        if (envelope.method === "getInvalidations") questions.add(key);
        continue;
      }
      if (envelope.method === "invalidateTransaction") {
        const { tid, oids } = frame.codec.invalidation(frame.payload, envelope);
        const [, list] = (frame.codec.args(frame.payload, envelope, LIMITS) as { items: Value[] }).items ?? [];
        const shape = Array.isArray(list) && list[0] instanceof PyTuple ? "pairs" : "plain";
        const isTuple = list instanceof PyTuple;
        const written = frame.codec.encodeInvalidation(dialect, shape, tid, oids);
        if (!isTuple) expect(written.toString("hex"), named(frame)).toBe(frame.payload.toString("hex"));
        else expect(frame.codec.invalidation(written, frame.codec.peek(written) as Envelope)).toEqual({ tid, oids });
        expect(oids.length % ID_BYTES).toBe(0);
      }
      if (questions.has(key)) {
        const value = frame.codec.invalidationsReply(frame.payload, envelope);
        const written = frame.codec.encodeInvalidationsReply(frame.payload, envelope, dialect, "plain", value);
        expect(written.toString("hex"), named(frame)).toBe(frame.payload.toString("hex"));
      }
    }
  });
});

/** The id as it was written, decoded again from the frame. */
function idValue(id: number | string, frame: CapturedFrame): Value {
  if (typeof id === "number") return id;
  const decoded = frame.codec === undefined ? null : wholeMessage(frame);
  if (decoded instanceof PyObject) throw new Error("an id is no instance");
  return decoded;
}

function wholeMessage(frame: CapturedFrame): Value {
  // A tuple id `(oid, tid)`: its two byte strings follow the message's mark.
  const { payload } = frame;
  const at = frame.codec?.encoding === "pickle" ? payload.indexOf(0x28) + 1 : 2;
  const oid = payload.subarray(at + 2, at + 2 + ID_BYTES);
  const tid = payload.subarray(at + 2 + ID_BYTES + 2, at + 2 + ID_BYTES + 2 + ID_BYTES);
  return new PyTuple([oid, tid]);
}
