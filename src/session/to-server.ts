import type { StorageLedger } from "../ledger/ledger.ts";
import type { StoreSort, Transaction } from "../ledger/transaction.ts";
import { store as storeIn } from "../ledger/transactions.ts";
import type { Inbound } from "../storage/inbound.ts";
import type { Storage } from "../storage/storage.ts";
import { beginArgs, firstArg, lastArg, oidArg, tidArg } from "../wire/arguments.ts";
import { MAX_CALL_BYTES } from "../wire/bounds.ts";
import type { Codec, Envelope, MessageId, StoreHead } from "../wire/codec.ts";
import { ProtocolError } from "../wire/errors.ts";
import { LENGTH_BYTES, wholeFrame, type FrameHandler, type Hold, type Verdict } from "../wire/frame.ts";
import { NO_TID } from "../wire/ids.ts";
import { methodIn, methodNamed, REPLY, UNKNOWN, type Method } from "../wire/methods.ts";
import { Skim, StoreSkim } from "../wire/skim.ts";
import type { Calls } from "./calls.ts";
import type { Connection } from "./connection.ts";
import type { Conversation } from "./conversation.ts";
import type { Guard } from "./guard.ts";
import type { MessageCounts } from "./message-counts.ts";
import type { OpenReads } from "./open-reads.ts";
import { isAnswered, mustBeAnswered, tooShort } from "./heads.ts";
import type { Registration } from "./registration.ts";

// The frames of a client that has registered: what it stores and calls is noted, and all of it passed on unchanged.
// Nothing from the client waits for anything.

/** A call that is read whole. */
const CALL: Hold = { maxBytes: MAX_CALL_BYTES, what: "a call that must be read whole" };

/** A call that is held until it is whole. */
interface Held {
  readonly envelope: Envelope;
  readonly method: Method;
  readonly sort: Exclude<Method["sort"], "register" | "store" | "restore" | "delete" | "other">;
}

/** What takes more is none of a client's. */
const MAX_READ_BYTES = 1024;

/** An id and the ends of arguments and message: longer ones are read each time. */
const MAX_TAIL_BYTES = 64;
const NO_TAIL: Buffer = Buffer.alloc(0);

const skim = new Skim();
const stored = new StoreSkim();

export class ToServer implements FrameHandler {
  readonly #server: Connection;
  readonly #codec: Codec;
  readonly #calls: Calls;
  readonly #reads: OpenReads | undefined;
  readonly #ledger: StorageLedger<Inbound>;
  /** The session's there. */
  readonly #number: number;
  /** Its client has verified its cache. */
  #isWorking = false;
  /** The frame that is held. */
  #held: Held | undefined;
  /** How the last store ended, behind its data, and the transaction that this names: the next one's is mostly the same. */
  #tail = NO_TAIL;
  #tailId: MessageId = 0;
  /** A store that passes in part: its oid, until its transaction id has come. */
  #store: { readonly method: Method; readonly head: StoreHead; readonly oid: Buffer } | undefined;
  readonly #guard: Guard;
  readonly #storage: Storage;
  /** Of messages, by `Method.index`. */
  readonly #counts: Float64Array;

  constructor(
    { client, calls, guard, reads }: Conversation,
    { storage, number }: Registration,
    server: Connection,
    { fromClients }: MessageCounts,
  ) {
    this.#counts = fromClients;
    this.#server = server;
    this.#codec = client.codec;
    this.#calls = calls;
    this.#reads = reads;
    this.#ledger = storage.ledger;
    this.#number = number;
    this.#guard = guard;
    this.#storage = storage;
  }

  begin(head: Buffer, length: number): Verdict {
    const envelope = this.#codec.peek(head);
    if (envelope === undefined) return tooShort(head, length);
    if (envelope.method === REPLY) {
      this.#count(UNKNOWN); // a heartbeat
      return "pass";
    }
    const method = methodNamed(envelope.method);
    const { sort } = method;
    switch (sort) {
      case "register":
        // A second one is refused by the server; one beside the first could not be told from it.
        this.#mustBeRegistered(envelope);
        this.#count(method);
        this.#call(envelope, method);
        return "pass";
      case "other":
        this.#count(method);
        this.#call(envelope, method);
        return "pass";
      case "store":
      case "restore":
      case "delete":
        return this.#storeHead(head, length, envelope, method);
      case "read":
        this.#count(method);
        if (this.#reads === undefined || !isAnswered(envelope) || length > MAX_READ_BYTES) {
          this.#call(envelope, method);
          return "pass";
        }
        this.#held = { envelope, method, sort };
        return CALL;
      case "begin":
      case "undo":
      case "vote":
      case "finish":
      case "abort":
      case "resume":
      case "last":
        this.#count(method);
        this.#held = { envelope, method, sort };
        return CALL;
    }
  }

  skim(chunk: Buffer, from: number, maxBytes: number): number {
    const calls = this.#calls;
    if (!this.#isWorking || calls.hasSpecial) return from;
    const codec = this.#codec;
    const { order } = this.#ledger.stamp;
    const counts = this.#counts;
    /** Of the stores in this chunk; looked up with the first of them. */
    let transaction: Transaction | undefined;
    let isLookedUp = false;
    let at = from;
    for (;;) {
      const length = wholeFrame(chunk, at, maxBytes);
      const start = at + LENGTH_BYTES;
      const end = start + length;
      if (length < 0 || !codec.skim(chunk, start, end, skim)) return at;
      const method = methodIn(chunk, skim.nameAt, skim.argsAt);
      if (method === undefined) return at;
      if (method.sort === "store") {
        if (!codec.skimStore(chunk, skim.argsAt, end, stored)) return at;
        if (!this.#isSameTail(chunk, stored.restAt, end)) return at;
        if (!isLookedUp) transaction = this.#ledger.transaction(this.#number, this.#tailId);
        isLookedUp = true;
        const { serial, oidAt } = stored;
        storeIn(transaction, serial === "set" ? "modified" : "created", serial, chunk, oidAt);
      } else if (method.sort !== "other" && (method.sort !== "read" || this.#reads !== undefined)) {
        return at;
      }
      counts[method.index]!++;
      if ((skim.flags & 1) === 0) calls.addSkimmed(skim, method, order);
      at = end;
    }
  }

  flow(bytes: Buffer): void {
    this.#server.write(bytes);
  }

  frame(frame: Buffer, payload: Buffer): void {
    const held = this.#held;
    this.#held = undefined;
    if (held === undefined) throw new Error("a frame that was not begun");
    this.#note(frame, payload, held);
    this.#server.write(frame);
  }

  tail(bytes: Buffer): void {
    const store = this.#store;
    this.#store = undefined;
    if (store !== undefined) this.#stored(store.method, store.head, store.oid, 0, bytes);
  }

  /** To be said once of each message. */
  #count({ index }: Method): void {
    this.#counts[index]!++;
  }

  #call(envelope: Envelope, method: Method): void {
    if (!this.#isWorking) this.#isWorking = this.#ledger.workForwarded(this.#number);
    if (isAnswered(envelope)) this.#calls.addPlain(envelope.id, method, this.#ledger.stamp);
  }

  // --- stores -----------------------------------------------------------------------------------------------------

  #storeHead(head: Buffer, length: number, envelope: Envelope, method: Method): Verdict {
    const store = this.#codec.storeHead(head, envelope, method);
    if (store === undefined) return tooShort(head, length);
    this.#count(method);
    this.#call(envelope, method);
    if (head.length === length) {
      this.#stored(method, store, head, store.oidAt, head.subarray(store.restAt));
      return "pass";
    }
    this.#store = { method, head: store, oid: Buffer.from(head.subarray(store.oidAt, store.oidAt + 8)) };
    return store.restAt;
  }

  #stored(method: Method, { serial }: StoreHead, from: Buffer, offset: number, tail: Buffer): void {
    this.#tailId = this.#codec.storeTail(tail);
    this.#tail = tail.length <= MAX_TAIL_BYTES ? Buffer.from(tail) : NO_TAIL;
    this.#ledger.storeForwarded(this.#number, this.#tailId, sortOf(method, serial), serial, from, offset);
  }

  /** Nearly always: then nothing of it need be read. */
  #isSameTail(chunk: Buffer, from: number, to: number): boolean {
    const tail = this.#tail;
    if (to - from !== tail.length) return false;
    for (let i = 0; i < tail.length; i++) if (tail[i] !== chunk[from + i]) return false;
    return true;
  }

  // --- what the ledger must know ----------------------------------------------------------------------------------

  #note(frame: Buffer, payload: Buffer, { envelope, method, sort }: Held): void {
    const calls = this.#calls;
    const codec = this.#codec;
    const ledger = this.#ledger;
    const number = this.#number;
    const { stamp } = ledger;
    switch (sort) {
      case "begin": {
        const { id, tid } = beginArgs(codec, payload, envelope);
        ledger.beginForwarded(number, id, tid ?? NO_TID);
        this.#call(envelope, method);
        return;
      }
      case "undo":
        ledger.undoForwarded(number, lastArg(codec, payload, envelope));
        this.#call(envelope, method);
        return;
      case "abort":
        ledger.abortForwarded(number, firstArg(codec, payload, envelope));
        this.#call(envelope, method);
        return;
      case "vote":
        mustBeAnswered(envelope);
        this.#mustBeRegistered(envelope);
        calls.add(envelope.id, { sort: "vote", stamp, transaction: firstArg(codec, payload, envelope) });
        return;
      case "finish": {
        mustBeAnswered(envelope);
        this.#mustBeRegistered(envelope);
        const id = firstArg(codec, payload, envelope);
        // A commit is noted only when nothing can keep it from being forwarded any more.
        calls.mayFinish(envelope.id);
        calls.add(envelope.id, { sort: "finish", stamp, number: ledger.finishForwarded(number, id) });
        this.#guard.finishForwarded();
        // Its server connection may be unread at present, and must be read now.
        this.#storage.run(number);
        return;
      }
      case "resume":
        mustBeAnswered(envelope);
        calls.add(envelope.id, { sort: "resume", stamp, asked: tidArg(codec, payload, envelope) });
        return;
      case "last":
        mustBeAnswered(envelope);
        calls.add(envelope.id, { sort: "last", stamp });
        return;
      case "read": {
        this.#call(envelope, method);
        const oid = oidArg(codec, payload, envelope);
        if (oid !== undefined) this.#reads?.add(envelope.id, Buffer.from(oid), Buffer.from(frame));
      }
    }
  }

  /** Else nobody would know which storage, if any, it is about: the registration can still fail, or has. */
  #mustBeRegistered({ method }: Envelope): void {
    if (this.#ledger.isRegistered(this.#number)) return;
    throw new ProtocolError("call-before-register", 0, "a call behind the reply to register", method);
  }
}

function sortOf({ sort }: Method, serial: StoreHead["serial"]): StoreSort {
  if (sort === "delete") return "deleted";
  if (sort === "restore") return "restored";
  return serial === "set" ? "modified" : "created";
}
