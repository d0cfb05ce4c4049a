import { COPYING_MS } from "../../src/ledger/copied.ts";
import { STUCK_US } from "./client/conn.ts";
import type { Machine } from "./machine.ts";
import { mixOf, type Mix, type Overrides } from "./mix.ts";
import type { Server } from "./server/server.ts";
import type { SubjectMaker } from "./subject.ts";
import { Violation } from "./violation.ts";
import type { Visits } from "./visits.ts";
import { World } from "./world.ts";

/** How one run went. */
export interface Run {
  readonly seed: number;
  readonly mix: Mix;
  readonly violation: Violation | undefined;
  /** Of all bytes that were delivered. */
  readonly hash: string;
  readonly messages: number;
  readonly events: number;
  /** Simulated. */
  readonly seconds: number;
}

export interface RunOptions {
  readonly overrides?: Overrides;
  readonly visits: Visits;
  readonly make: SubjectMaker;
  readonly trace?: (line: string) => void;
}

/** Simulated time that the clients' decisions may take. */
const LONGEST_US = 3_600_000_000;
/** ... and what is on its way then. Longer than any timer of the subject's or a client's. */
const REST_US = 60_000_000;
const COPYING_US = 1000 * COPYING_MS;
/** So many clients commit behind what was copied, if something was. */
const COMMITTERS = 2;
/** One more than that: the first vote that is granted can end all sessions, its own too, for what was in limbo. */
const TURNS = COMMITTERS + 1;
const MAX_EVENTS = 5_000_000;

/** The whole life of a world: everything that the seed wants, rest, the looks at it, and the end. */
export function run(seed: number, options: RunOptions): Run {
  const mix = mixOf(seed, options.overrides);
  const { trace } = options;
  const world = new World(seed, mix, options.visits, options.make);
  if (trace !== undefined) {
    world.traceTo((text) => trace(`${(world.timeline.now / 1000).toFixed(3).padStart(12)} ${text()}`));
  }
  live(world);
  const { violation, network, messages, timeline } = world;
  return {
    seed,
    mix,
    violation,
    hash: network.hash,
    messages,
    events: timeline.count,
    seconds: timeline.now / 1_000_000,
  };
}

function live(world: World): void {
  try {
    world.begin();
    world.run(LONGEST_US, MAX_EVENTS, () => world.decisionsLeft === 0);
    world.run(10_000, MAX_EVENTS);
    world.isCalm = true;
    world.network.calm = true;
    for (const client of world.clients) client.conn?.calm();
    world.run(world.mix.stuck > 0 ? STUCK_US + REST_US : REST_US, MAX_EVENTS);
    const begun = new Map<Server, number>();
    for (let turn = 0; turn < TURNS; turn++) {
      world.timeline.plan(COPYING_US, () => commitBehindCopies(world, begun));
      world.run(REST_US, MAX_EVENTS);
    }
    if (world.violation === undefined) atRest(world);
    if (world.violation !== undefined) return;
    for (const client of world.clients) client.leave();
    world.run(REST_US, MAX_EVENTS);
    if (world.violation === undefined) atTheEnd(world);
  } catch (error) {
    if (world.violation !== undefined) return;
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    world.fail(new Violation("0 error", text));
  }
}

/**
 * Who has to verify since something was copied is sent away by a commit of somebody else, once the copying is over: here is
 * one, and in another turn another one's, for the committer of that. `begun`: where the database was before these.
 */
function commitBehindCopies(world: World, begun: Map<Server, number>): void {
  for (const server of world.servers) {
    const clients = world.clients.filter((client) => client.server === server && !client.isDirect);
    if (!clients.some(({ cache }) => cache.copied !== undefined)) continue;
    const { commits, last } = server.truth;
    const before = begun.get(server) ?? last;
    begun.set(server, before);
    const done = new Set(commits.filter(({ tid }) => tid > before).map(({ by }) => by.client));
    if (done.size >= COMMITTERS) continue;
    const able = clients.find(({ conn, number }) => conn?.isReady === true && !conn.link.hasMacs && !done.has(number));
    able?.conn?.transaction.begin("sure");
  }
}

/** Nothing happens any more: everyone knows everything, and nobody waits. */
function atRest(world: World): void {
  let connected = 0;
  for (const client of world.clients) {
    const { conn } = client;
    // The subject takes none of its kind.
    if (client.isRefused) {
      connected++;
      continue;
    }
    if (conn === undefined || !conn.isReady) {
      world.fail(new Violation("4 not ready", `client ${client.number} is not connected and ready at rest`));
      return;
    }
    connected++;
    if (conn.waiting > 0) {
      world.fail(new Violation("4 stuck", `client ${client.number} waits for ${conn.waiting} answers at rest`));
      return;
    }
    if (client.isDirect || conn.link.hasMacs) continue;
    conn.judge.atRest();
    conn.judge.knowledge.atRest();
    if (world.violation !== undefined) return;
  }
  for (const machine of world.machines) {
    const left = machine.check(connected);
    if (left !== undefined) world.fail(new Violation("7 left over", `at rest: ${left}`));
  }
}

/** All have gone: nothing is left. */
function atTheEnd(world: World): void {
  for (const server of world.servers) {
    const { ofClients } = server.connections;
    if (ofClients > 0) {
      world.fail(new Violation("7 left over", `${ofClients} connections are open at server ${server.number}`));
    }
  }
  if (world.mix.witness) {
    // Its own client stays as long as it does.
    for (const machine of world.machines) machine.stop();
    world.run(REST_US, MAX_EVENTS);
    for (const { connections, number } of world.servers) {
      if (connections.ofWitnesses > 0) world.fail(new Violation("7 left over", `a witness at server ${number}`));
    }
  }
  for (const machine of world.machines) isLeft(world, machine);
}

function isLeft(world: World, machine: Machine): void {
  const fail = (text: string): void => world.fail(new Violation("7 left over", text));
  const [open] = world.network.openOf(machine.owner);
  if (open !== undefined) fail(`a connection of the ${machine.owner} is open: ${open.describe()}`);
  if (machine.clock.pending > 0) fail(`${machine.clock.pending} timers are running`);
  const left = machine.check(0);
  if (left !== undefined) fail(left);
  machine.stop();
  const stopped = machine.check(0);
  if (stopped !== undefined) fail(`stopped: ${stopped}`);
}
