import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Codec } from "../../src/wire/codec.ts";
import { ProtocolError } from "../../src/wire/errors.ts";
import { msgpackCodec } from "../../src/wire/msgpack-codec.ts";
import { pickleCodec } from "../../src/wire/pickle-codec.ts";
import { everyReader } from "./codec-every-reader.ts";
import { changes, MSGPACK_HEADERS, PICKLE_OPCODES, shortMessages } from "./mutations.ts";

function onlyProtocolErrors(codec: Codec, payload: Buffer): void {
  for (const read of everyReader(codec, payload)) {
    try {
      read();
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
    }
  }
}

const SEED = Number(process.env["FC_SEED"] ?? Math.floor(Math.random() * 2 ** 31));

describe.each([
  ["pickle", pickleCodec, PICKLE_OPCODES],
  ["msgpack", msgpackCodec, MSGPACK_HEADERS],
] as const)("%s bytes that were changed", (_name, codec, interesting) => {
  const originals = shortMessages(codec);

  it(`raise only protocol errors (seed ${SEED})`, () => {
    expect(originals.length).toBeGreaterThan(80);
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: originals.length - 1 }),
        fc.array(changes(interesting), { minLength: 1, maxLength: 5 }),
        (index, list) => {
          let bytes = originals[index] as Buffer;
          for (const change of list) bytes = bytes.length > 0 ? change(bytes) : bytes;
          onlyProtocolErrors(codec, bytes);
        },
      ),
      { numRuns: 4000, seed: SEED },
    );
  });

  it(`raise only protocol errors where all of them are made up (seed ${SEED})`, () => {
    const byte = fc.oneof(
      fc.integer({ min: 0, max: interesting.length - 1 }).map((i) => interesting[i] as number),
      fc.nat(255),
    );
    const head = codec.encode(codec.encoding === "pickle" ? "pickle3" : "msgpack", 5, 0, ".reply", null);
    const start = head.subarray(0, codec.peek(head)?.argsAt);
    fc.assert(
      fc.property(fc.array(byte, { maxLength: 60 }), (list) => {
        onlyProtocolErrors(codec, Buffer.from(list));
        onlyProtocolErrors(codec, Buffer.concat([start, Buffer.from(list)]));
        onlyProtocolErrors(codec, Buffer.concat([start, Buffer.from(list), Buffer.from("t.")]));
      }),
      { numRuns: 1500, seed: SEED },
    );
  });
});
