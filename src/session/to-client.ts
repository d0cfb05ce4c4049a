import { endBy, sessionEnd } from "../happening/ends.ts";
import type { Clock } from "../clock.ts";
import type { Reply, StorageLedger } from "../ledger/ledger.ts";
import type { Inbound } from "../storage/inbound.ts";
import type { Seen } from "../storage/reader.ts";
import type { Storage } from "../storage/storage.ts";
import type { Codec, Envelope, InvalidationArgs } from "../wire/codec.ts";
import { newestIn } from "../wire/ending.ts";
import { Horizon } from "../wire/horizon.ts";
import { ProtocolError } from "../wire/errors.ts";
import { framed, LENGTH_BYTES, wholeFrame, type FrameHandler, type Verdict } from "../wire/frame.ts";
import { ANY_TID, NO_TID, type Tid } from "../wire/ids.ts";
import { INVALIDATE, isReplyName, REPLY, SERIALNOS, UNKNOWN } from "../wire/methods.ts";
import { largeReply } from "../wire/large-reply.ts";
import { replyTid } from "../wire/replies.ts";
import { readRefused } from "../wire/serialnos.ts";
import { Skim } from "../wire/skim.ts";
import { voteOutcome } from "../wire/vote.ts";
import type { Call, Calls } from "./calls.ts";
import type { Conversation, Side } from "./conversation.ts";
import { tooShort } from "./heads.ts";
import { FROM_SERVER, type MessageCounts } from "./message-counts.ts";
import type { Outlet } from "./outlet.ts";
import type { Registration } from "./registration.ts";
import type { Turns } from "./turns.ts";

// The frames of a server whose client has registered. While nothing is owed to that client they pass as they come;
// otherwise each goes through the ledger, which hands it back when its rules let it go out.

/** The same as `Inbound`; its frame can be replaced by a copy. */
type OwnInbound = Omit<Inbound, "frame"> & { frame: Buffer };

interface Large {
  /** The newest commit that was finishing when its first bytes were read. */
  readonly arrived: number;
  /** What its call proves has been told. */
  readonly hasProven: boolean;
}

const skim = new Skim();

/** ZEO >= 5 clients number a load by its oid, and by the tid that its serial lies below. */
function isCovered(horizon: Horizon): boolean {
  return skim.isPair && !horizon.isBelowPrevious(skim.c, skim.d);
}

export class ToClient implements FrameHandler {
  readonly #outlet: Outlet;
  readonly #calls: Calls;
  readonly #ledger: StorageLedger<Inbound>;
  /** The session's there. */
  readonly #number: number;
  readonly #storage: Storage;
  readonly #server: Side;
  readonly #talk: Conversation;
  readonly #registration: Registration;
  readonly #turns: Turns;
  readonly #clock: Clock;
  readonly #horizon = new Horizon();
  /** Of messages, by `FROM_SERVER`. */
  readonly #counts: Float64Array;
  /** Of the frame that is held. */
  #envelope: Envelope | undefined;
  /** What the ledger has been handed of the current frame. */
  #handed: OwnInbound | undefined;
  /** The frame that was known. */
  #known: Seen | undefined;
  /** That stands in memory of its own already. */
  #isOwn = false;
  /** The large reply that is the next one. */
  #large: Large | undefined;
  /** The newest commit that the frame waits for which waits; 0: what stands before it does. */
  #waitsFor = 0;

  constructor(
    talk: Conversation,
    registration: Registration,
    outlet: Outlet,
    turns: Turns,
    { clock, messages }: { readonly clock: Clock; readonly messages: MessageCounts },
  ) {
    this.#counts = messages.fromServer;
    this.#outlet = outlet;
    this.#calls = talk.calls;
    this.#ledger = registration.storage.ledger;
    this.#number = registration.number;
    this.#storage = registration.storage;
    this.#server = talk.server;
    this.#talk = talk;
    this.#registration = registration;
    this.#turns = turns;
    this.#clock = clock;
  }

  begin(head: Buffer, length: number): Verdict {
    const server = this.#server;
    const envelope = server.codec.peek(head);
    if (envelope === undefined) return tooShort(head, length);
    this.#envelope = envelope;
    if (envelope.method === INVALIDATE) return "hold";
    if (envelope.method === REPLY) {
      if (this.#calls.special(envelope.id) !== undefined) return "hold";
      const { reads } = this.#talk;
      if (reads !== undefined && reads.size > 0 && reads.isOld(envelope.id)) {
        // It may have waited to flow on.
        this.#large = undefined;
        return "hold";
      }
      if (this.#ledger.isQuiet(this.#number)) {
        this.#large = undefined;
        if (this.#mayBeNew(envelope, head, length)) return "hold";
        this.#counts[FROM_SERVER.reply]!++;
        this.#calls.answered(envelope.id);
        reads?.take(envelope.id);
        return "pass";
      }
      return length > LARGE_BYTES ? this.#largeReply(envelope) : "hold";
    }
    if (envelope.method === SERIALNOS && server.protocol.family === "old") return "hold";
    // It shows nothing, so it waits for nothing but what stands before it.
    if (this.#registration.heldBytes === 0) {
      this.#counts[FROM_SERVER.other]!++;
      return "pass";
    }
    return length > LARGE_BYTES ? this.#behindHeld() : "hold";
  }

  /** Replies to calls that nobody asks for, while nothing is owed. */
  skim(chunk: Buffer, from: number, maxBytes: number): number {
    const calls = this.#calls;
    if (!this.#ledger.isQuiet(this.#number) || calls.hasSpecial) return from;
    const { reads } = this.#talk;
    if (reads !== undefined && reads.size > 0) return from;
    const { codec } = this.#server;
    this.#large = undefined;
    const horizon = this.#upTo();
    const counts = this.#counts;
    let at = from;
    for (;;) {
      const length = wholeFrame(chunk, at, maxBytes);
      const start = at + LENGTH_BYTES;
      const end = start + length;
      if (length < 0 || !codec.skim(chunk, start, end, skim)) return at;
      if (!isReplyName(chunk, skim.nameAt, skim.argsAt)) return at;
      if (horizon !== undefined && !isCovered(horizon) && horizon.isBelowAny(chunk, skim.argsAt, end)) return at;
      counts[FROM_SERVER.reply]!++;
      calls.answeredSkimmed(skim);
      at = end;
    }
  }

  /** Up to where nothing that a load shows is new; undefined: nothing is looked for. */
  #upTo(): Horizon | undefined {
    const horizon = this.#horizon;
    horizon.set(this.#ledger.horizon(this.#number));
    return horizon.isOpen ? undefined : horizon;
  }

  /**
   * May it be a load that shows a commit of which nothing is known yet? What is told of a commit when its client has the object
   * already spoils the client's cache file (docs/protocol.md). One too large to be held is not looked at.
   */
  #mayBeNew({ id, argsAt }: Envelope, head: Buffer, length: number): boolean {
    const horizon = this.#upTo();
    if (horizon === undefined || length > LARGE_BYTES || this.#calls.plain(id)?.method.dataFirst !== true) return false;
    if (skim.setId(id) && isCovered(horizon)) return false;
    return head.length < length || horizon.isBelowAny(head, argsAt, length);
  }

  /** The server says the same to every client: of its message to the first of them all others know what it says. */
  knows(chunk: Buffer, at: number): number {
    if (this.#server.dialect === undefined) return 0;
    this.#known = this.#storage.reader.seenAt(chunk, at);
    return this.#known?.frame.length ?? 0;
  }

  known(): void {
    if (this.#known === undefined) throw new Error("a frame that is not known");
    this.#counts[FROM_SERVER.invalidation]!++;
    this.#invalidation(this.#known);
    this.#storage.run(this.#number, this.#handed);
    this.#handed = undefined;
  }

  // --- what is too large to be held -------------------------------------------------------------------------------

  /** A reply flows on but for its last bytes, as soon as it can show nothing that is still to be told. */
  #largeReply(envelope: Envelope): Verdict {
    const calls = this.#calls;
    const storage = this.#storage;
    const number = this.#number;
    const { method, order } = calls.plain(envelope.id) ?? UNKNOWN_CALL;
    const showing = largeReply(method);
    if (showing === "anywhere") return "hold";
    if (this.#large === undefined) {
      this.#large = { arrived: storage.ledger.newestFinish, hasProven: false };
      return "flush";
    }
    const { arrived, hasProven } = this.#large;
    if (!hasProven) {
      this.#large = { arrived, hasProven: true };
      storage.ledger.largeBegun(number, order);
      storage.run(number);
    }
    const may = storage.ledger.mayFlow(number, arrived);
    if (may === "wait") {
      this.#waitsFor = arrived;
      return "wait";
    }
    this.#large = undefined;
    if (may === "hold") return "hold";
    this.#counts[FROM_SERVER.reply]!++;
    calls.answered(envelope.id);
    this.#talk.reads?.take(envelope.id);
    return showing === "nothing" ? "pass" : ENDING;
  }

  /** What stands before it waits for others' commits, or for what the server writes behind it. */
  #behindHeld(): Verdict {
    this.#waitsFor = 0;
    return this.stillWaits() ? "wait" : "hold";
  }

  stillWaits(): boolean {
    return this.#ledger.mayFlow(this.#number, this.#waitsFor) === "wait";
  }

  ending(bytes: Buffer): void {
    const mayEnd = this.#ledger.largeEnds(this.#number, newestIn(bytes));
    if (mayEnd) this.#outlet.write(bytes);
    this.#storage.run(this.#number);
  }

  flow(bytes: Buffer): void {
    this.#outlet.write(bytes);
  }

  frame(frame: Buffer, payload: Buffer, isView: boolean): void {
    const envelope = this.#envelope;
    if (envelope === undefined) throw new Error("a frame that was not begun");
    this.#counts[saidBy(envelope)]!++;
    const call = envelope.method === REPLY ? this.#calls.special(envelope.id) : undefined;
    try {
      this.#read(frame, payload, envelope, call, isView);
    } catch (error) {
      // Where the frame ends is known. So only this session ends, as long as the reply to its commit can still be read.
      const canGoOn = error instanceof ProtocolError && this.#registration.isFinishing && call?.sort !== "finish";
      if (!canGoOn) throw error;
      this.#handed = undefined;
      this.#turns.end(endBy(error, "server", this.#talk.serverFrames.payloadOffset), "at-once");
    }
  }

  #read(frame: Buffer, payload: Buffer, envelope: Envelope, call: Call | undefined, isView: boolean): void {
    const server = this.#server;
    server.dialect ??= server.codec.dialect(payload, server.protocol.family === "old");
    this.#talk.client.dialect = server.dialect;
    if (envelope.method !== REPLY) this.#message(frame, payload, envelope);
    else if (call === undefined) this.#reply(frame, payload, envelope);
    else {
      this.#calls.answered(envelope.id);
      // The ledger keeps a view of its oids.
      const own = isView && call.sort === "resume" ? Buffer.from(frame) : frame;
      this.#answer(call, own, own === frame ? payload : own.subarray(LENGTH_BYTES), envelope);
    }
    this.#storage.run(this.#number, this.#handed);
    if (isView) this.#keep();
    this.#handed = undefined;
  }

  #hand(frame: Buffer, envelope: Envelope, role: Inbound["role"], tid: Tid): Inbound {
    this.#isOwn = false;
    this.#handed = { frame, envelope, tid, role, since: this.#clock.now() };
    return this.#handed;
  }

  /** `tid`: an invalidation's, or what a `getInvalidations` has asked for. */
  #asRead(frame: Buffer, envelope: Envelope, order = 0, role?: Inbound["role"], tid = NO_TID): Reply<Inbound> {
    return { payload: this.#hand(frame, envelope, role, tid), bytes: frame.length, order };
  }

  /** It is a part of what was received, which is somebody else's again when this is over. */
  #keep(): void {
    // What nearly always has gone out at once is copied only if it waits.
    const handed = this.#handed;
    if (handed === undefined || this.#isOwn) return;
    if (this.#registration.heldBytes > 0) handed.frame = Buffer.from(handed.frame);
  }

  // --- messages ---------------------------------------------------------------------------------------------------

  #message(frame: Buffer, payload: Buffer, envelope: Envelope): void {
    const ledger = this.#ledger;
    const number = this.#number;
    if (envelope.method === INVALIDATE) {
      this.#invalidation(this.#storage.reader.read(this.#server.codec, frame, payload, envelope));
      return;
    }
    if (envelope.method === SERIALNOS) {
      const { oids, shown } = readRefused(payload, envelope);
      if (oids.length > 0) ledger.storesRefused(number, oids);
      if (shown.tid !== NO_TID) {
        // A conflict names a committed serial, before the vote's reply does.
        ledger.reply(number, shown, this.#asRead(frame, envelope));
        return;
      }
    }
    ledger.otherMessage(number, this.#asRead(frame, envelope));
  }

  #invalidation({ frame, envelope, args }: Seen): void {
    const read = this.#asRead(frame, envelope, 0, undefined, args.tid);
    this.#isOwn = true;
    this.#ledger.invalidation(this.#number, args, read.payload.since, read);
  }

  // --- replies ----------------------------------------------------------------------------------------------------

  /** That to a call whose reply the ledger need not read. */
  #reply(frame: Buffer, payload: Buffer, envelope: Envelope): void {
    const { method, order } = this.#calls.takePlain(envelope.id) ?? UNKNOWN_CALL;
    const evidence = this.#server.codec.shown(payload, envelope, method);
    this.#ledger.reply(this.#number, evidence, this.#asRead(frame, envelope, order));
  }

  #question(payload: Buffer, envelope: Envelope): void {
    const value = replyTid(this.#server.codec, payload, envelope);
    if (!this.#ledger.isAsking(this.#number)) return;
    if (value.kind === "tid") this.#ledger.questionReply(this.#number, value.tid);
    else this.#turns.end(sessionEnd("question-refused", "no tid", { expected: "the last transaction's" }), "behind");
  }

  /** The answer to a `getInvalidations` without what nobody can read: from None a client can go on. */
  #none(payload: Buffer, envelope: Envelope): Buffer {
    const { codec, dialect } = this.#server;
    const none = dialect ?? (codec.encoding === "msgpack" ? "msgpack" : "pickle1");
    return framed(codec.encodeInvalidationsReply(payload, envelope, none, "plain", undefined));
  }

  #answer(call: Call, frame: Buffer, payload: Buffer, envelope: Envelope): void {
    const ledger = this.#ledger;
    const number = this.#number;
    const { codec, protocol } = this.#server;
    switch (call.sort) {
      case "register": {
        const value = replyTid(codec, payload, envelope);
        if (value.kind === "exception") {
          ledger.registerFailed(number, this.#asRead(frame, envelope));
          // The reply goes out while the session is still a member.
          this.#storage.run(number);
          this.#turns.unregister();
          return;
        }
        // An old server's shows nothing, whatever it is.
        if (value.kind === "unclear" && protocol.family === "new") throw unclear(codec, envelope, "register");
        const tid = value.kind === "tid" && protocol.family === "new" ? value.tid : undefined;
        ledger.registerReply(number, tid, this.#asRead(frame, envelope, 0, "register"));
        return;
      }
      case "last": {
        const value = replyTid(codec, payload, envelope);
        const read = this.#asRead(frame, envelope, call.stamp.order);
        if (value.kind === "tid") ledger.lastTransactionReply(number, value.tid, call.stamp, read);
        else ledger.reply(number, value.kind === "unclear" ? ANYTHING : { tid: NO_TID, exact: true }, read);
        return;
      }
      case "resume": {
        if (codec.isException(payload, envelope)) {
          const read = this.#asRead(frame, envelope, call.stamp.order);
          ledger.reply(number, codec.shown(payload, envelope, UNKNOWN), read);
          return;
        }
        const answer = resumed(codec, payload, envelope);
        const own = answer === "unclear" ? this.#none(payload, envelope) : frame;
        const role = answer === undefined ? "none" : undefined;
        const read = this.#asRead(own, envelope, call.stamp.order, role, call.asked);
        ledger.invalidationsReply(number, call.asked, answer === "unclear" ? undefined : answer, read);
        return;
      }
      case "vote": {
        const outcome = voteOutcome(codec, payload, envelope, protocol.family === "old");
        const read = this.#asRead(frame, envelope, call.stamp.order);
        if (outcome.kind === "granted") ledger.voteGranted(number, NO_TID, read);
        else if (outcome.kind === "failed") {
          ledger.voteFailed(number, call.transaction, outcome.cleared, outcome.shown, read);
        } else {
          // Nothing is concluded from it, and it waits as long as anything could make it.
          ledger.voteUnclear(number, read);
        }
        return;
      }
      case "finish": {
        const value = replyTid(codec, payload, envelope);
        if (value.kind === "unclear") throw unclear(codec, envelope, "tpc_finish");
        const read = this.#asRead(frame, envelope, call.stamp.order, "finish");
        if (value.kind === "exception") {
          ledger.finishFailed(number, call.number, read);
          return;
        }
        const tid = value.kind === "tid" ? value.tid : undefined;
        if (tid !== undefined) this.#talk.guard.committed(tid);
        ledger.finishReply(number, call.number, tid, this.#clock.now(), read);
        return;
      }
      case "question":
        this.#question(payload, envelope);
    }
  }
}

function saidBy({ method }: Envelope): number {
  if (method === REPLY) return FROM_SERVER.reply;
  return method === INVALIDATE ? FROM_SERVER.invalidation : FROM_SERVER.other;
}

/** A reply with more payload is not kept until it is known what it shows. */
const LARGE_BYTES = 1024 * 1024;

/** The last bytes of a load's reply: serials, and what each encoding has between and behind them. */
const ENDING = { endBytes: 128 };

/** A reply that can't be read may show anything, and proves nothing. */
const ANYTHING = { tid: ANY_TID, exact: false };

/** Nobody knows what the reply answers: it may show anything, and proves nothing. */
const UNKNOWN_CALL = { method: UNKNOWN, order: 0 };

/** A reply that a rule can't do without: nobody knows what the client will take it for. */
function unclear(codec: Codec, { argsAt }: Envelope, call: string): ProtocolError {
  return new ProtocolError(
    `bad-${codec.encoding}`,
    argsAt,
    `a tid, None or an exception as the reply to ${call}`,
    "another value",
  );
}

/** What a `getInvalidations` was answered: undefined for None. */
function resumed(codec: Codec, payload: Buffer, envelope: Envelope): InvalidationArgs | "unclear" | undefined {
  try {
    return codec.invalidationsReply(payload, envelope);
  } catch (error) {
    if (error instanceof ProtocolError) return "unclear";
    throw error;
  }
}
