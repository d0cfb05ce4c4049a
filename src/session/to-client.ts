import { sessionEnd } from "../happening/ends.ts";
import type { Clock } from "../clock.ts";
import type { Reply } from "../ledger/ledger.ts";
import type { Inbound } from "../storage/inbound.ts";
import type { Envelope } from "../wire/codec.ts";
import { LENGTH_BYTES, type FrameHandler, type Verdict } from "../wire/frame.ts";
import { NO_TID } from "../wire/ids.ts";
import { INVALIDATE, REPLY, SERIALNOS, UNKNOWN } from "../wire/methods.ts";
import { replyTid } from "../wire/replies.ts";
import { readRefused } from "../wire/serialnos.ts";
import { voteOutcome } from "../wire/vote.ts";
import { QUESTION_ID, type Call } from "./calls.ts";
import type { Conversation } from "./conversation.ts";
import { tooShort } from "./heads.ts";
import type { Outlet } from "./outlet.ts";
import type { Registration } from "./registration.ts";
import type { Turns } from "./turns.ts";

// The frames of a server whose client has registered. While nothing is owed to that client they pass as they come;
// otherwise each goes through the ledger, which hands it back when its rules let it go out.

/** The same as `Inbound`; its frame can be replaced by a copy. */
type OwnInbound = Omit<Inbound, "frame"> & { frame: Buffer };

export class ToClient implements FrameHandler {
  readonly #talk: Conversation;
  readonly #registration: Registration;
  readonly #outlet: Outlet;
  readonly #turns: Turns;
  readonly #clock: Clock;
  /** Of the frame that is held. */
  #envelope: Envelope | undefined;
  /** What the ledger has been handed of the current frame. */
  #handed: OwnInbound | undefined;

  constructor(talk: Conversation, registration: Registration, outlet: Outlet, turns: Turns, clock: Clock) {
    this.#talk = talk;
    this.#registration = registration;
    this.#outlet = outlet;
    this.#turns = turns;
    this.#clock = clock;
  }

  begin(head: Buffer, length: number): Verdict {
    const { server, calls } = this.#talk;
    const envelope = server.codec.peek(head);
    if (envelope === undefined) return tooShort(head, length);
    this.#envelope = envelope;
    if (envelope.method === INVALIDATE) return "hold";
    const { storage, number } = this.#registration;
    if (envelope.method === REPLY) {
      if (envelope.id === QUESTION_ID || calls.special(envelope.id) !== undefined) return "hold";
      if (!storage.ledger.isQuiet(number)) return "hold";
      calls.answered(envelope.id);
      return "pass";
    }
    if (envelope.method === SERIALNOS && server.protocol.family === "old") return "hold";
    return storage.ledger.isQuiet(number) ? "pass" : "hold";
  }

  flow(bytes: Buffer): void {
    this.#outlet.write(bytes);
  }

  frame(frame: Buffer, isView: boolean): void {
    const envelope = this.#envelope;
    if (envelope === undefined) throw new Error("a frame that was not begun");
    const { client, server } = this.#talk;
    server.dialect ??= server.codec.dialect(frame.subarray(LENGTH_BYTES), server.protocol.family === "old");
    client.dialect = server.dialect;
    if (envelope.method === REPLY) this.#reply(frame, envelope, isView);
    else this.#message(frame, envelope);
    const { storage, number } = this.#registration;
    storage.run(number);
    if (isView) this.#keep();
    this.#handed = undefined;
  }

  #hand(frame: Buffer, envelope: Envelope, role?: Inbound["role"]): Inbound {
    this.#handed = { frame, envelope, role, since: this.#clock.now() };
    return this.#handed;
  }

  #read(frame: Buffer, envelope: Envelope, order = 0, role?: Inbound["role"]): Reply<Inbound> {
    return { payload: this.#hand(frame, envelope, role), bytes: frame.length, order };
  }

  /** It is a part of what was received, which is somebody else's again when this is over. */
  #keep(): void {
    // What nearly always has gone out at once is copied only if it waits.
    const handed = this.#handed;
    if (handed !== undefined && this.#registration.heldBytes > 0) handed.frame = copy(handed.frame);
  }

  // --- messages ---------------------------------------------------------------------------------------------------

  #message(frame: Buffer, envelope: Envelope): void {
    const { storage, number } = this.#registration;
    const { ledger } = storage;
    const payload = frame.subarray(LENGTH_BYTES);
    if (envelope.method === INVALIDATE) {
      const args = storage.reader.read(this.#talk.server.codec, payload, envelope);
      ledger.invalidation(number, args, this.#read(frame, envelope));
      return;
    }
    if (envelope.method === SERIALNOS) {
      const { oids, shown } = readRefused(payload, envelope);
      if (oids.length > 0) ledger.storesRefused(number, oids);
      if (shown !== NO_TID) {
        // A conflict names a committed serial, before the vote's reply does.
        ledger.reply(number, { tid: shown, exact: true }, this.#read(frame, envelope));
        return;
      }
    }
    ledger.otherMessage(number, this.#read(frame, envelope));
  }

  // --- replies ----------------------------------------------------------------------------------------------------

  #reply(frame: Buffer, envelope: Envelope, isView: boolean): void {
    const { calls } = this.#talk;
    if (envelope.id === QUESTION_ID) {
      this.#question(frame, envelope);
      return;
    }
    const call = calls.special(envelope.id);
    if (call === undefined) {
      const { method, order } = calls.takePlain(envelope.id) ?? UNKNOWN_CALL;
      const evidence = this.#talk.server.codec.shown(frame.subarray(LENGTH_BYTES), envelope, method);
      this.#registration.storage.ledger.reply(this.#registration.number, evidence, this.#read(frame, envelope, order));
      return;
    }
    calls.answered(envelope.id);
    // The ledger keeps a view of its oids.
    this.#answer(call, isView && call.sort === "resume" ? copy(frame) : frame, envelope);
  }

  #question(frame: Buffer, envelope: Envelope): void {
    const { storage, number } = this.#registration;
    const value = replyTid(this.#talk.server.codec, frame.subarray(LENGTH_BYTES), envelope);
    if (!storage.ledger.isAsking(number)) return;
    if (value.kind === "tid") storage.ledger.questionReply(number, value.tid);
    else this.#turns.end(sessionEnd("question-refused", "no tid", { expected: "the last transaction's" }), "behind");
  }

  #answer(call: Call, frame: Buffer, envelope: Envelope): void {
    const { storage, number } = this.#registration;
    const { ledger } = storage;
    const { guard } = this.#talk;
    const { codec, protocol } = this.#talk.server;
    const payload = frame.subarray(LENGTH_BYTES);
    switch (call.sort) {
      case "register": {
        const value = replyTid(codec, payload, envelope);
        if (value.kind === "exception") {
          ledger.registerFailed(number, this.#read(frame, envelope));
          // The reply goes out while the session is still a member.
          storage.run(number);
          this.#turns.unregister();
          return;
        }
        const tid = value.kind === "tid" && protocol.family === "new" ? value.tid : undefined;
        ledger.registerReply(number, tid, this.#read(frame, envelope, 0, "register"));
        return;
      }
      case "last": {
        const value = replyTid(codec, payload, envelope);
        const read = this.#read(frame, envelope, call.stamp.order);
        if (value.kind === "tid") ledger.lastTransactionReply(number, value.tid, call.stamp, read);
        else ledger.reply(number, { tid: NO_TID, exact: true }, read);
        return;
      }
      case "resume": {
        const read = this.#read(frame, envelope, call.stamp.order);
        if (replyTid(codec, payload, envelope).kind === "exception") {
          ledger.reply(number, codec.shown(payload, envelope, UNKNOWN), read);
          return;
        }
        ledger.invalidationsReply(number, call.asked, codec.invalidationsReply(payload, envelope), read);
        return;
      }
      case "vote": {
        const { granted, cleared, shown } = voteOutcome(codec, payload, envelope, protocol.family === "old");
        const read = this.#read(frame, envelope, call.stamp.order);
        if (granted) ledger.voteGranted(number, shown, read);
        else ledger.voteFailed(number, call.transaction, cleared, shown, read);
        return;
      }
      case "finish": {
        const value = replyTid(codec, payload, envelope);
        const read = this.#read(frame, envelope, call.stamp.order, "finish");
        if (value.kind === "exception") {
          ledger.finishFailed(number, call.number, read);
          return;
        }
        const tid = value.kind === "tid" ? value.tid : undefined;
        if (tid !== undefined) guard.committed(tid);
        ledger.finishReply(number, call.number, tid, this.#clock.now(), read);
      }
    }
  }
}

/** Nobody knows what the reply answers: it may show anything, and proves nothing. */
const UNKNOWN_CALL = { method: UNKNOWN, order: 0 };

function copy(bytes: Buffer): Buffer {
  const own = Buffer.allocUnsafeSlow(bytes.length);
  bytes.copy(own);
  return own;
}
