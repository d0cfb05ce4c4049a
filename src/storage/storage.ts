import type { Clock } from "../clock.ts";
import { StorageLedger } from "../ledger/ledger.ts";
import {
  newState,
  type Action,
  type Fact,
  type ServerFamily,
  type SessionAction,
  type Settled,
} from "../ledger/state.ts";
import type { Report, StorageHappening } from "../happening/happening.ts";
import { AnnouncementEncoder } from "./encoder.ts";
import type { Inbound } from "./inbound.ts";
import { InvalidationReader } from "./reader.ts";
import { Setbacks } from "./setbacks.ts";
import { StorageCounts } from "./storage-counts.ts";
import { figuresOf, type StorageFigures } from "./storage-figures.ts";
import { Watch, type WatchSettings } from "./watch.ts";
import type { WitnessSource } from "./witness.ts";

/** What a storage needs of each of its sessions. */
export interface Member {
  readonly upstream: string;
  /** `address:port` of its client. */
  readonly client: string;
  /** `address:port` that its server's connection leads to. */
  readonly server: string;
  /** Does what the ledger has decided for it. */
  carryOut(action: SessionAction<Inbound>): void;
  /** Carrying out one of them has thrown this: only that session ends. */
  failed(error: unknown): void;
  /** Something has changed that may decide whether its server connection is read. */
  look(): void;
}

/** Makes the witnesses of a server's storages. */
export type WitnessMaker = (storage: string, family: ServerFamily) => WitnessSource;

/** What a storage needs of the process. */
export interface StorageHost {
  readonly clock: Clock;
  readonly report: Report;
  /** Memory for past transactions. */
  readonly historyBytes: number;
  /** Each commit is to be reported, not only those that were repaired. */
  readonly tellsCommits?: boolean;
  /** Is told of each message for a client that went through the ledger, and how long that has held it, in ms. */
  readonly held?: ((heldMs: number) => void) | undefined;
  /** How what does not pass through here is read; undefined: it is not. */
  readonly witness?: { readonly of: WitnessMaker; readonly settings: WatchSettings } | undefined;
  /** A witness has lost its connection to the server. */
  readonly witnessLost?: (() => void) | undefined;
  /** A share in the memory of what is kept for clients. `free`: it is the largest, and is to be given up. */
  share(free: () => void): KeptShare;
}

/** So many bytes are kept now; none any more. */
export interface KeptShare {
  set(bytes: number): void;
  leave(): void;
}

const TICK_MS = 250;
const HELD_LONG_MS = 1000;

/** One storage of one server: its ledger, and the sessions that the ledger's actions go to. */
export class Storage {
  readonly server: string;
  readonly name: string;
  readonly ledger: StorageLedger<Inbound>;
  readonly reader = new InvalidationReader();
  readonly encoder = new AnnouncementEncoder();
  readonly counts = new StorageCounts();
  readonly #host: StorageHost;
  readonly #members = new Map<number, Member>();
  /** Members whose server connection is not read at present. */
  readonly #paused = new Set<Member>();
  /** Those of them that wait for commits. */
  readonly #waiting = new Set<Member>();
  /** Where commits stood when these looked last. */
  #standing = "";
  /** Those of them that an event was of, or that something was done for, and that are still to look. */
  readonly #touched = new Set<Member>();
  #lastNumber = 0;
  #running = false;
  #cancelTick: (() => void) | undefined;
  /** How many commits had settled when `run` last looked. */
  #settles = 0;
  /** How many commits had come into limbo then. */
  #doubts = 0;
  /** Held messages that were told of, and have not gone out. */
  readonly #toldHeld = new WeakSet<Inbound>();
  /** There ever was one. */
  #hasToldHeld = false;
  /** What was read last: while it is carried out, it has not been held. */
  #fresh: Inbound | undefined;
  /** The server has shown that it has it. */
  #isAccepted = false;
  readonly #setbacks = new Setbacks();
  #stopped = false;
  #watch: Watch | undefined;
  /** A configuration names it. */
  #isExpected = false;
  /** Its server is one of the other family by now. */
  #isAlien = false;
  readonly #unused: () => void;
  /** Of what the history keeps for those who are slow; undefined while that is nothing. */
  #share: KeptShare | undefined;
  /** For what concerns no session in particular, or one that has left. */
  #lastUpstream = "";

  /** `unused`: it may be so now, without a session that leaves. */
  constructor(server: string, name: string, family: ServerFamily, host: StorageHost, unused: () => void) {
    this.server = server;
    this.name = name;
    this.ledger = new StorageLedger(newState<Inbound>(family), host.historyBytes, host.tellsCommits);
    this.#host = host;
    this.#unused = unused;
  }

  /**
   * A session of that upstream is to register: is it to wait, until what is in the storage before it is known? `then` is called
   * when it is, or when there is nothing to wait for any more.
   */
  waits(upstream: string, then: () => void): boolean {
    const watch = this.#watched(upstream);
    watch?.nudge();
    return watch?.waits(then) ?? false;
  }

  /** That upstream's configuration names it: its witness begins, and it is kept although nobody has registered. */
  expect(upstream: string): void {
    this.#isExpected = true;
    this.#watched(upstream);
  }

  #watched(upstream: string): Watch | undefined {
    const { witness, clock } = this.#host;
    if (witness === undefined || this.#stopped) return undefined;
    // That there is no witness may have to be told before anybody has registered.
    this.#lastUpstream = upstream;
    this.#watch ??= new Watch(this.ledger, witness.of(this.name, this.ledger.family), witness.settings, {
      clock,
      run: () => this.run(),
      lost: () => this.#host.witnessLost?.(),
      tell: (reason) => this.#tellWatched(reason),
      alien: () => {
        this.#isAlien = true;
        this.#unused();
      },
    });
    return this.#watch;
  }

  /** `reason`: why it is not; undefined: it is again. */
  #tellWatched(reason: string | undefined): void {
    const { family } = this.ledger;
    this.#report(reason === undefined ? { what: "watched", family } : { what: "unwatched", family, reason });
  }

  /** That upstream is called otherwise, or is gone and this one is still there: what is nobody's is told as this one's. */
  upstreamIs(name: string, before: string): void {
    if (this.#lastUpstream === before) this.#lastUpstream = name;
  }

  /** So much memory there is for past transactions from now on. */
  bound(historyBytes: number): void {
    this.ledger.bound(historyBytes);
    this.run();
  }

  /** The server is there again: so its witness need not wait longer. */
  nudge(): void {
    this.#watch?.nudge();
  }

  /** A session is about to register. Returns its number, which no other session of this storage has had. */
  join(member: Member): number {
    const number = ++this.#lastNumber;
    this.#members.set(number, member);
    this.#lastUpstream = member.upstream;
    return number;
  }

  leave(session: number): void {
    const member = this.#members.get(session);
    this.#members.delete(session);
    if (member === undefined) return;
    this.#paused.delete(member);
    this.#waiting.delete(member);
  }

  /** A member's server connection is read no more, since that is waited for; undefined: it is read again. */
  setPaused(session: number, waitsFor: "its-client" | "commits" | undefined): void {
    const member = this.#members.get(session);
    if (member === undefined) return;
    const isPaused = waitsFor !== undefined;
    if (isPaused) this.#paused.add(member);
    else this.#paused.delete(member);
    if (waitsFor === "commits") this.#waiting.add(member);
    else this.#waiting.delete(member);
    this.ledger.unread(session, isPaused);
  }

  /** How often the server's last transaction was older than a known one. */
  get setbacks(): number {
    return this.#setbacks.total;
  }

  /** There is to be a witness. */
  get isWatched(): boolean {
    return this.#watch !== undefined;
  }

  get figures(): StorageFigures {
    return figuresOf(this.ledger);
  }

  /** Does the configuration name it, or has the server answered a `register` of it? Else it is a client's text, and no more. */
  get isAccepted(): boolean {
    this.#isAccepted ||= this.#isExpected || this.#isShown;
    return this.#isAccepted;
  }

  get #isShown(): boolean {
    const { accounts, reach, settles, sight } = this.ledger.state;
    if (reach !== undefined || settles > 0 || sight.readUpTo !== undefined) return true;
    for (const { phase } of accounts.values()) if (phase !== "registering") return true;
    return false;
  }

  /** Is nobody here, and does nobody wait? */
  get isDeserted(): boolean {
    return this.#members.size === 0 && this.#watch?.isWaitedFor !== true;
  }

  /**
   * Is nobody here or expected, and nothing known that anybody could ask for? (Of a setback the ledger keeps that nobody goes on
   * from before it.)
   */
  get isUnused(): boolean {
    if (!this.isDeserted) return false;
    return this.#isAlien || (!this.#isExpected && this.ledger.isBlank);
  }

  /**
   * Carries out what the ledger has decided. What that leads to is carried out behind it. To be called after each of
   * the ledger's events, those that only note apart; `session` is the one that the event was of, and `fresh` what was read.
   */
  run(session?: number, fresh?: Inbound): void {
    this.#tellDoubt(session);
    if (session !== undefined && this.#paused.size > 0) this.#touch(this.#members.get(session));
    if (this.#running) return;
    this.#running = true;
    this.#fresh = fresh;
    try {
      for (let actions = this.ledger.take(); actions.length > 0; actions = this.ledger.take()) {
        this.#carryOut(actions, session);
      }
    } finally {
      this.#running = false;
      this.#fresh = undefined;
    }
    // Something is due, or held, from now on: by a commit that has settled, or by what that session has read.
    const { settles } = this.ledger;
    if (this.#cancelTick === undefined) {
      if (settles !== this.#settles || (session !== undefined && !this.ledger.isQuiet(session))) this.#schedule();
    }
    this.#settles = settles;
    this.#weigh();
    this.#look(session === undefined);
    this.#watch?.look();
  }

  /**
   * Whose event it was comes last: its client may tell others of its commit as soon as it has the reply, and they should have
   * heard of it then. Every server tells them before it answers (`ZEO/StorageServer.py`, 4.3.1 to 6.2: `tpc_finish`).
   */
  #carryOut(actions: readonly Action<Inbound>[], session: number | undefined): void {
    const isLast = (action: Action<Inbound>): boolean => "session" in action && action.session === session;
    for (const action of actions) if (!isLast(action)) this.#do(action);
    for (const action of actions) if (isLast(action)) this.#do(action);
  }

  #touch(member: Member | undefined): void {
    if (member !== undefined && this.#paused.has(member)) this.#touched.add(member);
  }

  /**
   * There may be many of them, and many events: whoever waits only for its client is asked at what concerns itself, and who
   * waits for commits when these have moved on, or at an event that is nobody's.
   */
  #look(isNobodys: boolean): void {
    if (this.#waiting.size === 0 && this.#touched.size === 0) return;
    const { standing } = this.ledger;
    const members = new Set(this.#touched);
    if (isNobodys || standing !== this.#standing) for (const member of this.#waiting) members.add(member);
    this.#standing = standing;
    this.#touched.clear();
    for (const member of members) if (this.#paused.has(member)) this.#safely(member, look);
  }

  /** What the history keeps for those who are slow is kept for clients, like what waits in their queues. */
  #weigh(): void {
    const bytes = this.ledger.bytesBeyond;
    if (bytes === 0 && this.#share === undefined) return;
    this.#share ??= this.#host.share(() => this.#giveUpSlow());
    this.#share.set(bytes);
    if (bytes > 0) return;
    this.#share.leave();
    this.#share = undefined;
  }

  #giveUpSlow(): void {
    this.#share = undefined;
    this.ledger.giveUpSlow();
    this.run();
  }

  /** That session's event has left a commit of which nobody knows whether it is in the database. */
  #tellDoubt(session: number | undefined): void {
    const { doubts } = this.ledger.state;
    if (doubts === this.#doubts) return;
    this.#doubts = doubts;
    this.#report({ what: "in-limbo" }, session);
  }

  #do(action: Action<Inbound>): void {
    if (!("session" in action)) {
      this.#tell(action);
      return;
    }
    const member = this.#members.get(action.session);
    if (member === undefined) return;
    this.#touch(member);
    if ("payload" in action && action.payload !== undefined && action.payload !== this.#fresh)
      this.#held(action.payload);
    if (this.#hasToldHeld && "payload" in action) this.#tellOver(action);
    if (this.#host.held !== undefined && "payload" in action && action.payload !== undefined) {
      this.#host.held(this.#host.clock.now() - action.payload.since);
    }
    if (action.do === "resume") {
      const { from, value, reach } = action;
      if (value === undefined) this.counts.resumesRefused++;
      else this.counts.resumed++;
      this.#report({ what: "resumed", from, tid: value?.tid, reach }, action.session);
    }
    // As `#safely` does it, without a closure for each message.
    try {
      member.carryOut(action);
    } catch (error) {
      member.failed(error);
    }
  }

  /** It goes out, and was read in another event. */
  #held({ since }: Inbound): void {
    this.counts.held.add(this.#host.clock.now() - since);
  }

  /** If it was told that this message is held, it is told that it is no more. */
  #tellOver({ session, payload }: { readonly session: number; readonly payload?: Inbound | undefined }): void {
    if (payload === undefined || !this.#toldHeld.delete(payload)) return;
    this.#report({ what: "held-over", heldMs: this.#host.clock.now() - payload.since }, session);
  }

  #tell(fact: Fact): void {
    switch (fact.do) {
      case "repaired":
        this.#repaired(fact.settled);
        return;
      case "foreign":
        this.#report({ what: "foreign", tid: fact.tid, isRead: fact.isRead, oids: fact.oids }, fact.by);
        return;
      case "committed":
        this.#committed(fact);
        return;
      case "told-late":
        this.#report({ what: "told-late", tid: fact.tid }, fact.by);
        return;
      case "copied-history":
        this.#report({ what: "copied-history", tid: fact.tid, known: fact.known }, fact.by);
        return;
      case "ledger-ended":
        this.#report({ what: "ledger-ended", tid: fact.tid, proven: fact.proven }, fact.by);
        this.#setBack(fact.by);
    }
  }

  // As `#report` does it, without putting together what a commit's happenings are made of.

  #committed({ tid, changes, by }: Extract<Fact, { do: "committed" }>): void {
    const member = this.#members.get(by);
    const upstream = member?.upstream ?? this.#lastUpstream;
    this.#host.report({ what: "committed", tid, changes, upstream, storage: this.name, client: member?.client });
  }

  #repaired(settled: Settled): void {
    this.counts.settled(settled);
    const member = this.#members.get(settled.session);
    const upstream = member?.upstream ?? this.#lastUpstream;
    this.#host.report({ what: "repaired", settled, upstream, storage: this.name, client: member?.client });
  }

  /** Its sessions have not ended yet. */
  #setBack(session: number): void {
    const times = this.#setbacks.add(this.#host.clock.now());
    if (times < 2) return;
    const address = this.#members.get(session)?.server;
    const addresses = [...new Set([...this.#members.values()].map(({ server }) => server))];
    this.#report({ what: "set-back-again", server: this.server, address, addresses, times }, session);
  }

  /** `session`: whose affair it is. */
  #report(happening: StorageHappening, session?: number): void {
    const member = session === undefined ? undefined : this.#members.get(session);
    const upstream = member?.upstream ?? this.#lastUpstream;
    this.#host.report({ ...happening, upstream, storage: this.name, client: member?.client });
  }

  /** What goes wrong for one member is no other's affair. */
  #safely(member: Member, work: (member: Member) => void): void {
    try {
      work(member);
    } catch (error) {
      member.failed(error);
    }
  }

  /** While anything is due or held, looks again: questions to ask, messages held for long. */
  #schedule(): void {
    if (this.#stopped) return;
    this.#cancelTick ??= this.#host.clock.after(TICK_MS, () => {
      this.#cancelTick = undefined;
      try {
        this.#tick(this.#host.clock.now());
      } catch (error) {
        // No session is at fault, and the next time may do better.
        this.#report({ what: "failed", error });
      }
      if (this.ledger.isOwing) this.#schedule();
    });
  }

  #tick(now: number): void {
    this.ledger.tick(now, this.#watch?.patience());
    for (const { session, payload: held } of this.ledger.firstHeld()) {
      if (this.#toldHeld.has(held) || now - held.since < HELD_LONG_MS) continue;
      this.#toldHeld.add(held);
      this.#hasToldHeld = true;
      this.#report({ what: "held-long", heldMs: now - held.since }, session);
    }
    this.run();
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelTick?.();
    this.#cancelTick = undefined;
    this.#share?.leave();
    this.#watch?.stop();
  }
}

const look = (member: Member): void => member.look();
