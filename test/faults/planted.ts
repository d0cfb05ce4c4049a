import type { Tamper } from "./weather.ts";

/** Of all invalidations that pass, each so many-th. */
const EACH = 7;
const METHOD = "invalidateTransaction";
/** Whoever creates an object with it has created all before. */
const NO_OID = Buffer.from("00ffffffffffffff", "hex");

/**
 * A fault on purpose: in some invalidations another oid stands in the place of the last. Only where the message lies whole in
 * one chunk.
 */
export function planted(): Tamper {
  let seen = 0;
  return (chunk) => {
    const at = chunk.indexOf(METHOD, 0, "latin1");
    if (at < 4 || ++seen % EACH !== 0) return chunk;
    const found = idsBehind(chunk, at + METHOD.length);
    const last = found.at(-1);
    // The first is the tid.
    if (last === undefined || found.length < 2) return chunk;
    const changed = Buffer.from(chunk);
    NO_OID.copy(changed, last);
    return changed;
  };
}

/** Where the ids of this message begin: eight bytes behind a length of eight, in each encoding. */
function idsBehind(chunk: Buffer, from: number): number[] {
  const found: number[] = [];
  for (let at = from; at + 10 <= chunk.length && found.length < 1_000; at++) {
    const opcode = chunk[at];
    if (chunk[at + 1] !== 8 || (opcode !== 0x55 && opcode !== 0x43 && opcode !== 0xc4)) {
      // The next message begins with the length, whose first bytes are zeros.
      if (found.length > 0 && chunk[at] === 0x2e) break;
      continue;
    }
    found.push(at + 2);
    at += 9;
  }
  return found;
}
