import { formatAddress, type Address } from "../../src/config/address.ts";
import { SimClock } from "./clock.ts";
import type { Link, Through } from "./link.ts";
import type { Random } from "./random.ts";
import type { Scene } from "./scene.ts";
import type { Server } from "./server/server.ts";
import type { Route, Subject, SubjectMaker } from "./subject.ts";
import { Violation } from "./violation.ts";

/** What has disturbed the subject's own client can be felt for so long, beside the time that it is waited for. */
const TROUBLE_MS = 8_000;
/** Ways from one end to the other that a look may have to wait for. */
const TRIPS = 40;

/** What a machine needs of its world beside what everyone shares. */
export interface Site extends Scene {
  readonly servers: readonly Server[];
  readonly make: SubjectMaker;
  /** So many clients may come through a subject. */
  readonly room: number;
  nextSubject(): number;
  /** Nobody knows any more what a cache must be verified for. */
  forgetCopies(): void;
}

/** Can its transactions be read over the wire? */
function canBeRead({ kind }: Server): boolean {
  return kind.greeting !== "Z308";
}

/** Where a subject runs: one that is killed, or has stopped, is started again, and knows nothing of what was before. */
export class Machine implements Through {
  readonly machine: number;
  /** Whose its connections are. */
  readonly owner: string;
  /** The number of the subject that runs now: one that was killed has a lower one. */
  subject: number;
  readonly routes: Route[] = [];
  /** By server: the subject may end sessions for something that has happened. */
  readonly disturbed = new Set<number>();
  /** By server: somebody has begun a transaction with a tid of its own. */
  readonly copying = new Set<number>();
  /** By server: nobody goes on from what was known. */
  readonly doubted = new Set<number>();
  readonly #site: Site;
  readonly #random: Random;
  /** By server: where the subject listens for it. */
  readonly #doors: Address[][] = [];
  #process!: Subject;
  #clock!: SimClock;
  /** It is being stopped in order. */
  #isStopping = false;
  /** By server: until when something happened for which it may not be read in time. */
  readonly #troubles = new Map<number, number>();
  /** By server: the subject has not given up reading it. */
  readonly #reads = new Map<number, boolean>();
  /** By server: up to where nobody goes on, since this subject has not read all of it. */
  readonly #unread = new Map<number, number>();

  constructor(site: Site, random: Random, number: number) {
    this.#site = site;
    this.#random = random;
    this.machine = number;
    this.subject = site.nextSubject();
    this.owner = number === 0 ? "subject" : `subject ${number}`;
  }

  get repairs(): boolean {
    return this.#process.repairs;
  }

  get mayRepair(): boolean {
    return this.repairs || this.#process.mayRepair === true;
  }

  get clock(): SimClock {
    return this.#clock;
  }

  /** The subject listens for this server, too. */
  addServer({ number, address }: Server): void {
    const doors = Array.from({ length: this.#site.mix.doors }, (_, door): Address => {
      const listen = { host: `192.0.2.${3 + this.machine}`, port: 9100 + 10 * number + door };
      this.routes.push({ name: `upstream ${number}-${door}`, listen, server: address });
      return listen;
    });
    this.#doors.push(doors);
  }

  doorsOf({ number }: Server): readonly Address[] {
    return this.#doors[number] ?? [];
  }

  // --- its processes ----------------------------------------------------------------------------------------------

  /** There is a process, which is not started yet. */
  load(): void {
    const { routes, subject: number } = this;
    const { timeline, mix, visits, network, servers, room, make } = this.#site;
    for (const server of servers) this.#reads.set(server.number, canBeRead(server));
    this.#clock = new SimClock(timeline);
    this.#process = make({
      clock: this.#clock,
      room: mix.isFull ? room : Infinity,
      routes,
      mix,
      visits,
      transport: network.transport(this.owner),
      witnessTransport: network.transport(this.owner, true),
      watched: (server, isWatched) => {
        if (this.subject === number) this.#watched(server, isWatched);
      },
      mayEndUnread: (server) => this.isTroubled(server),
      failedFinishes: (server) => servers[server]?.failedFinishes.get(number) ?? 0,
    });
  }

  start(): void {
    this.#process.start();
  }

  kill(): void {
    const { network, timeline, trace, mix } = this.#site;
    trace?.(() => `the ${this.owner} is killed`);
    this.#isStopping = false;
    this.subject = this.#site.nextSubject();
    this.#site.forgetCopies();
    this.doubted.clear();
    this.#unread.clear();
    this.#clock.kill();
    network.kill(this.owner);
    this.load();
    const next = this.#process;
    timeline.plan(this.#random.pick([100, 1000 * mix.downMs]), () => {
      if (this.#process === next) next.start();
    });
  }

  /** The process is asked to end, and another one is started when it has. */
  stopInOrder(): void {
    if (this.#isStopping) return;
    this.#isStopping = true;
    const site = this.#site;
    const { network, visits } = site;
    const stopping = this.#process;
    site.trace?.(() => `the ${this.owner} is to stop`);
    stopping.quit(this.#random.pick([0, 100, 5000]), () => {
      if (this.#process !== stopping || site.violation !== undefined) return;
      // A process ends, whatever is not closed yet.
      // What its own client has closed the network may not have told it of.
      const isClosed = network.openOf(this.owner).every((end) => end.isWitness && !end.isOpen);
      const left = isClosed ? stopping.check(0) : undefined;
      if (left !== undefined) site.fail(new Violation("7 stopped", ` ${left}`));
      if (isClosed && this.#clock.pending > 0) {
        site.fail(new Violation("7 stopped", ` ${this.#clock.pending} timers are running`));
      }
      visits.count(isClosed ? "fault: stopped" : "fault: stopped, not closed");
      this.kill();
    });
  }

  /** For good. */
  stop(): void {
    this.#process.stop();
  }

  /** What is left that should not be, with so many clients. */
  check(clients: number): string | undefined {
    return this.#process.check(clients);
  }

  /** Is that of a process which is being stopped, or is no more? */
  isLeaving({ subject }: Link): boolean {
    return this.#isStopping || subject !== this.subject;
  }

  // --- what its subject reads -------------------------------------------------------------------------------------

  troubled(server: number, us: number): void {
    this.#troubles.set(server, Math.max(this.#troubles.get(server) ?? 0, this.#site.timeline.now + us));
  }

  /** The same, of servers at this address, or of all. */
  troubledAt(address: string | undefined, us: number): void {
    for (const server of this.#site.servers) {
      if (address === undefined || address === formatAddress(server.address)) this.troubled(server.number, us);
    }
  }

  reads(server: number): boolean {
    return this.#site.mix.witness && this.repairs && this.#reads.get(server) === true;
  }

  mayBeUnread(server: number): boolean {
    return !this.reads(server) || this.isTroubled(server);
  }

  leftUnread(server: number, tid: number): void {
    this.#unread.set(server, Math.max(this.unreadUpTo(server), tid));
  }

  unreadUpTo(server: number): number {
    return this.#unread.get(server) ?? -1;
  }

  /** Was its own client's connection, or what it asked for, in the way of what disturbs it, lately? */
  isTroubled(server: number): boolean {
    const { mix, timeline } = this.#site;
    const us = 1000 * (mix.holdMs + TROUBLE_MS);
    return 8 * mix.latencyUs * TRIPS > 1000 * mix.holdMs || timeline.now - (this.#troubles.get(server) ?? -us) < us;
  }

  /** The subject says that it reads what is in the storage, or that it has given that up. */
  #watched(server: number, isWatched: boolean): void {
    this.#site.trace?.(() => `server ${server} is ${isWatched ? "" : "not "}read by the ${this.owner}`);
    this.#reads.set(server, isWatched);
    const truth = this.#site.servers[server]?.truth;
    if (isWatched) {
      // Nobody knows what they were not told meanwhile: they all verify.
      this.#unread.set(server, truth?.last ?? 0);
      return;
    }
    // What it may not have read before that is told as the server tells it.
    for (const { readBy } of truth?.commits ?? []) readBy.delete(this.machine);
  }

  /** Can there have been more than one look may read? Then all are sent away once. */
  #mayBeTooMuch(server: number): boolean {
    return (this.#site.servers[server]?.truth.commits.length ?? 0) > this.#site.mix.catchUp;
  }

  /** May the subject end a connection to this server by itself? */
  mayEnd(server: number, link: Link): boolean {
    const { mix } = this.#site;
    if (mix.witness && (this.isTroubled(server) || this.#mayBeTooMuch(server))) return true;
    if (this.isLeaving(link) || this.disturbed.has(server)) return true;
    return mix.outbox > 0 || mix.history > 0 || (mix.deeds.undo > 0 && this.repairs);
  }
}
