import type { Envelope } from "../wire/codec.ts";
import { LENGTH_BYTES, type FrameHandler, type Verdict } from "../wire/frame.ts";
import { NO_TID } from "../wire/ids.ts";
import { INVALIDATE, REPLY, SERIALNOS } from "../wire/methods.ts";
import { replyTid } from "../wire/replies.ts";
import { readRefused } from "../wire/serialnos.ts";
import { voteOutcome } from "../wire/vote.ts";
import { QUESTION_ID, type Call } from "./calls.ts";
import type { Link } from "./link.ts";
import type { Held, Storage } from "./storage.ts";
import { tooShort } from "./to-server.ts";

/** What the server's direction asks of its session. */
export interface ToClientHost {
  writeClient(bytes: Buffer): void;
  /** `register` failed: leaves the storage. */
  registerFailed(): void;
  /** An invalidation without a storage: nobody registered. */
  unexpectedInvalidation(): void;
  /** The server can't name its last transaction: what its client is owed will never be proven. */
  questionRefused(): void;
  /** Its frames have MACs. */
  mac(): void;
}

/** Small frames that may be held are copied, so that they don't pin the chunk that they came in. */
const COPY_BELOW_BYTES = 16 * 1024;

/** The same as `Held`; its frame can be replaced by a copy. */
type OwnHeld = Omit<Held, "frame"> & { frame: Buffer };

/** The frames of the server: passes them on while nothing is owed, else hands them to the ledger. */
export class ToClient implements FrameHandler {
  readonly #link: Link;
  readonly #host: ToClientHost;
  #envelope: Envelope | undefined;
  /** What the ledger has been handed of the current frame. */
  #handed: OwnHeld | undefined;

  constructor(link: Link, host: ToClientHost) {
    this.#link = link;
    this.#host = host;
  }

  begin(head: Buffer, length: number): Verdict {
    const link = this.#link;
    const envelope = link.codec.peek(head);
    if (envelope === undefined) return tooShort(head, length);
    this.#envelope = envelope;
    const { storage } = link;
    if (envelope.method === INVALIDATE) return "hold";
    if (storage === undefined) {
      if (envelope.method === REPLY) link.calls.answered(envelope.id);
      return "pass";
    }
    if (envelope.method === REPLY) {
      if (envelope.id === QUESTION_ID || link.calls.special(envelope.id) !== undefined) return "hold";
      if (!storage.ledger.isQuiet(link.number)) return "hold";
      link.calls.answered(envelope.id);
      return "pass";
    }
    if (envelope.method === SERIALNOS && link.protocol.family === "old") return "hold";
    return storage.ledger.isQuiet(link.number) ? "pass" : "hold";
  }

  flow(bytes: Buffer): void {
    this.#host.writeClient(bytes);
  }

  frame(received: Buffer): void {
    const { storage, number } = this.#link;
    const envelope = this.#envelope;
    if (envelope === undefined) return;
    if (storage === undefined) {
      if (envelope.method === INVALIDATE) this.#host.unexpectedInvalidation();
      else this.#host.writeClient(received);
      return;
    }
    this.#link.dialect ??= this.#link.codec.dialect(
      received.subarray(LENGTH_BYTES),
      this.#link.protocol.family === "old",
    );
    if (envelope.method === REPLY) this.#reply(storage, received, envelope);
    else this.#message(storage, received, envelope);
    storage.run(number);
    this.#keep(storage);
  }

  #hand(frame: Buffer, envelope: Envelope, role?: Held["role"]): Held {
    this.#handed = { frame, envelope, role, since: Date.now() };
    return this.#handed;
  }

  /** What nearly always has gone out at once is copied only if it waits. */
  #keep(storage: Storage): void {
    const handed = this.#handed;
    this.#handed = undefined;
    if (handed === undefined || handed.frame.length >= COPY_BELOW_BYTES) return;
    if (storage.ledger.heldBytes(this.#link.number) > 0) handed.frame = copy(handed.frame);
  }

  mac(): void {
    this.#host.mac();
  }

  tail(): void {
    // No frame of the server's passes with its tail wanted.
  }

  #message(storage: Storage, frame: Buffer, envelope: Envelope): void {
    const { codec, number } = this.#link;
    const payload = frame.subarray(LENGTH_BYTES);
    const read = { payload: this.#hand(frame, envelope), bytes: frame.length };
    if (envelope.method === INVALIDATE) {
      storage.ledger.invalidation(number, storage.reader.read(codec, payload, envelope), read);
      return;
    }
    if (envelope.method === SERIALNOS) {
      const { oids, shown } = readRefused(payload, envelope);
      if (oids.length > 0) storage.ledger.storesRefused(number, oids);
      if (shown !== NO_TID) {
        // A conflict names a committed serial, before the vote's reply does.
        storage.ledger.reply(number, { tid: shown, exact: true }, { ...read, order: 0 });
        return;
      }
    }
    storage.ledger.otherMessage(number, read);
  }

  #reply(storage: Storage, frame: Buffer, envelope: Envelope): void {
    const { codec, calls, number } = this.#link;
    if (envelope.id === QUESTION_ID) {
      this.#question(storage, frame, envelope);
      return;
    }
    const call = calls.special(envelope.id);
    if (call !== undefined) {
      calls.answered(envelope.id);
      this.#answer(storage, call, frame, envelope);
      return;
    }
    const plain = calls.takePlain(envelope.id);
    const payload = frame.subarray(LENGTH_BYTES);
    const evidence = codec.shown(payload, envelope, plain?.method);
    const order = plain?.order ?? 0;
    storage.ledger.reply(number, evidence, { payload: this.#hand(frame, envelope), bytes: frame.length, order });
  }

  #question(storage: Storage, frame: Buffer, envelope: Envelope): void {
    const { codec, number } = this.#link;
    const value = replyTid(codec, frame.subarray(LENGTH_BYTES), envelope);
    if (value.kind === "tid") storage.ledger.questionReply(number, value.tid);
    else this.#host.questionRefused();
  }

  #answer(storage: Storage, call: Call, frame: Buffer, envelope: Envelope): void {
    const { codec, number, guard, protocol } = this.#link;
    const { ledger } = storage;
    const payload = frame.subarray(LENGTH_BYTES);
    const order = call.sort === "register" ? 0 : call.stamp.order;
    switch (call.sort) {
      case "register": {
        const value = replyTid(codec, payload, envelope);
        if (value.kind === "exception") {
          ledger.registerFailed(number, { payload: this.#hand(frame, envelope), bytes: frame.length });
          storage.run(number);
          this.#host.registerFailed();
          return;
        }
        const tid = value.kind === "tid" && protocol.family === "new" ? value.tid : undefined;
        ledger.registerReply(number, tid, {
          payload: this.#hand(frame, envelope, "register"),
          bytes: frame.length,
        });
        return;
      }
      case "last": {
        const reply = { payload: this.#hand(frame, envelope), bytes: frame.length, order };
        const value = replyTid(codec, payload, envelope);
        if (value.kind === "tid") ledger.lastTransactionReply(number, value.tid, call.stamp, reply);
        else ledger.reply(number, { tid: NO_TID, exact: true }, reply);
        return;
      }
      case "resume": {
        // The ledger keeps a view of the oids.
        const own = frame.length < COPY_BELOW_BYTES ? copy(frame) : frame;
        const reply = { payload: this.#hand(own, envelope), bytes: frame.length, order };
        if (replyTid(codec, payload, envelope).kind === "exception") {
          ledger.reply(number, codec.shown(payload, envelope, undefined), reply);
          return;
        }
        ledger.invalidationsReply(
          number,
          call.asked,
          codec.invalidationsReply(own.subarray(LENGTH_BYTES), envelope),
          reply,
        );
        return;
      }
      case "vote": {
        const reply = { payload: this.#hand(frame, envelope), bytes: frame.length, order };
        const { granted, cleared, shown } = voteOutcome(codec, payload, envelope, protocol.family === "old");
        this.#link.voted = granted;
        if (granted) ledger.voteGranted(number, shown, reply);
        else ledger.voteFailed(number, call.transaction, cleared, shown, reply);
        return;
      }
      case "finish": {
        const value = replyTid(codec, payload, envelope);
        const tid = value.kind === "tid" ? value.tid : undefined;
        if (tid !== undefined) guard.committed(tid);
        const reply = { payload: this.#hand(frame, envelope, "finish"), bytes: frame.length, order };
        ledger.finishReply(number, call.number, tid, Date.now(), reply);
      }
    }
  }
}

function copy(bytes: Buffer): Buffer {
  const own = Buffer.allocUnsafeSlow(bytes.length);
  bytes.copy(own);
  return own;
}
