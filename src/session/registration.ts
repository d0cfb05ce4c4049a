import type { Clock } from "../clock.ts";
import type { Announcement, Repair, SessionAction, Stamp } from "../ledger/state.ts";
import { endBy, sessionEnd, type SessionEnd } from "../happening/ends.ts";
import type { Report } from "../happening/happening.ts";
import type { Inbound } from "../storage/inbound.ts";
import type { Member, Storage } from "../storage/storage.ts";
import type { Dialect, Envelope, InvalidationArgs, MessageId, OidShape } from "../wire/codec.ts";
import { framed, LENGTH_BYTES } from "../wire/frame.ts";
import { NO_TID, tidHex, type Tid } from "../wire/ids.ts";
import { INVALIDATE, methodNamed, REPLY } from "../wire/methods.ts";
import { PyTuple } from "../wire/value.ts";
import type { Connection } from "./connection.ts";
import type { Conversation } from "./conversation.ts";
import { oldAnswer } from "./old-answers.ts";
import type { OpenRead } from "./open-reads.ts";
import type { Outlet } from "./outlet.ts";
import type { Turns } from "./turns.ts";

interface Style {
  readonly dialect: Dialect;
  readonly shape: OidShape;
}

/** Behind so long it has told all that it tells, where nobody may ask it. */
const ASSUMED_MS = 1_000;

/** A server's own message of what was made up comes within so long, if it comes (docs/ordering.md, *First a proof*). */
const ECHO_MS = 1_000;

const NOTHING = Buffer.alloc(0);
const NO_MESSAGE: Envelope = { id: 0, flags: 0, method: REPLY, argsAt: 0 };

/** Whose it is, and who is told of what it does. */
export interface Surroundings {
  /** `name`: its upstream's, which may become another one. */
  readonly settings: { readonly name: string };
  /** `address:port` */
  readonly client: string;
  readonly report: Report;
  readonly clock: Clock;
  /** Where the server can't be asked a question of the proxy's own: what measures how long is waited instead. */
  readonly assumes: Clock | undefined;
}

/** Where a registration writes to. */
export interface Ways {
  readonly server: Connection;
  readonly outlet: Outlet;
}

/**
 * A session's place in a storage, from the time `register` is forwarded: its number in the ledger, and what carries out
 * for it what the ledger decides. The guard stands before the client's socket.
 */
export class Registration implements Member {
  readonly client: string;
  readonly server: string;
  readonly storage: Storage;
  /** The session's number in the storage's ledger. */
  readonly number: number;
  readonly #talk: Conversation;
  readonly #ways: Ways;
  readonly #turns: Turns;
  readonly #settings: { readonly name: string };
  readonly #report: Report;
  readonly #clock: Clock;
  readonly #assumes: Clock | undefined;
  /** When something was made up last that its server may still tell of. */
  #madeUpAt = Number.NEGATIVE_INFINITY;
  #cancelAssumed: (() => void) | undefined;
  /** Up to there its client was told otherwise. */
  #joinedAt: Tid = NO_TID;
  /** How its client is written to, since that is known. */
  #known: Style | undefined;

  constructor(
    storage: Storage,
    talk: Conversation,
    ways: Ways,
    turns: Turns,
    { settings, client, report, clock, assumes }: Surroundings,
  ) {
    this.#settings = settings;
    this.client = client;
    this.server = ways.server.peer;
    this.storage = storage;
    this.#talk = talk;
    this.#ways = ways;
    this.#turns = turns;
    this.#report = report;
    this.#clock = clock;
    this.#assumes = assumes;
    this.number = storage.join(this);
    storage.ledger.registerForwarded(this.number);
  }

  /** By its present name. */
  get upstream(): string {
    return this.#settings.name;
  }

  // --- what its storage knows of it -------------------------------------------------------------------------------

  /** Has its client been granted a vote that it has neither finished nor aborted? */
  get hasVoted(): boolean {
    return this.storage.ledger.hasVoted(this.number);
  }

  /** Has its client begun a transaction that is not over? */
  get isCommitting(): boolean {
    return this.isFinishing || this.storage.ledger.hasTransaction(this.number);
  }

  /** Is nothing held for its client, or due to it, or asked for that, and does its server say nothing again that it was told? */
  get isQuiet(): boolean {
    const { ledger } = this.storage;
    if (this.#clock.now() - this.#madeUpAt < ECHO_MS) return false;
    return this.heldBytes === 0 && ledger.isQuiet(this.number) && !ledger.isAsking(this.number);
  }

  /** Is nothing of a commit of its on the way, and nothing held for its client? */
  get isSettled(): boolean {
    return !this.isFinishing && this.heldBytes === 0;
  }

  /** Bytes of what is held for its client. */
  get heldBytes(): number {
    return this.storage.ledger.heldBytes(this.number);
  }

  /** So many messages are held for its client. */
  get held(): number {
    return this.storage.ledger.state.accounts.get(this.number)?.outbox.length ?? 0;
  }

  /** Bytes of what is noted of its client's transactions. */
  get notedBytes(): number {
    return this.storage.ledger.notedBytes(this.number);
  }

  /** May its server's connection be left unread? */
  mayPause(isSlow: boolean): boolean {
    return this.storage.ledger.mayPause(this.number, isSlow);
  }

  /** Does the ledger still keep it: as a client's, or for a commit that is on its way? */
  get isKept(): boolean {
    return this.storage.ledger.isKept(this.number);
  }

  /** Is a `tpc_finish` of its client's on the way? */
  get isFinishing(): boolean {
    return this.storage.ledger.isFinishing(this.number);
  }

  // --- what becomes of it -----------------------------------------------------------------------------------------

  /** It has no place in its storage any more. */
  left(): void {
    this.#cancelAssumed?.();
    this.storage.leave(this.number);
  }

  /** Nobody here follows its client any more, which is served on. */
  leave(): void {
    const { storage, number } = this;
    this.left();
    storage.ledger.clientGone(number);
    storage.run(number);
  }

  /**
   * Its client has registered long ago, and has been told all that it is told of what lies up to that tid: as if the reply to its
   * `register` showed it, or an old server's to the `lastTransaction` behind that. `stamp`: of when it was asked for; `now`: in ms of
   * the clock.
   */
  joined(last: Tid, stamp: Stamp, now: number): void {
    const { ledger } = this.storage;
    const isNew = ledger.family === "new";
    this.#joinedAt = last;
    const payload = { frame: NOTHING, envelope: NO_MESSAGE, tid: NO_TID, role: "joined", since: now } as const;
    const read = { payload, bytes: 0 };
    ledger.registerReply(this.number, isNew ? last : undefined, read);
    if (!isNew) ledger.lastTransactionReply(this.number, last, stamp, read);
    this.storage.run(this.number);
  }

  /** Its client is gone, or given up. A commit of its that is on the way keeps it: see `isKept`. */
  clientGone(): void {
    this.storage.ledger.clientGone(this.number);
    this.storage.run(this.number);
  }

  /** The server's connection has ended, or can't be followed any more; what may still go out goes out. */
  serverGone(mayStillRead: boolean): void {
    this.storage.ledger.serverGone(this.number, mayStillRead);
    this.storage.run(this.number);
  }

  // --- what the ledger decides ------------------------------------------------------------------------------------

  carryOut(action: SessionAction<Inbound>): void {
    switch (action.do) {
      case "forward":
        this.#forward(action.payload);
        return;
      case "announce":
        this.#announce(action.repair, action.announcement);
        return;
      case "resume":
        this.#resume(action.value, action.payload);
        return;
      case "ask":
        if (this.#assumes !== undefined) this.#assume(this.#assumes);
        // Never into the middle of a frame of the client's.
        else this.#talk.clientFrames.between(() => this.ask());
        return;
      case "end":
        this.#turns.end(sessionEnd(action.code, action.tid === NO_TID ? undefined : tidHex(action.tid)), "behind");
        return;
      case "close-client":
        this.#turns.done("client");
        return;
      case "close-server":
        this.#turns.done("server");
    }
  }

  #forward({ frame, envelope, tid, role }: Inbound): void {
    const { outlet } = this.#ways;
    if (outlet.isShut) return;
    if (role === "joined") {
      this.#talk.guard.registerReplyWritten();
      return;
    }
    if (envelope.method === INVALIDATE && this.#isRefused(tid, "completed")) return;
    const fresh = envelope.method === REPLY ? this.#fresh(frame, envelope) : frame;
    if (fresh === undefined) return;
    outlet.write(fresh);
    if (envelope.method === INVALIDATE) this.#told(tid, frame, envelope);
    if (role === "register") this.#talk.guard.registerReplyWritten();
    if (role === "finish") {
      this.#talk.guard.finishReplyWritten();
      this.#turns.look();
    }
    if (role === "none") this.#notResumed(tid);
  }

  // --- old answers ------------------------------------------------------------------------------------------------

  #told(tid: Tid, frame: Buffer, envelope: Envelope): void {
    const { client, reads } = this.#talk;
    if (reads === undefined || reads.size === 0) return;
    reads.told(tid, client.codec.invalidation(frame.subarray(LENGTH_BYTES), envelope).oids);
  }

  /**
   * The answer to a read goes out. If its client was told meanwhile that the object has changed, it gets the end that it has by
   * now; undefined: it is asked once more, as an object can have been created.
   */
  #fresh(frame: Buffer, envelope: Envelope): Buffer | undefined {
    const { reads, client } = this.#talk;
    const read = reads?.take(envelope.id);
    if (read === undefined) return frame;
    const answer = oldAnswer(read, frame, envelope, client.dialect);
    switch (answer.is) {
      case "good":
        return frame;
      case "ended":
        this.#reportOld("ended", read, answer.end);
        return answer.frame;
      case "absent":
        this.#talk.clientFrames.between(() => this.#readAgain(envelope.id, read));
        return undefined;
    }
  }

  #readAgain(id: MessageId, { oid, frame, told }: OpenRead): void {
    const { calls, reads } = this.#talk;
    calls.addPlain(id, READ, this.storage.ledger.stamp);
    reads?.add(id, oid, frame);
    this.#ways.server.write(frame);
    this.#reportOld("asked again", { oid }, told.at(-1) ?? NO_TID);
  }

  #reportOld(repair: "ended" | "asked again", { oid }: { readonly oid: Buffer }, tid: Tid): void {
    const { client, upstream } = this;
    this.storage.counts.oldAnswers++;
    this.#report({ what: "old-answer", repair, oid, tid, upstream, storage: this.storage.name, client });
  }

  /** The server itself has answered None to its `getInvalidations` of that tid, and nobody here knows better. */
  #notResumed(from: Tid): void {
    const { client, upstream } = this;
    this.#report({ what: "not-resumed", from, upstream, storage: this.storage.name, client });
  }

  #announce(repair: Repair, announcement: Announcement): void {
    const { outlet } = this.#ways;
    // Of a commit that has settled since, though its server's message has passed before.
    if (repair === "synthesized" && announcement.tid <= this.#joinedAt) return;
    const style = outlet.isShut ? undefined : this.#style(announcement.tid);
    if (style === undefined) return;
    const { codec } = this.#talk.client;
    const encoded = this.storage.encoder.encode(codec, style.dialect, style.shape, announcement);
    if (this.#isRefused(announcement.tid, repair)) return;
    outlet.announce(encoded, repair);
    this.#talk.reads?.told(announcement.tid, announcement.oids);
    if (repair === "late") this.storage.counts.late++;
    // An old one tells of what it tells before anything can prove that it does not.
    else if (repair === "synthesized" && this.storage.ledger.family === "new") this.#madeUpAt = this.#clock.now();
    this.#report(ANNOUNCED[repair]);
  }

  #resume(value: InvalidationArgs | undefined, { frame, envelope }: Inbound): void {
    const { outlet } = this.#ways;
    const style = outlet.isShut ? undefined : this.#style(value?.tid);
    if (style === undefined) return;
    const payload = frame.subarray(LENGTH_BYTES);
    const { codec } = this.#talk.client;
    outlet.write(framed(codec.encodeInvalidationsReply(payload, envelope, style.dialect, style.shape, value)));
  }

  /** The server would have told of it by then. */
  #assume(clock: Clock): void {
    const { storage, number } = this;
    this.#cancelAssumed?.();
    this.#cancelAssumed = clock.after(ASSUMED_MS, () => {
      storage.ledger.questionReply(number, storage.ledger.facts.known);
      storage.run(number);
    });
  }

  /** Its server did not answer a question as it must. */
  refused(end: SessionEnd): void {
    this.#turns.end(end, "behind");
  }

  /** Asks the server for its last transaction. */
  ask(): void {
    const { codec, protocol } = this.#talk.server;
    // Protocol 1 is what every server reads.
    const dialect = protocol.encoding === "msgpack" ? "msgpack" : "pickle1";
    const id = this.#talk.calls.addQuestion();
    this.#ways.server.write(framed(codec.encode(dialect, id, 0, "lastTransaction", new PyTuple([]))));
    this.storage.counts.questions++;
    this.#report(ASKED);
  }

  /** How the client is written to; undefined: nobody knows, and the session has been ended for it. */
  #style(tid: Tid | undefined): Style | undefined {
    const { dialect, protocol } = this.#talk.client;
    if (dialect !== undefined) {
      if (this.#known?.dialect !== dialect) this.#known = { dialect, shape: protocol.versions ? "pairs" : "plain" };
      return this.#known;
    }
    this.#turns.end(sessionEnd("unknown-dialect", tid && tidHex(tid)), "behind");
    return undefined;
  }

  /** `completed`: it is the server's own, with or without more oids; `late`: told again, where its client's cache stands. */
  #isRefused(tid: Tid, repair: Repair): boolean {
    const { guard } = this.#talk;
    const code = repair === "late" ? guard.refusesAgain(tid) : guard.refuses(tid);
    if (code === undefined) return false;
    // Its client must not go on from what it was told.
    this.storage.ledger.doubt();
    const isServers = code === "guard-inside-finish" && repair === "completed";
    this.#turns.end(sessionEnd(isServers ? "invalidation-inside-finish" : code, tidHex(tid)), "behind");
    return true;
  }

  /** What was held of the server's can't be written. What is read of it is followed all the same. */
  failed(error: unknown): void {
    this.#turns.end(endBy(error, "server"), "at-once");
  }

  look(): void {
    this.#turns.look();
  }
}

const ANNOUNCED = {
  completed: { what: "announced", repair: "completed" },
  synthesized: { what: "announced", repair: "synthesized" },
  late: { what: "announced", repair: "late" },
} as const;
const READ = methodNamed("loadBefore");
const ASKED = { what: "asked" } as const;
