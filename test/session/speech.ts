import type { Codec, Dialect, Envelope } from "../../src/wire/codec.ts";
import { codecFor } from "../../src/wire/codecs.ts";
import { protocolNamed, type Protocol } from "../../src/wire/handshake.ts";
import { asTid, tidBytes, type Tid } from "../../src/wire/ids.ts";
import { REPLY } from "../../src/wire/methods.ts";
import { PyTuple, type Value } from "../../src/wire/value.ts";
import { numbers, packed } from "../ledger/script.ts";
import { frameOf } from "../proxy/peer.ts";

/** What clients and servers of one protocol say, as whole frames. Oids and tids are small numbers. */
export class Speech {
  readonly protocol: Protocol;
  readonly codec: Codec;
  readonly dialect: Dialect;

  constructor(name: string) {
    const protocol = protocolNamed(Buffer.from(name));
    if (protocol === undefined) throw new Error(`no protocol ${name}`);
    this.protocol = protocol;
    this.codec = codecFor(protocol.encoding);
    if (protocol.encoding === "msgpack") this.dialect = "msgpack";
    else this.dialect = protocol.family === "old" ? "pickle3-zeo4" : "pickle3";
  }

  get isOld(): boolean {
    return this.protocol.family === "old";
  }

  get name(): Buffer {
    return frameOf(Buffer.from(this.protocol.name));
  }

  call(id: Value, method: string, ...args: Value[]): Buffer {
    return this.#frame(id, 0, method, new PyTuple(args));
  }

  tell(method: string, ...args: Value[]): Buffer {
    return this.#frame(0, 1, method, new PyTuple(args));
  }

  reply(id: Value, value: Value): Buffer {
    return this.#frame(id, 0, REPLY, value);
  }

  /** An exception as a new server replies it. */
  raises(id: Value, name: string, ...args: Value[]): Buffer {
    return this.#frame(id, 2, REPLY, [name, args]);
  }

  begin(id: number, tid?: number): Buffer {
    return this.tell("tpc_begin", id, "", "", new Map(), tid === undefined ? null : eight(tid), " ");
  }

  store(id: number, oid: number, serial = 0): Buffer {
    const version = this.protocol.versions ? [""] : [];
    return this.tell("storea", eight(oid), eight(serial), Buffer.from("data"), ...version, id);
  }

  finish(id: number): Buffer {
    return this.call(id, "tpc_finish", id);
  }

  /** A transaction that creates an object, up to its `tpc_finish`, whose message id is the transaction's. */
  creation(id: number, oid: number): Buffer {
    return Buffer.concat([this.begin(id), this.store(id, oid), this.finish(id)]);
  }

  /** The reply to `register`. */
  welcome(id: number, tid: number): Buffer {
    return this.reply(id, this.isOld ? null : eight(tid));
  }

  invalidation(tid: number, ...oids: number[]): Buffer {
    const shape = this.protocol.versions ? "pairs" : "plain";
    return frameOf(this.codec.encodeInvalidation(this.dialect, shape, asTid(BigInt(tid)), packed(oids)));
  }

  /** `getInvalidations` answered. */
  missed(id: number, tid: number, ...oids: number[]): Buffer {
    const pair = (oid: number): Value => (this.protocol.versions ? new PyTuple([eight(oid), ""]) : eight(oid));
    return this.reply(id, new PyTuple([eight(tid), oids.map(pair)]));
  }

  /** A payload that has begun well and can't be read. */
  get nonsense(): Buffer {
    return frameOf(Buffer.alloc(50, 0xff));
  }

  envelope(payload: Buffer): Envelope {
    const envelope = this.codec.peek(payload);
    if (envelope === undefined) throw new Error("no message");
    return envelope;
  }

  /** `T5 [1 2]`: what an invalidation says; any other message as its method, a reply as its id. */
  said(payload: Buffer): string {
    const envelope = this.envelope(payload);
    if (envelope.method === "invalidateTransaction") {
      const { tid, oids } = this.codec.invalidation(payload, envelope);
      return `T${tid} [${numbers(oids).join(" ")}]`;
    }
    return envelope.method === REPLY ? `reply ${envelope.id}` : envelope.method;
  }

  #frame(id: Value, flags: number, method: string, args: Value): Buffer {
    return frameOf(this.codec.encode(this.dialect, id, flags, method, args));
  }
}

/** An oid or a tid. */
export function eight(n: number): Buffer {
  return tidBytes(tidOf(n));
}

export function tidOf(n: number): Tid {
  return asTid(BigInt(n));
}
