import type { Codec } from "./codec.ts";
import { msgpackCodec } from "./msgpack-codec.ts";
import { pickleCodec } from "./pickle-codec.ts";

export function codecFor(encoding: Codec["encoding"]): Codec {
  return encoding === "msgpack" ? msgpackCodec : pickleCodec;
}
