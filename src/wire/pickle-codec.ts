import type { Codec, Dialect, Envelope, InvalidationArgs, OidShape } from "./codec.ts";
import { ProtocolError } from "./errors.ts";
import { ID_BYTES } from "./ids.ts";
import type { Tid } from "./ids.ts";
import { argumentsPickle } from "./pickle/arguments.ts";
import { argsOf, invalidationPickle, invalidationsReplyPickle, storeTailPickle } from "./pickle/calls.ts";
import { oidsSize, writeOids } from "./pickle/oids.ts";
import * as op from "./pickle/opcodes.ts";
import { peekPickle } from "./pickle/peek.ts";
import { atEnd, flatPickle, isExceptionPickle, isPlainListPickle, largestPickle } from "./pickle/scan.ts";
import { skimPickle, skimStorePickle } from "./pickle/skim.ts";
import { storeHeadPickle } from "./pickle/store-head.ts";
import type { PickleStyle } from "./pickle/writer.ts";
import { PickleWriter, STYLES, writeFlags, writeMessage } from "./pickle/writer.ts";
import type { ReplyReader } from "./tids.ts";
import { shownBy } from "./tids.ts";
import type { Value } from "./value.ts";
import type { Work } from "./work.ts";

const NONE_END = Buffer.from([op.NONE, op.TUPLE, op.STOP]);

const replies: ReplyReader = {
  flat: flatPickle,
  isException: isExceptionPickle,
  isPlainList: isPlainListPickle,
  value: (payload, _envelope, work) => argsOf(payload, work),
  largest: largestPickle,
};

/** The pickled protocols, `Z303` to `Z5`. */
export const pickleCodec: Codec = {
  encoding: "pickle",
  peek: peekPickle,
  skim: skimPickle,
  skimStore: skimStorePickle,
  storeHead: storeHeadPickle,
  storeTail: storeTailPickle,
  arguments: argumentsPickle,
  invalidation: invalidationPickle,
  invalidationsReply: invalidationsReplyPickle,

  shown(payload, envelope, method, work) {
    return shownBy(replies, payload, envelope, method, work);
  },
  isException: isExceptionPickle,
  isPlainList: (payload, envelope) => isPlainListPickle(payload, envelope.argsAt),

  args(payload: Buffer, _envelope: Envelope, work?: Work): Value {
    return argsOf(payload, work);
  },

  dialect(payload: Buffer, oldServer: boolean): Dialect | undefined {
    const head = peekPickle(payload);
    // A ZEO 4 client on Python 3 writes its heartbeats, and only these, with protocol 1.
    if (head === undefined || head.id === -1) return undefined;
    const name = nameOpcode(payload, head);
    if (payload[0] !== op.PROTO) {
      if (name !== op.SHORT_BINSTRING && name !== op.BINSTRING) return undefined;
      return oldServer ? "pickle1" : "pickle1-zeo5";
    }
    if (name === op.SHORT_BINSTRING || name === op.BINSTRING) return "pickle3-py2";
    return oldServer ? "pickle3-zeo4" : "pickle3";
  },

  encodeInvalidation(dialect: Dialect, shape: OidShape, tid: Tid, oids: Buffer): Buffer {
    const style = styleOf(dialect);
    const head = new PickleWriter(style, 64).raw(style.header).opcode(op.MARK).integer(0);
    writeFlags(head, style, 1, "invalidateTransaction");
    const start = head.name("invalidateTransaction").finish();
    return withOids(style, shape, tid, oids, start, END);
  },

  encodeInvalidationsReply(
    payload: Buffer,
    envelope: Envelope,
    dialect: Dialect,
    shape: OidShape,
    value: InvalidationArgs | undefined,
  ): Buffer {
    const start = payload.subarray(0, envelope.argsAt);
    // A frame's length would be wrong. Only protocol 4 and 5 have frames, and no server writes these.
    if (payload[0] === op.PROTO && (payload[1] as number) > 3) {
      throw new ProtocolError("bad-pickle", 1, "a protocol up to 3", String(payload[1]));
    }
    if (!atEnd(payload, payload.length - END.length)) {
      throw new ProtocolError("bad-pickle", payload.length, "the end of a reply", "other bytes");
    }
    if (value === undefined) return Buffer.concat([start, NONE_END]);
    return withOids(styleOf(dialect), shape, value.tid, value.oids, start, END);
  },

  encode(dialect: Dialect, id: Value, flags: number, method: string, args: Value): Buffer {
    return writeMessage(styleOf(dialect), id, flags, method, args);
  },
};

/** The ends of the message's tuple and of the pickle. */
const END = Buffer.from([op.TUPLE, op.STOP]);

function styleOf(dialect: Dialect): PickleStyle {
  if (dialect === "msgpack" || dialect === "msgpack-py2") throw new TypeError(`${dialect} is no pickle dialect`);
  return STYLES[dialect];
}

/** The opcode of the method's name, from the end of a name of known length. */
function nameOpcode(payload: Buffer, envelope: Envelope): number | undefined {
  const length = Buffer.byteLength(envelope.method, "utf8");
  const short = envelope.argsAt - length - 2;
  const code = payload[short];
  if (
    (code === op.SHORT_BINSTRING || code === op.SHORT_BINBYTES || code === op.SHORT_BINUNICODE) &&
    payload[short + 1] === length
  ) {
    return code;
  }
  const long = payload[short - 3];
  return long === op.BINSTRING || long === op.BINUNICODE || long === op.BINBYTES ? long : undefined;
}

/** `start`, the value `(tid, oids)` and `end`, in one buffer of exactly their size. */
function withOids(style: PickleStyle, shape: OidShape, tid: Tid, oids: Buffer, start: Buffer, end: Buffer): Buffer {
  if (oids.length % ID_BYTES !== 0) throw new RangeError(`${oids.length} bytes are no packed oids`);
  const marks = style.binary2 ? 1 : 2;
  const size = start.length + marks + 2 + ID_BYTES + oidsSize(style, shape, oids) + end.length;
  const bytes = Buffer.allocUnsafe(size);
  let at = start.copy(bytes);
  if (!style.binary2) bytes[at++] = op.MARK;
  bytes[at++] = style.python2 ? op.SHORT_BINSTRING : op.SHORT_BINBYTES;
  bytes[at++] = ID_BYTES;
  at = bytes.writeBigUInt64BE(tid, at);
  at = writeOids(style, shape, oids, bytes, at);
  bytes[at++] = style.binary2 ? op.TUPLE2 : op.TUPLE;
  at += end.copy(bytes, at);
  if (at !== size) throw new RangeError(`wrote ${at} bytes of ${size}`);
  return bytes;
}
