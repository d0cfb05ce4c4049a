import * as z5 from "../wire/z5.ts";
import type { Oids } from "./transaction.ts";

/** What an old server says of the stores before the vote's reply: each oid with the tid that it will have. */
export function serialnos({ bytes, count }: Oids, tid: number): Buffer {
  const serial = Buffer.concat([z5.bytes(z5.eight(tid)), Buffer.from([PAIR])]);
  const pairs = Buffer.allocUnsafe(count * (z5.OID_BYTES + serial.length));
  let to = 0;
  for (let from = 0; from < count * z5.OID_BYTES; from += z5.OID_BYTES) {
    to += bytes.copy(pairs, to, from, from + z5.OID_BYTES);
    to += serial.copy(pairs, to);
  }
  return z5.oldOneWay("serialnos", z5.tuple(z5.list(pairs, count, z5.OID_BYTES + serial.length)));
}

const PAIR = 0x86;
