import type { Codec, Dialect, Envelope, InvalidationArgs, OidShape } from "./codec.ts";
import type { Tid } from "./ids.ts";
import { argumentsMsgpack } from "./msgpack/arguments.ts";
import { invalidationMsgpack, invalidationsReplyMsgpack, storeTailMsgpack } from "./msgpack/calls.ts";
import { withOids } from "./msgpack/oids.ts";
import { nameKind, peekMsgpack, storeHeadMsgpack } from "./msgpack/peek.ts";
import { skimMsgpack, skimStoreMsgpack } from "./msgpack/skim.ts";
import { flatMsgpack, isExceptionMsgpack, isPlainListMsgpack, largestMsgpack } from "./msgpack/scan.ts";
import { BYTES } from "./msgpack/tokens.ts";
import { readMsgpack, writeMsgpack } from "./msgpack/values.ts";
import type { ReplyReader } from "./tids.ts";
import { shownBy } from "./tids.ts";
import type { Value } from "./value.ts";
import type { Work } from "./work.ts";

const NIL = Buffer.from([0xc0]);

const replies: ReplyReader = {
  flat: flatMsgpack,
  isException: isExceptionMsgpack,
  isPlainList: isPlainListMsgpack,
  value: (payload, envelope, work) => readMsgpack(payload, envelope.argsAt, work),
  largest: largestMsgpack,
};

/** The msgpack protocol, `M5`. */
export const msgpackCodec: Codec = {
  encoding: "msgpack",
  peek: peekMsgpack,
  skim: skimMsgpack,
  skimStore: skimStoreMsgpack,
  storeHead: storeHeadMsgpack,
  storeTail: storeTailMsgpack,
  arguments: argumentsMsgpack,
  invalidation: invalidationMsgpack,
  invalidationsReply: invalidationsReplyMsgpack,

  shown(payload, envelope, method, work) {
    return shownBy(replies, payload, envelope, method, work);
  },
  isException: isExceptionMsgpack,
  isPlainList: (payload, envelope) => isPlainListMsgpack(payload, envelope.argsAt),

  args(payload: Buffer, envelope: Envelope, work?: Work): Value {
    return readMsgpack(payload, envelope.argsAt, work);
  },

  dialect(payload: Buffer): Dialect | undefined {
    if (peekMsgpack(payload) === undefined) return undefined;
    return nameKind(payload) === BYTES ? "msgpack-py2" : "msgpack";
  },

  encodeInvalidation(dialect: Dialect, shape: OidShape, tid: Tid, oids: Buffer): Buffer {
    const { start, emptyAsBin } = styleOf(dialect);
    return withOids(shape, emptyAsBin, tid, oids, start);
  },

  encodeInvalidationsReply(
    payload: Buffer,
    envelope: Envelope,
    dialect: Dialect,
    shape: OidShape,
    value: InvalidationArgs | undefined,
  ): Buffer {
    const start = payload.subarray(0, envelope.argsAt);
    if (value === undefined) return Buffer.concat([start, NIL]);
    return withOids(shape, styleOf(dialect).emptyAsBin, value.tid, value.oids, start);
  },

  encode(dialect: Dialect, id: Value, flags: number, method: string, args: Value): Buffer {
    styleOf(dialect);
    return writeMsgpack(dialect, id, flags, method, args);
  },
};

interface MsgpackStyle {
  /** An `invalidateTransaction` message up to its arguments. */
  readonly start: Buffer;
  readonly emptyAsBin: boolean;
}

function style(dialect: Dialect): MsgpackStyle {
  const whole = writeMsgpack(dialect, 0, 1, "invalidateTransaction", null);
  return { start: whole.subarray(0, whole.length - NIL.length), emptyAsBin: dialect === "msgpack-py2" };
}

const PYTHON3 = style("msgpack");
const PYTHON2 = style("msgpack-py2");

function styleOf(dialect: Dialect): MsgpackStyle {
  if (dialect === "msgpack") return PYTHON3;
  if (dialect === "msgpack-py2") return PYTHON2;
  throw new TypeError(`${dialect} is no msgpack dialect`);
}
