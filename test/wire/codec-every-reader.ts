import { beginArgs, firstArg, lastArg, registerArg, tidArg } from "../../src/wire/arguments.ts";
import type { Codec } from "../../src/wire/codec.ts";
import { METHODS, methodNamed } from "../../src/wire/methods.ts";
import { replyTid } from "../../src/wire/replies.ts";
import { readRefused } from "../../src/wire/serialnos.ts";
import { voteOutcome } from "../../src/wire/vote.ts";

const STORE = methodNamed("storea");
const DELETE = methodNamed("deleteObject");
/** One for each place where tids can be. */
const PLACES = [...new Map(METHODS.map((method) => [String(method.place), method])).values()];

/** Everything that reads a payload, as a list of attempts: each may raise. */
export function everyReader(codec: Codec, payload: Buffer): (() => unknown)[] {
  const peek = (): unknown => codec.peek(payload);
  let envelope: ReturnType<Codec["peek"]>;
  try {
    envelope = codec.peek(payload);
  } catch {
    return [peek];
  }
  if (envelope === undefined) return [peek];
  const { argsAt } = envelope;
  const head = envelope;
  const pickle = codec.encoding === "pickle";
  return [
    peek,
    () => codec.storeHead(payload, head, STORE),
    () => codec.storeHead(payload, head, DELETE),
    () => codec.storeTail(payload.subarray(codec.storeHead(payload, head, STORE)?.restAt ?? argsAt)),
    () => codec.storeTail(payload.subarray(argsAt)),
    () => firstArg(codec, payload, head),
    () => lastArg(codec, payload, head),
    () => codec.invalidation(payload, head),
    () => codec.invalidationsReply(payload, head),
    () => codec.args(payload, head),
    () => codec.dialect(payload, true),
    () => registerArg(codec, payload, head),
    () => beginArgs(codec, payload, head),
    () => tidArg(codec, payload, head),
    () => replyTid(codec, payload, head),
    () => voteOutcome(codec, payload, head, true),
    () => voteOutcome(codec, payload, head, false),
    ...(pickle ? [() => readRefused(payload, head)] : []),
    ...PLACES.map((method) => () => codec.shown(payload, head, method)),
    () => codec.encodeInvalidationsReply(payload, head, pickle ? "pickle1" : "msgpack", "plain", undefined),
  ];
}
