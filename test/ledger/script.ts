import { StorageLedger, type Reply } from "../../src/ledger/ledger.ts";
import { oidCount } from "../../src/ledger/oid-set.ts";
import { ALL_RULES, type Rules } from "../../src/ledger/rules.ts";
import { newState, type Action, type ServerFamily, type Stamp } from "../../src/ledger/state.ts";
import type { StoreSort } from "../../src/ledger/transaction.ts";
import { ID_BYTES, asTid, tidBytes } from "../../src/wire/ids.ts";

/** What a transaction does, its oids as small numbers. */
export interface Stores {
  readonly created?: readonly number[];
  /** Created with serial None: an old server announces these. */
  readonly createdNone?: readonly number[];
  readonly modified?: readonly number[];
  readonly restored?: readonly number[];
  readonly deleted?: readonly number[];
  readonly undoes?: boolean;
  /** The transaction's id; 1 unless said. */
  readonly id?: number;
  /** The tid that `tpc_begin` names. */
  readonly tid?: number;
}

/**
 * A ledger with sessions and tids as small numbers. Every method is one event and returns what is to be done, one
 * line each:
 *
 *     2 < lastTransaction T1            the message goes on to the client of session 2
 *     2 < T1 [1 2] completed            an invalidation that was completed, with its oids
 *     2 < T1 [1] made up                one that the server never sent
 *     2 < getInvalidations(T0): T1 []   a reply that was merged
 *     ask 2, end 2: CODE, close server 2, close client 2, log T1: 1 completed, 0 made up, foreign T1
 *
 * Replies to reads are answered in the order of the calls.
 */
export class Script {
  readonly ledger: StorageLedger<string>;
  readonly #calls = new Map<number, Stamp[]>();
  readonly #questions = new Set<number>();
  readonly #votes = new Map<number, Stamp>();
  readonly #finishes = new Map<number, number>();
  readonly #ids = new Map<number, number>();

  constructor(server: ServerFamily, rules: Partial<Rules> = {}, historyBytes?: number) {
    this.ledger = new StorageLedger(newState(server, { ...ALL_RULES, ...rules }), historyBytes);
  }

  /** Sessions that have registered and asked for the last transaction, which is `last`. */
  connected(sessions: readonly number[], last = 0): void {
    for (const session of sessions) {
      this.register(session);
      this.registerReply(session, last);
      if (this.ledger.state.server === "new") continue;
      this.lastTransaction(session);
      this.lastTransactionReply(session, last);
    }
  }

  // --- client to server

  register(session: number): string[] {
    this.#called(session);
    this.ledger.registerForwarded(session);
    return this.#take();
  }

  lastTransaction(session: number): string[] {
    this.#called(session);
    return this.#take();
  }

  /** A call by which its client shows that it has verified its cache. */
  load(session: number): string[] {
    this.ledger.workForwarded(session);
    return this.lastTransaction(session);
  }

  getInvalidations(session: number): string[] {
    return this.lastTransaction(session);
  }

  begin(session: number, stores: Stores): string[] {
    const id = stores.id ?? 1;
    this.#ids.set(session, id);
    this.ledger.workForwarded(session);
    this.ledger.beginForwarded(session, id, asTid(BigInt(stores.tid ?? 0)));
    this.store(session, stores);
    return this.#take();
  }

  store(session: number, stores: Stores): string[] {
    const id = stores.id ?? this.#ids.get(session) ?? 1;
    const all: [StoreSort, "zero" | "none" | "set", readonly number[] | undefined][] = [
      ["created", "zero", stores.created],
      ["created", "none", stores.createdNone],
      ["modified", "set", stores.modified],
      ["restored", "set", stores.restored],
      ["deleted", "set", stores.deleted],
    ];
    for (const [sort, serial, oids] of all) {
      for (const oid of oids ?? []) this.ledger.storeForwarded(session, id, sort, serial, packed([oid]), 0);
    }
    if (stores.undoes === true) this.ledger.undoForwarded(session, id);
    return this.#take();
  }

  vote(session: number): string[] {
    this.#votes.set(session, this.#now());
    return this.#take();
  }

  finish(session: number, id = this.#ids.get(session) ?? 1): string[] {
    this.#called(session);
    this.#finishes.set(session, this.ledger.finishForwarded(session, id));
    return this.#take();
  }

  abort(session: number, id = this.#ids.get(session) ?? 1): string[] {
    this.ledger.abortForwarded(session, id);
    return this.#take();
  }

  /** Begins, votes, is granted the lock, sends `tpc_finish`. */
  finishing(session: number, stores: Stores): string[] {
    return [
      ...this.begin(session, stores),
      ...this.vote(session),
      ...this.voteGranted(session),
      ...this.finish(session),
    ];
  }

  // --- server to client

  registerReply(session: number, last = 0): string[] {
    this.#answered(session);
    const tid = this.ledger.state.server === "new" ? asTid(BigInt(last)) : undefined;
    this.ledger.registerReply(session, tid, { payload: `register T${last}`, bytes: 10 });
    return this.#take();
  }

  registerFailed(session: number): string[] {
    this.#answered(session);
    this.ledger.registerFailed(session, { payload: "register failed", bytes: 10 });
    return this.#take();
  }

  lastTransactionReply(session: number, last: number): string[] {
    const call = this.#answered(session);
    const reply = this.#reply(`lastTransaction T${last}`, call);
    this.ledger.lastTransactionReply(session, asTid(BigInt(last)), call, reply);
    return this.#take();
  }

  /** A reply that shows `tid`; 0: nothing. `exact` false: eight bytes that may be a tid. */
  loadReply(session: number, tid: number, exact = true): string[] {
    const reply = this.#reply(`load T${tid}`, this.#answered(session));
    this.ledger.reply(session, { tid: asTid(BigInt(tid)), exact }, reply);
    return this.#take();
  }

  questionReply(session: number, last: number): string[] {
    if (!this.#questions.delete(session)) throw new Error(`nothing was asked on ${session}`);
    this.ledger.questionReply(session, asTid(BigInt(last)));
    return this.#take();
  }

  getInvalidationsReply(session: number, from: number, answer: [number, readonly number[]] | undefined): string[] {
    const call = this.#answered(session);
    const args = answer === undefined ? undefined : { tid: asTid(BigInt(answer[0])), oids: packed(answer[1]) };
    const value = answer === undefined ? "None" : `T${answer[0]} ${shown(packed(answer[1]))}`;
    const reply = this.#reply(`getInvalidations(T${from}): ${value} as it is`, call);
    this.ledger.invalidationsReply(session, asTid(BigInt(from)), args, reply);
    return this.#take();
  }

  voteGranted(session: number, shows = 0): string[] {
    this.ledger.voteGranted(session, asTid(BigInt(shows)), this.#reply("vote", this.#votes.get(session)));
    return this.#take();
  }

  voteFailed(session: number, { shows = 0, cleared = true }: { shows?: number; cleared?: boolean } = {}): string[] {
    const id = this.#ids.get(session) ?? 1;
    const reply = this.#reply("vote failed", this.#votes.get(session));
    this.ledger.voteFailed(session, id, cleared, asTid(BigInt(shows)), reply);
    return this.#take();
  }

  /** `tid` undefined: None. */
  finishReply(session: number, tid: number | undefined, now = 0): string[] {
    const number = this.#finishes.get(session) ?? 0;
    const reply = this.#reply(`finish ${tid === undefined ? "None" : `T${tid}`}`, this.#answered(session));
    this.ledger.finishReply(session, number, tid === undefined ? undefined : asTid(BigInt(tid)), now, reply);
    return this.#take();
  }

  /** The reply is an exception. */
  finishFailed(session: number): string[] {
    const reply = this.#reply("finish failed", this.#answered(session));
    this.ledger.finishFailed(session, this.#finishes.get(session) ?? 0, reply);
    return this.#take();
  }

  invalidation(session: number, tid: number, oids: readonly number[], now = 0): string[] {
    const list = packed(oids);
    const read = { payload: `T${tid} ${shown(list)} as it is`, bytes: 10 };
    this.ledger.invalidation(session, { tid: asTid(BigInt(tid)), oids: list }, now, read);
    return this.#take();
  }

  /** The first bytes of a reply were read that is too large to be held. */
  largeBegun(session: number): string[] {
    this.ledger.largeBegun(session, this.#answered(session).order);
    return this.#take();
  }

  /** Its last bytes show `tid`; they go out where they may. */
  largeEnds(session: number, tid: number): string[] {
    const may = this.ledger.largeEnds(session, asTid(BigInt(tid)));
    return [...this.#take(), ...(may ? [`${session} < large T${tid}`] : [])];
  }

  serialnos(session: number, refused: readonly number[]): string[] {
    this.ledger.storesRefused(session, packed(refused));
    return this.other(session, "serialnos");
  }

  other(session: number, name: string): string[] {
    this.ledger.otherMessage(session, { payload: name, bytes: 10 });
    return this.#take();
  }

  // --- connections and time

  gone(session: number): string[] {
    this.ledger.clientGone(session);
    return this.#take();
  }

  serverGone(session: number, mayStillRead = false): string[] {
    this.ledger.serverGone(session, mayStillRead);
    return this.#take();
  }

  tick(now: number): string[] {
    this.ledger.tick(now);
    return this.#take();
  }

  /** The oids that are known of a settled commit, and whether that is all. */
  known(tid: number): string {
    const settled = this.ledger.state.history.find((one) => one.tid === asTid(BigInt(tid)));
    if (settled === undefined) return "not settled";
    return `${shown(settled.oids)}${settled.complete ? "" : " and what was undone"}`;
  }

  // --- inside

  #now(): Stamp {
    return this.ledger.stamp;
  }

  #called(session: number): void {
    const calls = this.#calls.get(session) ?? [];
    calls.push(this.#now());
    this.#calls.set(session, calls);
  }

  #answered(session: number): Stamp {
    const call = this.#calls.get(session)?.shift();
    if (call === undefined) throw new Error(`session ${session} waits for no reply`);
    return call;
  }

  #reply(payload: string, call: Stamp = this.#now()): Reply<string> {
    return { payload, bytes: 10, order: call.order };
  }

  #take(): string[] {
    return this.ledger.take().map((action) => {
      if (action.do === "ask") this.#questions.add(action.session);
      return line(action);
    });
  }
}

/** A script in which these sessions have registered and know the last transaction, which is `last`. */
export function connected(server: ServerFamily, sessions: readonly number[] = [1, 2], last = 0): Script {
  const s = new Script(server);
  s.connected(sessions, last);
  return s;
}

function line(action: Action<string>): string {
  switch (action.do) {
    case "forward":
      return `${action.session} < ${action.payload}`;
    case "announce": {
      const { announcement, repair, session } = action;
      const how = repair === "synthesized" ? "made up" : repair;
      return `${session} < T${announcement.tid} ${shown(announcement.oids)} ${how}`;
    }
    case "resume": {
      const value = action.value === undefined ? "None" : `T${action.value.tid} ${shown(action.value.oids)}`;
      return `${action.session} < getInvalidations(T${action.from}): ${value}`;
    }
    case "ask":
      return `ask ${action.session}`;
    case "end":
      return `end ${action.session}: ${action.code}`;
    case "close-client":
      return `close client ${action.session}`;
    case "close-server":
      return `close server ${action.session}`;
    case "repaired":
      return `log T${action.settled.tid}: ${action.settled.completed} completed, ${action.settled.synthesized} made up`;
    case "committed":
      return `committed T${action.tid}`;
    case "foreign":
      return `foreign T${action.tid}`;
    case "told-late":
      return `late T${action.tid}`;
    case "copied-history":
      return `copied T${action.tid} below T${action.known}`;
    case "ledger-ended":
      return `ledger ended: T${action.tid} below T${action.proven}`;
  }
}

/** Oids, packed. */
export function packed(oids: readonly number[]): Buffer {
  return Buffer.concat(oids.map((oid) => tidBytes(asTid(BigInt(oid)))));
}

/** Packed oids as small numbers, in order. */
export function numbers(oids: Buffer): number[] {
  return Array.from({ length: oidCount(oids) }, (_, i) => Number(oids.readBigUInt64BE(i * ID_BYTES)));
}

function shown(oids: Buffer): string {
  return `[${numbers(oids).join(" ")}]`;
}
