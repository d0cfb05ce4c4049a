import { formatAddress, type Address } from "../../src/config/address.ts";
import { Client, type ClientHost } from "./client/client.ts";
import { idler, stranger } from "./client/stranger.ts";
import { SimClock } from "./clock.ts";
import { Link } from "./link.ts";
import type { Fault, Mix } from "./mix.ts";
import { Network } from "./network.ts";
import { Random } from "./random.ts";
import type { Scene } from "./scene.ts";
import { Server } from "./server/server.ts";
import { KINDS, kindNamed } from "./style.ts";
import type { Route, Subject, SubjectMaker } from "./subject.ts";
import { Timeline } from "./timeline.ts";
import { Truth, type Commit } from "./truth.ts";
import { Violation } from "./violation.ts";
import type { Visits } from "./visits.ts";

/** How long it takes to restore a backup. */
const RESTORE_US = 20_000_000;

/** What has disturbed the subject's own client can be felt for so long, beside the time that it is waited for. */
const TROUBLE_MS = 8_000;
/** Ways from one end to the other that a look may have to wait for. */
const TRIPS = 40;

/** Can its transactions be read over the wire? */
function canBeRead({ kind }: Server): boolean {
  return kind.greeting !== "Z308";
}

/** Clients, a network, the subject, servers; all of it follows from the seed and the mix. */
export class World implements ClientHost, Scene {
  readonly timeline = new Timeline();
  readonly network: Network;
  readonly mix: Mix;
  readonly visits: Visits;
  readonly servers: Server[] = [];
  readonly clients: Client[] = [];
  readonly routes: Route[] = [];
  readonly disturbed = new Set<number>();
  readonly doubted = new Set<number>();
  readonly copying = new Set<number>();
  messages = 0;
  isCalm = false;
  violation: Violation | undefined;
  trace: ((text: () => string) => void) | undefined;
  subjectNumber = 0;
  clock: SimClock;
  subject: Subject;
  readonly #make: SubjectMaker;
  /** By server: where the subject listens for it. */
  readonly #doors: Address[][] = [];
  /** It is being stopped in order. */
  #isStopping = false;
  /** By server: until when something happened for which it may not be read in time. */
  readonly #troubles = new Map<number, number>();
  /** By server: the subject has not given up reading it. */
  readonly #reads = new Map<number, boolean>();
  readonly #random: Random;
  #decisions: number;
  #strangers: number;
  #idlers: number;
  #links = 0;
  /** By server: up to where nobody goes on, since this subject has not read all of it. */
  readonly #unread = new Map<number, number>();
  /** By subject, server, generation and family. */
  readonly #reaches = new Map<string, number>();

  constructor(seed: number, mix: Mix, visits: Visits, make: SubjectMaker) {
    const random = new Random(seed);
    this.mix = mix;
    this.visits = visits;
    this.#make = make;
    this.#random = random.fork(1);
    this.network = new Network(this.timeline, random.fork(2), mix, visits);
    this.#decisions = mix.decisions;
    this.#strangers = mix.strangers;
    this.#idlers = mix.idlers;
    mix.servers.forEach((name, number) => this.#addServer(random.fork(10 + number), number, name));
    this.clock = new SimClock(this.timeline);
    this.subject = this.#newSubject();
    this.network.onTrouble = (address, us) => {
      for (const server of this.servers) {
        if (address === undefined || address === formatAddress(server.address)) this.troubled(server.number, us);
      }
    };
    this.network.onFirstWrite = (end, reading) => {
      if (end.owner === "subject" && reading?.owner === "subject") this.#pair(end, reading);
    };
  }

  traceTo(trace: (text: () => string) => void): void {
    this.trace = trace;
    this.network.trace = trace;
  }

  get repairs(): boolean {
    return this.subject.repairs;
  }

  #addServer(random: Random, number: number, name: string): void {
    const truth = new Truth(random.fork(3), this.mix.objects, 1000 + 100_000_000 * number);
    const server = new Server(this, random, truth, number, kindNamed(name));
    this.servers.push(server);
    const doors = Array.from({ length: this.mix.doors }, (_, door): Address => {
      const listen = { host: "192.0.2.3", port: 9100 + 10 * number + door };
      this.routes.push({ name: `upstream ${number}-${door}`, listen, server: server.address });
      return listen;
    });
    this.#doors.push(doors);
    const clients = this.mix.clients + this.mix.foreign;
    for (let i = 0; i < clients; i++) {
      const isDirect = i >= this.mix.clients;
      const address = isDirect ? server.address : (doors[i % doors.length] as Address);
      const about = { number: this.clients.length, server, address, isDirect };
      this.clients.push(new Client(this, random.fork(20 + i), this, about));
    }
  }

  #newSubject(): Subject {
    const { clock, routes, mix, visits, subjectNumber: number } = this;
    for (const server of this.servers) this.#reads.set(server.number, canBeRead(server));
    const room = this.clients.filter(({ isDirect }) => !isDirect).length;
    return this.#make({
      clock,
      room: mix.isFull ? room : Infinity,
      routes,
      mix,
      visits,
      transport: this.network.transport("subject"),
      witnessTransport: this.network.transport("subject", true),
      watched: (server, isWatched) => {
        if (this.subjectNumber === number) this.#watched(server, isWatched);
      },
      mayEndUnread: (server) => this.isTroubled(server),
      failedFinishes: (server) => this.servers[server]?.failedFinishes.get(number) ?? 0,
    });
  }

  begin(): void {
    for (const server of this.servers) server.start(server.kind);
    this.subject.start();
    const all = this.mix.thinkMs * 1000;
    for (const client of this.clients)
      client.after(client.random.chance(0.7) ? 3000 : 20 * all, () => client.connect());
  }

  fail(violation: Violation): void {
    this.violation ??= violation;
  }

  /** Events happen until there are none, so much time has passed, or something is wrong. */
  run(forUs: number, maxEvents: number, isOver: () => boolean = () => false): void {
    const until = this.timeline.now + forUs;
    const last = this.timeline.count + maxEvents;
    while (this.violation === undefined && !isOver() && this.timeline.step(until)) {
      if (this.timeline.count > last) this.fail(new Violation("4 restless", `${maxEvents} events, and no end`));
    }
  }

  // --- what clients ask -------------------------------------------------------------------------------------------

  newLink(client: number, isDirect: boolean): Link {
    const link = new Link(++this.#links, client, isDirect, this.subjectNumber);
    link.dialledAt = this.timeline.now;
    return link;
  }

  get decisionsLeft(): number {
    return this.#decisions;
  }

  decide(): boolean {
    if (this.#decisions === 0) return false;
    this.#decisions--;
    return true;
  }

  disturb(client: Client): void {
    const { server } = client;
    if (this.#strangers > 0 && this.#random.chance(0.1)) {
      this.#strangers--;
      stranger(this, this.#random.fork(4), this.#doorOf(server), this.subjectNumber);
    }
    if (this.#idlers > 0 && this.#random.chance(0.1)) {
      this.#idlers--;
      idler(this, this.#random.fork(5), this.#doorOf(server), this.subjectNumber);
    }
    if (this.#chance("cut") && client.conn !== undefined) this.cut(client.conn.link);
    if (this.mix.witness && this.mix.faults.cutWitness > 0 && this.#chance("cutWitness")) this.#cutWitness();
    if (this.#chance("hangUp")) this.#hangUp(server);
    if (this.#chance("occupied")) this.network.occupy(this.#doorOf(server), 300_000);
    if (this.#chance("restart")) this.#restart(server, "restart");
    if (this.#chance("restartBackup")) this.#restart(server, "restartBackup");
    if (this.#chance("restartOther")) this.#restart(server, "restartOther");
    if (this.#chance("crash")) this.#crash();
    if (this.#chance("stop")) this.#stop();
  }

  #doorOf(server: Server): Address {
    return this.#random.pick(this.#doors[server.number] ?? []);
  }

  granted(server: Server, computedAt: number): void {
    const { inLimbo } = server.truth;
    for (const commit of inLimbo) {
      if (commit.tid > computedAt) continue;
      commit.limboEnds = this.timeline.now;
      inLimbo.delete(commit);
    }
  }

  /** It breaks between the client and the subject, or between the subject and the server. */
  cut(link: Link): void {
    const random = this.#random;
    const whole = link.isFinishing || random.chance(0.5) ? link.serverEnd : link.clientEnd;
    const end = random.chance(0.5) ? whole : whole?.other;
    if (end === undefined || !end.isOpen) return;
    link.isCut = true;
    this.visits.count(link.isFinishing ? "fault: cut in a finish" : "fault: cut");
    if (link.isFinishing) this.disturbed.add(this.serverOf(link));
    const isLate = random.chance(0.5);
    this.trace?.(() => `link ${link.number} is cut at ${end.owner}${isLate ? ", late" : ""}`);
    end.break(isLate);
    if (!isLate && random.chance(0.5)) end.other.break(false);
  }

  troubled(server: number, us = 0): void {
    this.#troubles.set(server, Math.max(this.#troubles.get(server) ?? 0, this.timeline.now + us));
  }

  isRead(server: number): boolean {
    return this.mix.witness && this.repairs && this.#reads.get(server) === true;
  }

  mayBeUnread(link: Link): boolean {
    const server = this.serverOf(link);
    return !this.isRead(server) || this.isTroubled(server);
  }

  /** Was its own client's connection, or what it asked for, in the way of what disturbs it, lately? */
  isTroubled(server: number): boolean {
    const { holdMs, latencyUs } = this.mix;
    const us = 1000 * (holdMs + TROUBLE_MS);
    return 8 * latencyUs * TRIPS > 1000 * holdMs || this.timeline.now - (this.#troubles.get(server) ?? -us) < us;
  }

  /** The subject says that it reads what is in the storage, or that it has given that up. */
  #watched(server: number, isWatched: boolean): void {
    this.trace?.(() => `server ${server} is ${isWatched ? "" : "not "}read`);
    this.#reads.set(server, isWatched);
    if (isWatched) {
      // Nobody knows what they were not told meanwhile: they all verify.
      this.#unread.set(server, this.servers[server]?.truth.last ?? 0);
      return;
    }
    // What it may not have read before that is told as the server tells it.
    const { commits } = this.servers[server]?.truth ?? { commits: [] };
    for (const commit of commits) commit.isRead = false;
  }

  serverOf(link: Link): number {
    return this.clients[link.client]?.server.number ?? 0;
  }

  isAhead(link: Link, generation: number, tid: number): boolean {
    const restored = this.servers[this.serverOf(link)]?.truth.restored ?? [];
    return restored.slice(generation).some((to) => to < tid);
  }

  reachOf(link: Link): number {
    const server = this.serverOf(link);
    const key = `${link.subject} ${server} ${link.generation} ${link.style?.family ?? "?"}`;
    const reach = this.#reaches.get(key) ?? this.servers[server]?.truth.last ?? 0;
    this.#reaches.set(key, reach);
    return reach;
  }

  unreadUpTo(link: Link): number {
    return this.#unread.get(this.serverOf(link)) ?? -1;
  }

  isLeaving(link: Link): boolean {
    return this.#isStopping || link.subject !== this.subjectNumber;
  }

  mayDoubt(link: Link): boolean {
    return this.doubted.has(this.serverOf(link));
  }

  mayHaveCopied(link: Link): boolean {
    const server = this.serverOf(link);
    return this.copying.has(server) && this.disturbed.has(server);
  }

  mayEnd(server: number, link: Link): boolean {
    const { mix } = this;
    if (mix.witness && this.isTroubled(server)) return true;
    if (this.isLeaving(link) || this.disturbed.has(server)) return true;
    return mix.outbox > 0 || mix.history > 0 || (mix.deeds.undo > 0 && this.repairs);
  }

  copied(commit: Commit): void {
    const { by } = commit;
    for (const { number, server, isDirect, cache } of this.clients) {
      if (number === by.client || isDirect || cache.isFresh || server.number !== this.serverOf(by)) continue;
      cache.copied = commit;
    }
  }

  // --- what happens by itself -------------------------------------------------------------------------------------

  #chance(fault: Fault): boolean {
    if (this.isCalm || !this.#random.chance(this.mix.faults[fault])) return false;
    this.visits.count(`fault: ${fault}`);
    return true;
  }

  #cutWitness(): void {
    const [end] = this.network.witnessesOf("subject");
    if (end === undefined) return;
    const isLate = this.#random.chance(0.5);
    this.trace?.(() => `the witness is cut${isLate ? ", late" : ""}`);
    (this.#random.chance(0.5) ? end : end.other).break(isLate);
  }

  #hangUp(server: Server): void {
    const conn = server.anyConn();
    if (conn === undefined) return;
    if (conn.link?.isFinishing === true) this.disturbed.add(server.number);
    server.close(conn, "hang up");
  }

  #restart(server: Server, how: "restart" | "restartBackup" | "restartOther"): void {
    if (!server.isUp) return;
    this.disturbed.add(server.number);
    server.stop();
    const random = this.#random;
    // Nothing of before is on its way any more when a backup has been restored.
    const downUs = how === "restartBackup" ? RESTORE_US : random.pick([100, 50_000, 3_000_000]);
    this.timeline.plan(downUs, () => {
      const { truth } = server;
      const back = truth.commits[truth.commits.length - 1 - random.between(1, 5)];
      if (how === "restartBackup" && truth.commits.length > 0) truth.restore(back?.tid ?? truth.first);
      // To the subject it is another database.
      if (how !== "restart") for (const one of this.clients) if (one.server === server) one.cache.copied = undefined;
      this.trace?.(() => `server ${server.number} is up again, at T${truth.last}`);
      server.start(how === "restartOther" ? random.pick(KINDS) : server.kind);
    });
  }

  #crash(): void {
    this.trace?.(() => "the subject is killed");
    this.#isStopping = false;
    this.subjectNumber++;
    // The next one can't know.
    for (const { cache } of this.clients) cache.copied = undefined;
    this.doubted.clear();
    this.#unread.clear();
    this.clock.kill();
    this.network.kill("subject");
    this.clock = new SimClock(this.timeline);
    const next = this.#newSubject();
    this.subject = next;
    this.timeline.plan(this.#random.pick([100, 100_000]), () => {
      if (this.subject === next) next.start();
    });
  }

  /** It is asked to end, and another one is started when it has. */
  #stop(): void {
    if (this.#isStopping) return;
    this.#isStopping = true;
    const { subject } = this;
    this.trace?.(() => "the subject is to stop");
    subject.quit(this.#random.pick([0, 100, 5000]), () => {
      if (this.subject !== subject || this.violation !== undefined) return;
      // A process ends, whatever is not closed yet.
      // What its own client has closed the network may not have told it of.
      const isClosed = this.network.openOf("subject").every((end) => end.isWitness && !end.isOpen);
      const left = isClosed ? this.subject.check(0) : undefined;
      if (left !== undefined) this.fail(new Violation("7 stopped", ` ${left}`));
      if (isClosed && this.clock.pending > 0) {
        this.fail(new Violation("7 stopped", ` ${this.clock.pending} timers are running`));
      }
      this.visits.count(isClosed ? "fault: stopped" : "fault: stopped, not closed");
      this.#crash();
    });
  }

  #pair(end: NonNullable<Link["serverEnd"]>, reading: NonNullable<Link["serverEnd"]>): void {
    const { link } = reading;
    const client = link ?? reading.other.link;
    if (client === undefined) return;
    reading.link = client;
    end.link = client;
    end.other.link = client;
    client.serverEnd = end.other;
    if (end.other.isOdd) client.isWild = true;
    if (end.other.hasEnded) client.isServerGone = true;
  }
}
