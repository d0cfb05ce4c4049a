import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { beginArgs, firstArg, lastArg, registerArg, tidArg } from "../../src/wire/arguments.ts";
import { MAX_CALL_BYTES, MAX_CALL_STEPS, MAX_SEARCH_STEPS, MAX_VALUE_STEPS } from "../../src/wire/bounds.ts";
import type { Codec, Envelope } from "../../src/wire/codec.ts";
import { ProtocolError } from "../../src/wire/errors.ts";
import { METHODS } from "../../src/wire/methods.ts";
import { Work } from "../../src/wire/work.ts";
import { beginOf, FILLINGS, messageOf } from "./hostile.ts";

/** What a walk costs for each byte: one step, and one more for each of two arguments that a memo hides. */
const WALKS = 3;
/** What is read of one argument as a value, and what is counted in lots. */
const CONSTANT = 3000;

const CALLS: readonly (readonly [
  string,
  (codec: Codec, payload: Buffer, envelope: Envelope, work: Work) => unknown,
])[] = [
  ["tpc_begin", beginArgs],
  ["vote", firstArg],
  ["undoa", lastArg],
  ["register", registerArg],
  ["getInvalidations", tidArg],
];

/** What reading took, whether it came to an end or was refused. */
function stepsOf(codec: Codec, limit: number, read: (work: Work) => unknown): number {
  const work = new Work(`bad-${codec.encoding}`, limit);
  try {
    read(work);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
  }
  expect(work.steps).toBeLessThanOrEqual(limit);
  return work.steps;
}

function readCall(codec: Codec, payload: Buffer, envelope = codec.peek(payload) as Envelope): void {
  for (const [method, read] of CALLS) {
    const steps = stepsOf(codec, MAX_CALL_STEPS, (work) => read(codec, payload, envelope, work));
    expect(steps, method).toBeLessThanOrEqual(WALKS * payload.length + CONSTANT);
  }
}

function peeked(codec: Codec, payload: Buffer): Envelope | undefined {
  try {
    return codec.peek(payload);
  } catch (error) {
    if (error instanceof ProtocolError) return undefined;
    throw error;
  }
}

/** All places where tids can be. */
const PLACES = [...new Map(METHODS.map((method) => [String(method.place), method])).values()];

function readReply(codec: Codec, payload: Buffer, envelope = codec.peek(payload) as Envelope): void {
  for (const method of PLACES) {
    const value = new Work("bad-message", MAX_VALUE_STEPS);
    const search = new Work("bad-message", MAX_SEARCH_STEPS);
    codec.shown(payload, envelope, method, { value, search });
    // A tree is looked through once more when it is whole.
    expect(value.steps, method.name).toBeLessThanOrEqual(Math.min(3 * payload.length + CONSTANT, MAX_VALUE_STEPS));
    expect(search.steps, method.name).toBeLessThanOrEqual(Math.min(payload.length + CONSTANT, MAX_SEARCH_STEPS));
  }
}

const SEED = Number(process.env["FC_SEED"] ?? Math.floor(Math.random() * 2 ** 31));

describe("reading costs so many steps as the message has bytes, and no more than its bound", () => {
  it.each(FILLINGS)("in a call full of %s", (_name, codec, grown) => {
    for (const bytes of [1000, MAX_CALL_BYTES - 1000]) readCall(codec, beginOf(codec, grown(bytes)));
  });

  it.each(FILLINGS)("in a reply full of %s", (_name, codec, grown) => {
    for (const bytes of [1000, 1_500_000]) readReply(codec, messageOf(codec, 5, 0, ".reply", grown(bytes)));
  });

  it(`in messages that are mixed of them, cut and filled with anything (seed ${SEED})`, { timeout: 120_000 }, () => {
    const part = fc.oneof(
      fc.tuple(fc.nat(FILLINGS.length - 1), fc.integer({ min: 10, max: 5000 })),
      fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
    );
    const parts = fc.array(part, { maxLength: 8 });
    fc.assert(
      fc.property(parts, fc.double({ min: 0, max: 1, noNaN: true }), fc.boolean(), (chosen, kept, isPickle) => {
        const list = FILLINGS.filter(([, { encoding }]) => (encoding === "pickle") === isPickle);
        const body = Buffer.concat(
          chosen.map((one) =>
            Buffer.isBuffer(one) ? one : (list[one[0] % list.length] as (typeof FILLINGS)[number])[2](one[1]),
          ),
        );
        const codec = (list[0] as (typeof FILLINGS)[number])[1];
        for (const whole of [beginOf(codec, body), messageOf(codec, 5, 0, ".reply", body)]) {
          const envelope = peeked(codec, whole);
          // What is behind its method may have made nonsense of that.
          if (envelope === undefined) continue;
          const { argsAt } = envelope;
          const payload = whole.subarray(0, argsAt + 1 + Math.floor((whole.length - argsAt - 1) * kept));
          readCall(codec, payload, envelope);
          readReply(codec, payload, envelope);
        }
      }),
      { numRuns: 60, seed: SEED },
    );
  });
});

describe("a call's arguments", () => {
  it.each(FILLINGS)("are read in front of and behind %s, of which nothing is made", (_name, codec, grown) => {
    const payload = beginOf(codec, grown(20_000));
    const work = new Work(`bad-${codec.encoding}`, MAX_CALL_STEPS);
    expect(beginArgs(codec, payload, codec.peek(payload) as Envelope, work)).toEqual({ id: 7, tid: undefined });
    expect(work.steps).toBeLessThanOrEqual(payload.length + 10);
  });
});
