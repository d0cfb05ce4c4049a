import { StorageLedger, type Reply } from "../../src/ledger/ledger.ts";
import type { Action, StorageState } from "../../src/ledger/state.ts";
import { client, disconnect, missing, wanted, type Violation } from "./client.ts";
import { unshare } from "./clone.ts";
import { CREATED, DELETED, fullParts, isNew, KINDS, MODIFIED, UNDONE, type Config } from "./config.ts";
import {
  Finish,
  LOAD,
  message,
  MessageKind,
  namesOthers,
  oidsOf,
  partsIn,
  QUESTION,
  Resumed,
  tid,
  Vote,
  type Message,
  type SmallTid,
} from "./message.ts";
import { conn } from "./server.ts";
import { isTooMuch, trimTo } from "./trim.ts";
import { ask, giveUp, goDown, read, readBack } from "./watch.ts";
import { ClientPhase, type Conn, type World } from "./world.ts";

/** So late that whatever time decides has come about, but for what waits for ever. */
export const AT_LAST = Number.MAX_SAFE_INTEGER;

/** The id of every transaction: clients use theirs again, and so do others. */
const TRANSACTION_ID = 7;

/** What a session of the proxy does around the ledger: events go in, actions come out. */
export class Proxy {
  readonly #config: Config;
  readonly #world: World;
  readonly #ledger: StorageLedger<Message>;
  /** Told of everything that a trace should show. */
  readonly #note: ((text: string) => void) | undefined;

  constructor(config: Config, world: World, note?: (text: string) => void) {
    this.#config = config;
    this.#world = world;
    this.#ledger = new StorageLedger(world.ledger, config.historyBytes);
    this.#note = note;
  }

  // --- client to server -------------------------------------------------------------------------------------------

  /** Passes a call on, and keeps with it what its reply will need. */
  forward(slot: number, call: Message): void {
    const s = conn(this.#world, slot);
    if (s.foreign) {
      s.toServer = [...s.toServer, call];
      return;
    }
    const { stamp } = this.#ledger;
    if (this.#config.lates && client(this.#world, s.client).phase === ClientPhase.ready)
      this.#ledger.workForwarded(s.number);
    if (call.kind === MessageKind.register) this.#ledger.registerForwarded(s.number);
    this.#noted();
    s.toServer = [...s.toServer, { ...call, stamp }];
  }

  /** What a client sends is noted only: nothing is to be done before the server answers. */
  #noted(): void {
    const [action] = this.#ledger.take();
    if (action !== undefined) throw new Error(`a call that was forwarded led to ${action.do}`);
  }

  /** `tpc_begin`, the stores, `vote`; or, after conflicts, the stores and the vote once more. */
  vote(slot: number, kind: number, transaction: number, again: boolean, explicit: SmallTid = 0): void {
    const s = conn(this.#world, slot);
    if (!s.foreign) {
      if (!again) this.#ledger.beginForwarded(s.number, TRANSACTION_ID, tid(explicit));
      else unshare(this.#world.ledger.accounts.get(s.number));
      this.#stores(s.number, kind, transaction, explicit !== 0);
    }
    this.forward(slot, message(MessageKind.vote, { a: kind, b: explicit, number: transaction }));
  }

  /** Between two commits enough time goes by for whatever needs time, or none. */
  get #now(): number {
    return this.#config.swift ? 0 : this.#ledger.state.settles * 3_600_000;
  }

  #stores(session: number, kind: number, transaction: number, copied: boolean): void {
    const parts = fullParts(kind);
    const store = (part: number, sort: "created" | "modified" | "deleted", serial: "zero" | "set"): void => {
      if ((parts & part) === 0) return;
      const how = copied ? "restored" : sort;
      this.#ledger.storeForwarded(session, TRANSACTION_ID, how, serial, oidsOf(transaction, part), 0);
    };
    store(MODIFIED, "modified", "set");
    store(CREATED, "created", "zero");
    store(DELETED, "deleted", "set");
    if ((parts & UNDONE) !== 0) this.#ledger.undoForwarded(session, TRANSACTION_ID);
  }

  finish(slot: number): void {
    const s = conn(this.#world, slot);
    s.finishSent = false;
    const { stamp } = this.#ledger;
    const number = this.#ledger.finishForwarded(s.number, TRANSACTION_ID);
    this.#noted();
    s.toServer = [...s.toServer, message(MessageKind.finish, { stamp, number })];
  }

  abort(slot: number): void {
    const s = conn(this.#world, slot);
    if (!s.foreign) this.#ledger.abortForwarded(s.number, TRANSACTION_ID);
    this.#noted();
    s.toServer = [...s.toServer, message(MessageKind.abort)];
  }

  /** The client has closed its half, and nothing of a commit of its is on the way. */
  passEnd(slot: number): void {
    const s = conn(this.#world, slot);
    s.endPassed = true;
    s.toServer = [...s.toServer, message(MessageKind.halfClose)];
  }

  /** The client's end is seen. */
  clientGone(slot: number): Violation | undefined {
    const s = conn(this.#world, slot);
    s.dead = true;
    s.toClient = [];
    this.#ledger.clientGone(s.number);
    const violation = this.#act();
    if (!this.#ledger.isKept(s.number)) this.#closeServer(s);
    return violation;
  }

  tick(): Violation | undefined {
    this.#ledger.tick(AT_LAST);
    return this.#act();
  }

  /** The history is trimmed to its newest commits. */
  trim(kept: number): Violation | undefined {
    const w = this.#world;
    const before = w.ledger.history.length + w.ledger.limbo.length;
    const actions = trimTo(w.ledger, kept, this.#config.trimMistake);
    if (w.ledger.history.length + w.ledger.limbo.length < before) w.rare = { ...w.rare, trims: w.rare.trims + 1 };
    const violation = this.#act(actions);
    return isTooMuch(w.ledger, kept) ? "3 more is kept than somebody is still to be told of" : violation;
  }

  witness(
    event: "witness-asks" | "witness-reads" | "witness-reads-back" | "witness-down" | "witness-off" | "hold-over",
  ): Violation | undefined {
    const w = this.#world;
    const ledger = this.#ledger;
    switch (event) {
      case "witness-asks":
        ask(w, ledger);
        break;
      case "witness-reads":
        read(this.#config, w, ledger, this.#now);
        break;
      case "witness-reads-back":
        readBack(w, ledger, this.#now);
        break;
      case "witness-down":
        goDown(w, ledger);
        break;
      case "witness-off":
        giveUp(w, ledger);
        break;
      case "hold-over":
        w.watch = { ...w.watch, holds: w.watch.holds + 1 };
        // Once it is seen who waits, and once more.
        ledger.tick(0, { holdMs: 0, goesOn: false });
        ledger.tick(0, { holdMs: 0, goesOn: false });
    }
    return this.#act();
  }

  // --- server to client -------------------------------------------------------------------------------------------

  /** One message is read from a server's connection. */
  read(slot: number): Violation | undefined {
    const s = conn(this.#world, slot);
    const [m] = s.toProxy as [Message];
    s.toProxy = s.toProxy.slice(1);
    const session = s.number;
    const reply: Reply<Message> = { payload: m, bytes: 1, order: m.stamp.order };
    switch (m.kind) {
      case MessageKind.registerReply:
        this.#ledger.registerReply(session, isNew(this.#config) ? tid(m.a) : undefined, reply);
        break;
      case MessageKind.registerError:
        this.#ledger.registerFailed(session, reply);
        break;
      case MessageKind.readReply:
        this.#readReply(session, m, reply);
        break;
      case MessageKind.invalidations:
        this.#ledger.invalidationsReply(session, tid(m.b), m.args, reply);
        break;
      case MessageKind.serialnos:
        unshare(this.#world.ledger.accounts.get(session));
        this.#ledger.storesRefused(session, oidsOf(m.number, fullParts(m.mask) & (MODIFIED | CREATED)));
        this.#ledger.reply(session, { tid: tid(m.a), exact: true }, reply);
        break;
      case MessageKind.voteReply:
        this.#voteReply(session, m, reply);
        break;
      case MessageKind.finishReply: {
        // None shows no tid.
        const shown = m.a === 0 ? undefined : tid(m.a);
        if (m.b === Finish.thrown) this.#ledger.finishFailed(session, m.number, reply);
        else this.#ledger.finishReply(session, m.number, shown, this.#now, reply);
        if (m.mask === 1 && this.#world.rare.proof === 0) this.#world.rare = { ...this.#world.rare, proof: m.a };
        break;
      }
      case MessageKind.invalidation:
        if (m.args === undefined) throw new Error("an invalidation without arguments");
        this.#ledger.invalidation(session, m.args, this.#now, reply);
        break;
      case MessageKind.broken:
        s.closed = true;
        this.#ledger.serverGone(session, this.#config.lateCuts);
        break;
      default:
        throw new Error(`the proxy read a message of kind ${m.kind}`);
    }
    return this.#act();
  }

  #readReply(session: number, m: Message, reply: Reply<Message>): void {
    const { passing, vague } = this.#config;
    if (m.b === QUESTION) {
      this.#ledger.questionReply(session, tid(m.a));
    } else if (m.b === LOAD) {
      this.#ledger.reply(session, { tid: tid(0), exact: true }, reply);
    } else if ((passing || vague) && client(this.#world, this.#clientOf(session)).phase === ClientPhase.ready) {
      if (passing && this.#ledger.isQuiet(session) && tid(m.a) <= this.#ledger.horizon(session))
        this.#write(session, m);
      else this.#ledger.reply(session, { tid: tid(m.a), exact: !vague }, reply);
    } else {
      this.#ledger.lastTransactionReply(session, tid(m.a), m.stamp, reply);
    }
  }

  #voteReply(session: number, m: Message, reply: Reply<Message>): void {
    switch (m.a) {
      case Vote.already:
        this.#ledger.voteFailed(session, TRANSACTION_ID, false, tid(0), reply);
        return;
      case Vote.exception:
        this.#ledger.voteFailed(session, TRANSACTION_ID, true, tid(m.b), reply);
        return;
      case Vote.conflicts:
        this.#ledger.voteFailed(session, TRANSACTION_ID, false, tid(m.b), reply);
        return;
      default:
        this.#ledger.voteGranted(session, tid(0), reply);
        if (this.#world.rare.open !== 0) this.#world.rare = { ...this.#world.rare, open: 0 };
    }
  }

  // --- actions ----------------------------------------------------------------------------------------------------

  #act(actions = this.#ledger.take()): Violation | undefined {
    let violation: Violation | undefined;
    for (const action of actions) violation ??= this.#do(action);
    return violation;
  }

  #do(action: Action<Message>): Violation | undefined {
    switch (action.do) {
      case "forward":
        this.#write(action.session, this.#forwarded(action.payload));
        return undefined;
      case "announce":
        return this.#announce(action);
      case "resume":
        return this.#resume(action);
      case "ask": {
        const s = this.#conn(action.session);
        if (!s.endPassed) s.toServer = [...s.toServer, message(MessageKind.read, { b: QUESTION })];
        return undefined;
      }
      case "end":
        this.#note?.(`      the proxy ends session ${action.session}: ${action.code}`);
        return this.#end(action);
      case "close-client": {
        const s = this.#conn(action.session);
        s.closing = true;
        s.closed = true;
        s.toProxy = [];
        return undefined;
      }
      case "close-server":
        this.#closeServer(this.#conn(action.session));
        return undefined;
      case "told-late":
        return this.#toldLate(action.by, Number(action.tid));
      case "repaired":
        return action.settled.owed === undefined ? undefined : "3 a repair is logged before everyone was told";
      case "committed":
      case "foreign":
        return undefined;
      case "copied-history":
        return this.#config.copies > 0 ? undefined : "2 a commit is taken for copied history";
      case "ledger-ended":
        return this.#config.restores + this.#config.copies > 0 ? undefined : "2 the database is taken for another one";
    }
  }

  /** The server's invalidation or `getInvalidations` reply, as it is; everything else as itself. */
  #forwarded(m: Message): Message {
    if (m.kind === MessageKind.invalidation && m.args !== undefined) {
      return { ...m, mask: partsIn(m.args.oids, this.#world.transactions[m.a] ?? 0) };
    }
    if (m.kind === MessageKind.invalidations && m.args !== undefined) {
      return this.#resumed(m.b, m.a, m.args.oids);
    }
    if (m.kind === MessageKind.invalidations) return message(MessageKind.resumed, { b: m.b, number: Resumed.none });
    return m;
  }

  #announce(action: Extract<Action<Message>, { do: "announce" }>): Violation | undefined {
    const t = Number(action.announcement.tid);
    const transaction = this.#world.transactions[t] ?? 0;
    const { oids } = action.announcement;
    if (action.repair === "late") {
      const own = partsIn(oids, transaction) === 0 ? 0 : 1;
      this.#write(action.session, message(MessageKind.again, { a: t, b: own, mask: this.#told(oids) }));
      return undefined;
    }
    const madeUp = action.repair === "synthesized";
    this.#write(action.session, message(MessageKind.invalidation, { a: t, mask: partsIn(oids, transaction), madeUp }));
    if (madeUp !== (action.payload === undefined)) return "3 a made-up invalidation replaces one of the server's";
    const { proof } = this.#world.rare;
    if (proof !== 0 && t > proof && this.#namesLimbo(oids, transaction))
      return `2 T${t} is told with oids of a commit that T${proof} has settled`;
    if (!this.#mayHaveLimbo && namesOthers(oids, transaction)) return `2 T${t} is told with oids of others`;
    return undefined;
  }

  #resume(action: Extract<Action<Message>, { do: "resume" }>): Violation | undefined {
    const asked = Number(action.from);
    if (action.value === undefined) {
      this.#write(action.session, message(MessageKind.resumed, { b: asked, number: Resumed.none }));
      return undefined;
    }
    const { tid: upTo, oids } = action.value;
    this.#write(action.session, this.#resumed(asked, Number(upTo), oids));
    const { proof } = this.#world.rare;
    if (proof === 0 || asked < proof || !this.#namesLimbo(oids, 0)) return undefined;
    return `2 getInvalidations(T${asked}) is told oids of a commit that T${proof} has settled`;
  }

  /** Can the oids of a commit be told with another one's? */
  get #mayHaveLimbo(): boolean {
    const { cuts, hangups, restores, throws, halfCloses } = this.#config;
    return cuts + hangups + restores + throws + halfCloses > 0;
  }

  #toldLate(session: number, t: SmallTid): Violation | undefined {
    if (!this.#config.lates) return `4 the message of T${t} is taken for a late one`;
    // It names nothing that could be told.
    if (wanted(this.#config, this.#world, t) === 0) client(this.#world, this.#clientOf(session)).stale &= ~(1 << t);
    return undefined;
  }

  #namesLimbo(oids: Buffer, except: number): boolean {
    const { limbos } = this.#world.rare;
    for (let n = 1; n < 32; n++) {
      if ((limbos & (1 << n)) !== 0 && n !== except && partsIn(oids, n) !== 0) return true;
    }
    return false;
  }

  /** The tids whose oids are all in the list. */
  #told(oids: Buffer): number {
    const w = this.#world;
    let told = 0;
    for (let t = 1; t <= w.top; t++) {
      if ((wanted(this.#config, w, t) & ~partsIn(oids, w.transactions[t] ?? 0)) === 0) told |= 1 << t;
    }
    return told;
  }

  #resumed(asked: number, upTo: number, oids: Buffer): Message {
    const w = this.#world;
    let told = 0;
    for (let t = 1; t <= w.top; t++) {
      const bit = w.rest & ~w.must & (1 << t);
      if (bit !== 0 && (wanted(this.#config, w, t) & ~partsIn(oids, w.transactions[t] ?? 0)) === 0) told |= bit;
    }
    let complete: number = Resumed.complete;
    for (let t = asked + 1; t <= upTo; t++) {
      if (!missing(w, t - 1, t)) continue;
      if ((wanted(this.#config, w, t) & ~partsIn(oids, w.transactions[t] ?? 0)) !== 0) complete = Resumed.incomplete;
    }
    return message(MessageKind.resumed, { a: upTo, b: asked, number: complete, mask: told });
  }

  #end(action: Extract<Action<Message>, { do: "end" }>): Violation | undefined {
    const s = this.#conn(action.session);
    if (s.alive) {
      client(this.#world, s.client).ended = !s.halfClosed;
      disconnect(this.#world, s.client);
    }
    s.dead = true;
    s.toClient = [];
    const overtaken = this.#isOvertaken(s, action);
    if (!this.#ledger.isKept(action.session)) this.#closeServer(s);
    if (overtaken || this.#config.ends.includes(action.code)) return undefined;
    return `4 the proxy ended a session needlessly: ${action.code}`;
  }

  /**
   * New: was it ended for an undo whose message is still to come? The reply to the question has overtaken it in the
   * server's loop; docs/ordering.md (order stamps) accepts that, and nothing else.
   */
  #isOvertaken(s: Conn, { code, tid: undone }: Extract<Action<Message>, { do: "end" }>): boolean {
    if (code !== "incomplete-undo" || !isNew(this.#config)) return false;
    const { conns, later } = this.#world;
    const bit = 1 << conns.indexOf(s);
    const ofUndo = (m: Message): boolean => m.kind === MessageKind.invalidation && m.a === Number(undone);
    return s.toProxy.some(ofUndo) || later.some((m) => ofUndo(m) && (m.mask & bit) !== 0);
  }

  #closeServer(s: Conn): void {
    if (s.closed) return;
    s.closed = true;
    s.toProxy = [];
    s.toServer = [...s.toServer, message(MessageKind.end)];
  }

  #write(session: number, m: Message): void {
    const s = this.#conn(session);
    if (!s.dead) s.toClient = [...s.toClient, m];
  }

  #conn(session: number): Conn {
    return conn(this.#world, slotOf(this.#world, session));
  }

  #clientOf(session: number): number {
    return this.#conn(session).client;
  }
}

function slotOf(w: World, session: number): number {
  return w.conns.findIndex((s) => s?.number === session);
}

/** A name for a kind, for traces. */
export function kindName(kind: number): string {
  return KINDS[kind] ?? "?";
}

/** Is a `tpc_finish` of this session on its way? */
export function isFinishing(ledger: StorageState<Message>, session: number): boolean {
  return ledger.finishing.some((commit) => commit.session === session);
}
