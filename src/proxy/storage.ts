import { StorageLedger } from "../ledger/ledger.ts";
import {
  newState,
  type Action,
  type Announcement,
  type EndCode,
  type ServerFamily,
  type Settled,
} from "../ledger/state.ts";
import { AnnouncementEncoder } from "../repair/encoder.ts";
import { InvalidationReader } from "../repair/invalidations.ts";
import type { Envelope, InvalidationArgs } from "../wire/codec.ts";
import type { Tid } from "../wire/ids.ts";

/** A message towards a client, as it was read. */
export interface Held {
  /** With its length prefix. */
  readonly frame: Buffer;
  readonly envelope: Envelope;
  /** What the guard is to be told when it is written. */
  readonly role: "register" | "finish" | undefined;
  /** The caller's clock when it was read, in ms. */
  readonly since: number;
}

/** What a storage needs of each of its sessions. */
export interface Member {
  readonly upstream: string;
  forward(held: Held): void;
  announce(repair: "completed" | "synthesized", announcement: Announcement): void;
  resume(value: InvalidationArgs | undefined, held: Held): void;
  ask(): void;
  endBy(code: EndCode, tid: Tid): void;
  /** Carrying out one of the others has thrown this: only that session ends. */
  failed(error: unknown): void;
  closeClient(): void;
  closeServer(): void;
  /** Something has changed that may decide whether its server connection is read. */
  flowChanged(): void;
}

/** What a storage tells of itself. */
export interface StorageReports {
  repaired(storage: Storage, upstream: string, settled: Settled): void;
  resumed(storage: Storage, upstream: string, from: Tid, to: Tid | undefined, reach: Tid | undefined): void;
  foreign(storage: Storage, upstream: string, tid: Tid): void;
  copiedHistory(storage: Storage, upstream: string, tid: Tid, known: Tid): void;
  ledgerEnded(storage: Storage, upstream: string, tid: Tid, proven: Tid): void;
  heldLong(storage: Storage, upstream: string, heldMs: number): void;
  /** An error that nobody has foreseen, and that is no session's. */
  failed(storage: Storage, upstream: string, error: unknown): void;
}

/** No session's number. */
const NOBODY = -1;
const TICK_MS = 250;
const HELD_LONG_MS = 1000;

/** One storage of one server: its ledger, and the sessions that the ledger's actions go to. */
export class Storage {
  readonly server: string;
  readonly name: string;
  readonly ledger: StorageLedger<Held>;
  readonly reader = new InvalidationReader();
  readonly encoder = new AnnouncementEncoder();
  readonly #reports: StorageReports;
  readonly #members = new Map<number, Member>();
  /** Members whose server connection is not read at present. */
  readonly #paused = new Set<Member>();
  #running = false;
  #timer: NodeJS.Timeout | undefined;
  /** `settles` when `run` last looked. */
  #settles = 0;
  /** Held messages that were told of. */
  readonly #toldHeld = new WeakSet<Held>();
  #stopped = false;
  /** For what concerns no session in particular. */
  #lastUpstream = "";

  constructor(server: string, name: string, family: ServerFamily, historyBytes: number, reports: StorageReports) {
    this.server = server;
    this.name = name;
    this.ledger = new StorageLedger(newState<Held>(family), historyBytes);
    this.#reports = reports;
  }

  join(session: number, member: Member): void {
    this.#members.set(session, member);
    this.#lastUpstream = member.upstream;
  }

  leave(session: number): void {
    const member = this.#members.get(session);
    this.#members.delete(session);
    if (member !== undefined) this.#paused.delete(member);
  }

  /** A member's server connection is read no more, or again. */
  paused(member: Member, isPaused: boolean): void {
    if (isPaused) this.#paused.add(member);
    else this.#paused.delete(member);
  }

  /** Has nobody ever registered here with success? */
  get isUnused(): boolean {
    return this.ledger.isUnused && this.#members.size === 0;
  }

  /** Carries out what the ledger has decided. What that leads to is carried out behind it. */
  run(session: number): void {
    if (this.#running) return;
    this.#running = true;
    try {
      for (let actions = this.ledger.take(); actions.length > 0; actions = this.ledger.take()) {
        for (const action of actions) this.#do(action);
      }
    } finally {
      this.#running = false;
    }
    const { settles } = this.ledger;
    if (settles !== this.#settles || !this.ledger.isQuiet(session)) this.#schedule();
    this.#settles = settles;
    for (const member of [...this.#paused]) safely(member, () => member.flowChanged());
  }

  #do(action: Action<Held>): void {
    switch (action.do) {
      case "repaired":
        this.#reports.repaired(this, this.#upstreamOf(action.settled.session), action.settled);
        return;
      case "foreign":
        this.#reports.foreign(this, this.#lastUpstream, action.tid);
        return;
      case "copied-history":
        this.#reports.copiedHistory(this, this.#lastUpstream, action.tid, action.known);
        return;
      case "ledger-ended":
        this.#reports.ledgerEnded(this, this.#lastUpstream, action.tid, action.proven);
        return;
      default: {
        const member = this.#members.get(action.session);
        if (member === undefined) return;
        safely(member, () => this.#tell(member, action));
      }
    }
  }

  #tell(member: Member, action: Extract<Action<Held>, { session: number }>): void {
    switch (action.do) {
      case "forward":
        member.forward(action.payload);
        return;
      case "announce":
        member.announce(action.repair, action.announcement);
        return;
      case "resume":
        member.resume(action.value, action.payload);
        this.#reports.resumed(this, member.upstream, action.from, action.value?.tid, action.reach);
        return;
      case "ask":
        member.ask();
        return;
      case "end":
        member.endBy(action.code, action.tid);
        return;
      case "close-client":
        member.closeClient();
        return;
      case "close-server":
        member.closeServer();
    }
  }

  #upstreamOf(session: number): string {
    return this.#members.get(session)?.upstream ?? this.#lastUpstream;
  }

  /** While anything is due or held, looks again: questions to ask, messages held for long. */
  #schedule(): void {
    if (this.#stopped) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      try {
        this.#tick(Date.now());
      } catch (error) {
        // No session is at fault, and the next time may do better.
        this.#reports.failed(this, this.#lastUpstream, error);
      }
      if (this.ledger.isOwing) this.#schedule();
    }, TICK_MS);
  }

  #tick(now: number): void {
    this.ledger.tick(now);
    this.#tellHeld(now);
    this.run(NOBODY);
  }

  #tellHeld(now: number): void {
    for (const { session, payload: held } of this.ledger.firstHeld()) {
      if (this.#toldHeld.has(held) || now - held.since < HELD_LONG_MS) continue;
      this.#toldHeld.add(held);
      this.#reports.heldLong(this, this.#upstreamOf(session), now - held.since);
    }
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }
}

/** What goes wrong for one member is no other's affair. */
function safely(member: Member, work: () => void): void {
  try {
    work();
  } catch (error) {
    member.failed(error);
  }
}

/** The storages of one server, by name and family: a server that came back as another family starts anew. */
export class Storages {
  readonly #server: string;
  readonly #historyBytes: number;
  readonly #reports: StorageReports;
  readonly #storages = new Map<string, Storage>();

  constructor(server: string, historyBytes: number, reports: StorageReports) {
    this.#server = server;
    this.#historyBytes = historyBytes;
    this.#reports = reports;
  }

  get(name: string, family: ServerFamily): Storage {
    const key = `${family} ${name}`;
    let storage = this.#storages.get(key);
    if (storage === undefined) {
      storage = new Storage(this.#server, name, family, this.#historyBytes, this.#reports);
      this.#storages.set(key, storage);
    }
    return storage;
  }

  /** A registration failed: forgets the name if nothing is known of it. */
  forgetUnused(storage: Storage): void {
    for (const [key, other] of this.#storages) if (other === storage && storage.isUnused) this.#storages.delete(key);
  }

  all(): Iterable<Storage> {
    return this.#storages.values();
  }
}
