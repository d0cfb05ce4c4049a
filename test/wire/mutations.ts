import fc from "fast-check";
import type { Codec } from "../../src/wire/codec.ts";
import { CAPTURES, readCapture } from "./captured.ts";

/** Real messages of up to 400 bytes, one of each method and length, so that all kinds have a chance. */
export function shortMessages(codec: Codec): readonly Buffer[] {
  const kinds = new Map<string, Buffer>();
  for (const file of CAPTURES) {
    for (const { codec: own, payload, more } of readCapture(file)) {
      if (own !== codec || more > 0 || payload.length > 400) continue;
      kinds.set(`${own.peek(payload)?.method} ${payload.length} ${payload[0]}`, payload);
    }
  }
  return [...kinds.values()];
}

export const PICKLE_OPCODES = Buffer.from(
  "(.012FIJKLMNPQRSTUVXabcd}eghijlo]pqrst)uGBC\x80\x81\x82\x83\x84\x85\x86\x87\x88\x89\x8a\x8b\x8c\x8d\x8e\x8f\x90\x91\x92\x93\x94\x95\x96",
  "latin1",
);
export const MSGPACK_HEADERS = Buffer.from(Array.from({ length: 0x60 }, (_, i) => (i < 0x40 ? 0x80 + i : 0xa0 + i)));

/** One change: a byte replaced, inserted or removed, a stretch copied to another place, an end cut off. */
export function changes(interesting: Buffer): fc.Arbitrary<(bytes: Buffer) => Buffer> {
  const byte = fc.oneof(
    fc.integer({ min: 0, max: 255 }),
    fc.integer({ min: 0, max: interesting.length - 1 }).map((i) => interesting[i] as number),
  );
  const at = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  const place = (bytes: Buffer, part: number): number => Math.floor(part * bytes.length);
  return fc.oneof(
    fc.tuple(at, byte).map(([part, value]) => (bytes: Buffer) => {
      const copy = Buffer.from(bytes);
      copy[place(bytes, part)] = value;
      return copy;
    }),
    fc.tuple(at, byte).map(([part, value]) => (bytes: Buffer) => {
      const i = place(bytes, part);
      return Buffer.concat([bytes.subarray(0, i), Buffer.from([value]), bytes.subarray(i)]);
    }),
    at.map((part) => (bytes: Buffer) => {
      const i = place(bytes, part);
      return Buffer.concat([bytes.subarray(0, i), bytes.subarray(i + 1)]);
    }),
    fc.tuple(at, at, at).map(([from, to, into]) => (bytes: Buffer) => {
      const [a, b] = [place(bytes, from), place(bytes, to)].sort((x, y) => x - y) as [number, number];
      const i = place(bytes, into);
      return Buffer.concat([bytes.subarray(0, i), bytes.subarray(a, b), bytes.subarray(i)]);
    }),
    at.map((part) => (bytes: Buffer) => bytes.subarray(0, place(bytes, part))),
  );
}
