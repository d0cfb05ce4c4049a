import type { Address } from "../../src/config/address.ts";
import { Client, type ClientHost, type Way } from "./client/client.ts";
import { idler, stranger } from "./client/stranger.ts";
import { Link } from "./link.ts";
import { Machine, type Site } from "./machine.ts";
import type { Fault, Mix } from "./mix.ts";
import { Network } from "./network.ts";
import { Random } from "./random.ts";
import { Server } from "./server/server.ts";
import { KINDS, kindNamed } from "./style.ts";
import type { SubjectMaker } from "./subject.ts";
import { Timeline } from "./timeline.ts";
import { Truth, type Commit } from "./truth.ts";
import { Violation } from "./violation.ts";
import type { Visits } from "./visits.ts";

/** How long it takes to restore a backup. */
const RESTORE_US = 20_000_000;
/** So often a client comes to the other machine. */
const MOVES = 0.4;

/** Clients, a network, one or two subjects, servers; all of it follows from the seed and the mix. */
export class World implements ClientHost, Site {
  readonly timeline = new Timeline();
  readonly network: Network;
  readonly mix: Mix;
  readonly visits: Visits;
  readonly servers: Server[] = [];
  readonly clients: Client[] = [];
  readonly machines: readonly Machine[];
  readonly make: SubjectMaker;
  messages = 0;
  isCalm = false;
  violation: Violation | undefined;
  trace: ((text: () => string) => void) | undefined;
  readonly #random: Random;
  #decisions: number;
  #strangers: number;
  #idlers: number;
  #links = 0;
  #subjects = 0;
  /** By subject, server, generation and family. */
  readonly #reaches = new Map<string, number>();

  constructor(seed: number, mix: Mix, visits: Visits, make: SubjectMaker) {
    const random = new Random(seed);
    this.mix = mix;
    this.visits = visits;
    this.make = make;
    this.#random = random.fork(1);
    this.network = new Network(this.timeline, random.fork(2), mix, visits);
    this.#decisions = mix.decisions;
    this.#strangers = mix.strangers;
    this.#idlers = mix.idlers;
    this.machines = Array.from({ length: mix.proxies }, (_, number) => new Machine(this, this.#random, number));
    mix.servers.forEach((name, number) => this.#addServer(random.fork(10 + number), number, name));
    for (const machine of this.machines) machine.load();
    this.network.onTrouble = (owner, address, us = 0) => {
      this.machines.find((machine) => machine.owner === owner)?.troubledAt(address, us);
    };
    this.network.onFirstWrite = (end, reading) => {
      if (end.isSubjects && reading?.owner === end.owner) this.#pair(end, reading);
    };
  }

  traceTo(trace: (text: () => string) => void): void {
    this.trace = trace;
    this.network.trace = trace;
  }

  get repairs(): boolean {
    return this.#first.repairs;
  }

  get mayRepair(): boolean {
    return this.#first.mayRepair;
  }

  get #first(): Machine {
    return this.machines[0] as Machine;
  }

  get room(): number {
    return this.clients.filter(({ isDirect }) => !isDirect).length;
  }

  nextSubject(): number {
    return this.#subjects++;
  }

  #addServer(random: Random, number: number, name: string): void {
    const truth = new Truth(random.fork(3), this.mix.objects, 1000 + 100_000_000 * number);
    const server = new Server(this, random, truth, number, kindNamed(name));
    this.servers.push(server);
    for (const machine of this.machines) machine.addServer(server);
    const clients = this.mix.clients + this.mix.foreign;
    for (let i = 0; i < clients; i++) {
      const isDirect = i >= this.mix.clients;
      const about = { number: this.clients.length, server, door: i % this.mix.doors, isDirect };
      this.clients.push(new Client(this, random.fork(20 + i), this, about));
    }
  }

  begin(): void {
    for (const server of this.servers) server.start(server.kind);
    for (const machine of this.machines) machine.start();
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

  way(client: Client): Way {
    const { server, isDirect, door } = client;
    const machine = isDirect ? this.#first : this.#machineFor(client);
    const link = new Link(++this.#links, client.number, isDirect, machine);
    link.dialledAt = this.timeline.now;
    return { link, address: isDirect ? server.address : (machine.doorsOf(server)[door] as Address) };
  }

  /** Where there are two, clients are spread over both, and one that comes back may come to the other one. */
  #machineFor(client: Client): Machine {
    const { length } = this.machines;
    if (length > 1 && client.random.chance(MOVES)) {
      client.machine++;
      this.visits.count("client: goes to the other proxy");
    }
    return this.machines[client.machine % length] as Machine;
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
      const through = this.#anyMachine();
      stranger(this, this.#random.fork(4), this.#doorOf(through, server), through);
    }
    if (this.#idlers > 0 && this.#random.chance(0.1)) {
      this.#idlers--;
      const through = this.#anyMachine();
      idler(this, this.#random.fork(5), this.#doorOf(through, server), through);
    }
    if (this.#chance("cut") && client.conn !== undefined) this.cut(client.conn.link);
    if (this.mix.witness && this.mix.faults.cutWitness > 0 && this.#chance("cutWitness")) this.#cutWitness();
    if (this.#chance("hangUp")) this.#hangUp(server);
    if (this.#chance("occupied")) this.network.occupy(this.#doorOf(this.#anyMachine(), server), 300_000);
    if (this.#chance("restart")) this.#restart(server, "restart");
    if (this.#chance("restartBackup")) this.#restart(server, "restartBackup");
    if (this.#chance("restartOther")) this.#restart(server, "restartOther");
    if (this.#chance("crash")) this.#anyMachine().kill();
    if (this.#chance("stop")) this.#anyMachine().stopInOrder();
  }

  #anyMachine(): Machine {
    return this.machines.length === 1 ? this.#first : this.#random.pick(this.machines);
  }

  #doorOf(machine: Machine, server: Server): Address {
    return this.#random.pick(machine.doorsOf(server));
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
    if (link.isFinishing) this.disturbs(link);
    const isLate = random.chance(0.5);
    this.trace?.(() => `link ${link.number} is cut at ${end.owner}${isLate ? ", late" : ""}`);
    end.break(isLate);
    if (!isLate && random.chance(0.5)) end.other.break(false);
  }

  // --- what the judge asks ----------------------------------------------------------------------------------------

  #machineOf(link: Link): Machine {
    return this.machines[link.machine] as Machine;
  }

  /** Those whose subjects hear of what goes on there: of what does not pass through one of them, all. */
  #hearing(link: Link): readonly Machine[] {
    return link.isUnrepaired ? this.machines : [this.#machineOf(link)];
  }

  runs(link: Link): boolean {
    return link.subject === this.#machineOf(link).subject;
  }

  disturbs(link: Link): void {
    for (const machine of this.#hearing(link)) machine.disturbed.add(this.serverOf(link));
  }

  copies(link: Link): void {
    for (const machine of this.#hearing(link)) machine.copying.add(this.serverOf(link));
  }

  doubts(link: Link): void {
    this.#machineOf(link).doubted.add(this.serverOf(link));
  }

  troubled(server: number): void {
    for (const machine of this.machines) machine.troubled(server, 0);
  }

  readersOf(server: number): Set<number> {
    return new Set(this.machines.filter((machine) => machine.reads(server)).map(({ machine }) => machine));
  }

  mayBeUnread(link: Link): boolean {
    return this.#machineOf(link).mayBeUnread(this.serverOf(link));
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

  leftUnread(server: number, tid: number): void {
    for (const machine of this.machines) machine.leftUnread(server, tid);
  }

  unreadUpTo(link: Link): number {
    return this.#machineOf(link).unreadUpTo(this.serverOf(link));
  }

  isLeaving(link: Link): boolean {
    return this.#machineOf(link).isLeaving(link);
  }

  mayDoubt(link: Link): boolean {
    return this.#machineOf(link).doubted.has(this.serverOf(link));
  }

  mayHaveCopied(link: Link): boolean {
    const server = this.serverOf(link);
    const { copying, disturbed } = this.#machineOf(link);
    return copying.has(server) && disturbed.has(server);
  }

  mayEnd(server: number, link: Link): boolean {
    return this.#machineOf(link).mayEnd(server, link);
  }

  copied(commit: Commit): void {
    const { by } = commit;
    for (const { number, server, isDirect, cache } of this.clients) {
      if (number === by.client || isDirect || cache.isFresh || server.number !== this.serverOf(by)) continue;
      cache.copied = commit;
    }
  }

  forgetCopies(): void {
    for (const { cache } of this.clients) cache.copied = undefined;
  }

  // --- what happens by itself -------------------------------------------------------------------------------------

  #chance(fault: Fault): boolean {
    if (this.isCalm || !this.#random.chance(this.mix.faults[fault])) return false;
    this.visits.count(`fault: ${fault}`);
    return true;
  }

  #cutWitness(): void {
    const [end] = this.network.witnessesOf(this.#anyMachine().owner);
    if (end === undefined) return;
    const isLate = this.#random.chance(0.5);
    this.trace?.(() => `the witness is cut${isLate ? ", late" : ""}`);
    (this.#random.chance(0.5) ? end : end.other).break(isLate);
  }

  #hangUp(server: Server): void {
    const conn = server.anyConn();
    if (conn === undefined) return;
    if (conn.link?.isFinishing === true) this.disturbs(conn.link);
    server.close(conn, "hang up");
  }

  #restart(server: Server, how: "restart" | "restartBackup" | "restartOther"): void {
    if (!server.isUp) return;
    for (const { disturbed } of this.machines) disturbed.add(server.number);
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
