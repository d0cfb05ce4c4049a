import { MAX_HEAD, type Envelope, type StoreHead } from "../wire/codec.ts";
import { ProtocolError } from "../wire/errors.ts";
import { LENGTH_BYTES, type FrameHandler, type Verdict } from "../wire/frame.ts";
import { NO_TID } from "../wire/ids.ts";
import { methodNamed, REPLY, type Method, type MethodSort } from "../wire/methods.ts";
import { beginArgs, registerArgs, tidArg } from "../wire/arguments.ts";
import type { Link } from "./link.ts";
import type { Storage } from "./storage.ts";

/** What the client's direction asks of its session. */
export interface ToServerHost {
  writeServer(bytes: Buffer): void;
  /** `register` is about to be forwarded: joins the storage. */
  register(storage: string): Storage;
  /** Its frames have MACs. */
  mac(): void;
}

/** The frames of the client: notes what it stores and calls, and passes them on unchanged. */
export class ToServer implements FrameHandler {
  readonly #link: Link;
  readonly #host: ToServerHost;
  /** The frame that is held. */
  #envelope: Envelope | undefined;
  #method: Method | undefined;
  /** A store that passes in part: its oid, until its transaction id has come. */
  #store: { readonly method: Method; readonly head: StoreHead; readonly oid: Buffer } | undefined;

  constructor(link: Link, host: ToServerHost) {
    this.#link = link;
    this.#host = host;
  }

  begin(head: Buffer, length: number): Verdict {
    const envelope = this.#link.codec.peek(head);
    if (envelope === undefined) return tooShort(head, length);
    if (envelope.method === REPLY) return "pass"; // a heartbeat
    const method = methodNamed(envelope.method);
    switch (method.sort) {
      case "other":
        this.#call(envelope, method);
        return "pass";
      case "store":
      case "restore":
      case "delete":
        return this.#storeHead(head, length, envelope, method);
      case "register":
      case "begin":
      case "undo":
      case "vote":
      case "finish":
      case "abort":
      case "resume":
      case "last":
        this.#envelope = envelope;
        this.#method = method;
        return "hold";
    }
  }

  flow(bytes: Buffer): void {
    this.#host.writeServer(bytes);
  }

  frame(frame: Buffer): void {
    const envelope = this.#envelope;
    const method = this.#method;
    if (envelope !== undefined && method !== undefined) this.#note(frame.subarray(LENGTH_BYTES), envelope, method);
    this.#host.writeServer(frame);
  }

  mac(): void {
    this.#host.mac();
  }

  tail(bytes: Buffer): void {
    const store = this.#store;
    this.#store = undefined;
    if (store !== undefined) this.#stored(store.method, store.head, store.oid, 0, bytes);
  }

  #call(envelope: Envelope, method: Method): void {
    const { calls, storage } = this.#link;
    if ((envelope.flags & 1) === 0) calls.addPlain(envelope.id, method, storage?.ledger.stamp);
  }

  // --- stores -----------------------------------------------------------------------------------------------------

  #storeHead(head: Buffer, length: number, envelope: Envelope, method: Method): Verdict {
    const { codec, storage } = this.#link;
    const store = codec.storeHead(head, envelope, method);
    if (store === undefined) return tooShort(head, length);
    this.#call(envelope, method);
    if (storage === undefined) return "pass";
    if (head.length === length) {
      this.#stored(method, store, head, store.oidAt, head.subarray(store.restAt));
      return "pass";
    }
    this.#store = { method, head: store, oid: Buffer.from(head.subarray(store.oidAt, store.oidAt + 8)) };
    return store.restAt;
  }

  #stored(method: Method, { serial }: StoreHead, from: Buffer, offset: number, tail: Buffer): void {
    const { codec, storage, number } = this.#link;
    const id = codec.storeTail(tail);
    const sort =
      method.sort === "delete"
        ? "deleted"
        : method.sort === "restore"
          ? "restored"
          : serial === "set"
            ? "modified"
            : "created";
    storage?.ledger.storeForwarded(number, id, sort, serial, from, offset);
  }

  // --- what the ledger must know ----------------------------------------------------------------------------------

  #note(payload: Buffer, envelope: Envelope, method: Method): void {
    if (MUST_ANSWER.has(method.sort) && (envelope.flags & 1) !== 0) {
      throw new ProtocolError("one-way-call", 0, `${method.name} as a call that is answered`, "a one-way message");
    }
    if (method.sort === "register") this.#register(payload, envelope, method);
    else if (this.#link.storage === undefined) this.#call(envelope, method);
    else this.#noteIn(this.#link.storage, payload, envelope, method);
  }

  #register(payload: Buffer, envelope: Envelope, method: Method): void {
    const link = this.#link;
    if (link.storage !== undefined) {
      this.#call(envelope, method); // a second one: the server refuses it
      return;
    }
    const storage = this.#host.register(registerArgs(link.codec, payload, envelope).storage);
    storage.ledger.registerForwarded(link.number);
    link.calls.add(envelope.id, { sort: "register" });
  }

  #noteIn(storage: Storage, payload: Buffer, envelope: Envelope, method: Method): void {
    const link = this.#link;
    const { codec, calls, number, guard } = link;
    const { ledger } = storage;
    const { stamp } = ledger;
    switch (method.sort) {
      case "begin": {
        link.voted = false;
        const { id, tid } = beginArgs(codec, payload, envelope);
        ledger.beginForwarded(number, id, tid ?? NO_TID);
        break;
      }
      case "undo":
        ledger.undoForwarded(number, codec.lastArg(payload, envelope));
        break;
      case "abort":
        link.voted = false;
        ledger.abortForwarded(number, codec.firstArg(payload, envelope));
        break;
      case "vote":
        calls.add(envelope.id, { sort: "vote", stamp, transaction: codec.firstArg(payload, envelope) });
        return;
      case "finish": {
        link.voted = false;
        const finish = ledger.finishForwarded(number, codec.firstArg(payload, envelope));
        guard.finishForwarded();
        calls.add(envelope.id, { sort: "finish", stamp, number: finish });
        storage.run(number);
        return;
      }
      case "resume":
        calls.add(envelope.id, { sort: "resume", stamp, asked: tidArg(codec, payload, envelope) });
        return;
      case "last":
        calls.add(envelope.id, { sort: "last", stamp });
        return;
      default:
    }
    this.#call(envelope, method);
  }
}

/** Without the reply nobody would ever know what has become of them. */
const MUST_ANSWER: ReadonlySet<MethodSort> = new Set(["register", "vote", "finish", "resume", "last"]);

/** A head that does not tell yet what the message is. */
export function tooShort(head: Buffer, length: number): Verdict {
  if (head.length < length && head.length < MAX_HEAD) return "more";
  throw new ProtocolError("bad-message", head.length, "a message id, flags and a method name", "their beginning only");
}
