import { bench, group } from "mitata";
import type { Codec } from "../../../src/wire/codec.ts";
import { methodNamed } from "../../../src/wire/methods.ts";
import { msgpackCodec } from "../../../src/wire/msgpack-codec.ts";
import { pickleCodec } from "../../../src/wire/pickle-codec.ts";
import { LOAD_CALL, LOAD_REPLY, STORE } from "./samples.ts";

const CODECS: readonly Codec[] = [pickleCodec, msgpackCodec];
const STORES = methodNamed("storea");

function storeHead(codec: Codec, store: Buffer): unknown {
  const envelope = codec.peek(store);
  return envelope === undefined ? undefined : codec.storeHead(store, envelope, STORES);
}

export function headBenches(): void {
  for (const codec of CODECS) {
    const { encoding } = codec;
    group(`heads, ${encoding}`, () => {
      bench(`${encoding}: a loadBefore`, () => codec.peek(LOAD_CALL[encoding]));
      bench(`${encoding}: its reply`, () => codec.peek(LOAD_REPLY[encoding]));
      bench(`${encoding}: a storea, with its oid`, () => storeHead(codec, STORE[encoding]));
    });
  }
}
