import { msgpackCodec } from "../../../src/wire/msgpack-codec.ts";
import { PyTuple, type Value } from "../../../src/wire/value.ts";
import { storeOf } from "../scenarios/transaction.ts";
import { loadOf } from "../scenarios/loads.ts";
import * as z5 from "../wire/z5.ts";

/** Messages as ZEO 5 has them, in both encodings, without their length. */

const OID = z5.eight(4_711);
const TID = z5.eight(0x3_0d3c_97e7);
const DATA = Buffer.alloc(400, "x");

function payload(frame: Buffer): Buffer {
  return frame.subarray(4);
}

function packed(id: Value, flags: number, method: string, args: Value): Buffer {
  return msgpackCodec.encode("msgpack", id, flags, method, args);
}

const key = z5.tuple(z5.bytes(OID), z5.bytes(TID));
const pair = new PyTuple([OID, TID]);

export const LOAD_CALL = {
  pickle: payload(loadOf(400, 7)),
  msgpack: packed(pair, 0, "loadBefore", pair),
};

export const LOAD_REPLY = {
  pickle: payload(z5.call(key, ".reply", z5.tuple(z5.bytes(DATA), z5.bytes(TID), z5.NONE))),
  msgpack: packed(pair, 0, ".reply", new PyTuple([DATA, TID, null])),
};

export const STORE = {
  pickle: payload(storeOf(true).frame),
  msgpack: packed(0, 1, "storea", new PyTuple([OID, Buffer.alloc(8), DATA, 1])),
};

/** Packed oids, eight bytes each. */
export function sortedOids(count: number): Buffer {
  return Buffer.concat(Array.from({ length: count }, (_, i) => z5.eight(1_000 + 3 * i)));
}

/** The same in an order that has none. The factor is a prime that shares no divisor with any round number. */
export function scatteredOids(count: number): Buffer {
  return Buffer.concat(Array.from({ length: count }, (_, i) => z5.eight(1_000 + 3 * ((i * 7_919) % count))));
}
