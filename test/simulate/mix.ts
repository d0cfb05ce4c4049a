import { Random } from "./random.ts";
import { KINDS } from "./style.ts";

export type Faults = Readonly<Record<Fault, number>>;
export type Fault = (typeof FAULTS)[number];

/** What can go wrong; each has a probability for each time it could. */
export const FAULTS = [
  // of the network, per dial or per decision
  "dialNever",
  "dialFails",
  "occupied",
  "cut",
  "cutFinishing",
  // of a client, per decision
  "leave",
  "leaveReset",
  "leaveFinishing",
  "leaveDialling",
  "slow",
  "garbage",
  "impatient",
  // of a server, per request that can
  "skip",
  "refuseRegister",
  "refuseVote",
  "finishException",
  "finishLies",
  "finishNone",
  "hangUp",
  "lateReply",
  "crossesCommit",
  "refuseQuestion",
  "serverSlow",
  "tellEarly",
  // of a server, per decision of a client
  "iteratorFails",
  // of the network, per decision of a client
  "cutWitness",
  "restart",
  "restartBackup",
  "restartOther",
  "crash",
  // the subject is stopped in order, and started again
  "stop",
] as const;

export type Deed = (typeof DEEDS)[number];

/** What a client that is ready can do; each has a weight. */
export const DEEDS = [
  "load",
  "loadOld",
  "lastTransaction",
  "plain",
  "getTid",
  "burst",
  "heartbeat",
  "modify",
  "create",
  "mixed",
  "delete",
  "restore",
  "blob",
  "undo",
  "empty",
  "large",
  "sendBlob",
  "copy",
] as const;

/** What one run is made of. All of it can be lowered, to make a run that fails smaller. */
export interface Mix {
  /** Names of server kinds: one or two servers. */
  readonly servers: readonly string[];
  /** Before the servers, each on a machine of its own, with all clients spread over them: one or two. */
  readonly proxies: number;
  /** How long one that was killed can be away. */
  readonly downMs: number;
  /** Listening addresses for each server. */
  readonly doors: number;
  /** Of each server. */
  readonly clients: number;
  /** Clients that write on the server's own port. */
  readonly foreign: number;
  /** Probes, monitors, TLS clients, unknown protocols, garbage. */
  readonly strangers: number;
  /** Somebody who connects, names a protocol or nothing, and stays. */
  readonly idlers: number;
  /** So often the subject's own machine can't make a connection. */
  readonly hindered: number;
  /** A client stops reading for minutes, and goes on writing: so often for each of its decisions. */
  readonly stuck: number;
  /** Decisions of all clients together. */
  readonly decisions: number;
  readonly objects: number;
  /** Milliseconds between two decisions of one client, at most. */
  readonly thinkMs: number;
  /** Calls of one burst at most, and as many more may wait for their answers. */
  readonly burst: number;
  readonly latencyUs: number;
  readonly stalls: number;
  readonly stallUs: number;
  /** How often a chunk is cut. */
  readonly chop: number;
  readonly window: number;
  readonly highWater: number;
  readonly deeds: Readonly<Record<Deed, number>>;
  readonly faults: Faults;
  /** So often a transaction that was granted its vote is aborted. */
  readonly aborts: number;
  /** Stores with serial None instead of zeros. */
  readonly noneSerials: number;
  readonly fanOut: "no" | "early" | "late";
  /** Oids in tuples, as from a server in front of another one. */
  readonly tuples: boolean;
  /** So many of the copied transactions have a tid below others that are there. */
  readonly copiesBelow: number;
  /** Old: an empty transaction gets a tid of its own. */
  readonly emptyTid: boolean;
  /** New: conflicts are resolved by the client. */
  readonly resolves: boolean;
  readonly infos: boolean;
  /** Entries of the server's own queue for `getInvalidations`. */
  readonly serverQueue: number;
  /** Clients of ZEO 5 on old servers. */
  readonly newOnOld: boolean;
  /** Old clients number from 0. */
  readonly zeroIds: boolean;
  readonly largeBytes: number;
  /** So many of the old clients were set up with authentication: their frames have MACs, and are relayed. */
  readonly macs: number;
  /** For the subject: 0 stands for plenty. */
  readonly history: number;
  readonly outbox: number;
  readonly frameBytes: number;
  /** It takes so many clients as there are, and no more. */
  readonly isFull: boolean;
  /** It closes what it can't repair. */
  readonly refuseUnknown: boolean;
  /** Half of the clients register a while after they have named their protocol. */
  readonly hesitates: boolean;
  /** It reads what does not pass through it, over a connection of its own: */
  readonly witness: boolean;
  /** so often an old server is asked, */
  readonly pollMs: number;
  /** so long anything waits for it, */
  readonly holdMs: number;
  /** and so many transactions are read at once, at most. */
  readonly catchUp: number;
}

/** So much of a run's mix can be said by name; the rest comes from the seed. */
export type Overrides = Partial<Omit<Mix, "deeds" | "faults">> & {
  readonly deeds?: Partial<Mix["deeds"]>;
  readonly faults?: Partial<Faults>;
  /** Only these faults may happen at all. */
  readonly onlyFaults?: readonly Fault[];
  /** What is not said is off, or as small as can be, whatever the seed. */
  readonly bare?: boolean;
};

const RARE: Readonly<Record<Fault, number>> = {
  dialNever: 0.05,
  dialFails: 0.2,
  occupied: 0.01,
  cut: 0.01,
  cutFinishing: 0.1,
  leave: 0.02,
  leaveReset: 0.02,
  leaveFinishing: 0.1,
  leaveDialling: 0.1,
  slow: 0.05,
  garbage: 0.005,
  impatient: 0.02,
  skip: 0.2,
  refuseRegister: 0.3,
  refuseVote: 0.2,
  finishException: 0.1,
  finishLies: 0.1,
  finishNone: 0.1,
  hangUp: 0.005,
  lateReply: 0.2,
  crossesCommit: 0.5,
  refuseQuestion: 0.05,
  serverSlow: 0.02,
  tellEarly: 0.02,
  iteratorFails: 0.1,
  cutWitness: 0.03,
  restart: 0.004,
  restartBackup: 0.004,
  restartOther: 0.003,
  crash: 0.003,
  stop: 0.003,
};

function all<K extends string>(names: readonly K[], value: number): Record<K, number> {
  return Object.fromEntries(names.map((name) => [name, value])) as Record<K, number>;
}

/**
 * Nothing happens in it. Named runs begin with it: a chance that is new is asked for only where its part of the mix is on,
 * so that they stay the runs that they are.
 */
export const BARE: Mix = {
  servers: ["ZEO 6"],
  proxies: 1,
  downMs: 100,
  doors: 1,
  clients: 2,
  foreign: 0,
  strangers: 0,
  idlers: 0,
  hindered: 0,
  stuck: 0,
  decisions: 10,
  objects: 3,
  thinkMs: 1,
  burst: 8,
  latencyUs: 30,
  stalls: 0,
  stallUs: 10_000,
  chop: 0,
  window: 1_000_000,
  highWater: 16_384,
  deeds: all(DEEDS, 0),
  faults: all(FAULTS, 0),
  aborts: 0,
  noneSerials: 0,
  fanOut: "no",
  tuples: false,
  copiesBelow: 0.2,
  emptyTid: false,
  resolves: false,
  infos: false,
  serverQueue: 100,
  newOnOld: false,
  zeroIds: false,
  largeBytes: 2000,
  macs: 0,
  history: 0,
  outbox: 0,
  frameBytes: 0,
  isFull: false,
  refuseUnknown: false,
  hesitates: false,
  witness: false,
  pollMs: 1000,
  holdMs: 2000,
  catchUp: 10_000,
};

/** Each seed has its own: most features are off in most runs, so that those that are on meet undisturbed. */
export function mixOf(seed: number, overrides: Overrides = {}): Mix {
  if (overrides.bare === true) return overridden(BARE, overrides);
  const random = new Random(seed ^ 0x5eed);
  const faultRate = random.pick([0, 0.1, 0.25, 0.5]);
  const faults = {} as Record<Fault, number>;
  const seen = new Random(seed ^ 0x5ee4);
  const cut = new Random(seed ^ 0xc07);
  const sources: Partial<Record<Fault, Random>> = {
    iteratorFails: seen,
    cutWitness: cut,
    crossesCommit: new Random(seed ^ 0xc05),
  };
  for (const fault of FAULTS) {
    const source = sources[fault] ?? random;
    const isOn = source.chance(fault === "crossesCommit" ? 0.7 : faultRate);
    const strength = source.pick([0.3, 1, 1, 2]);
    faults[fault] = isOn ? Math.min(0.8, RARE[fault] * strength) : 0;
  }
  const deeds = {} as Record<Deed, number>;
  for (const deed of DEEDS) deeds[deed] = random.chance(0.6) ? random.pick([1, 2, 5]) : 0;
  if (random.chance(0.8)) deeds.load = 5;
  if (random.chance(0.5)) deeds.create = 4;
  if (random.chance(0.5)) deeds.modify = 4;
  deeds.large = random.chance(0.1) ? 1 : 0;
  // From a source of their own: what else a seed has stays what it was before there were these.
  const own = new Random(seed ^ 0x1d1e);
  const watched = new Random(seed ^ 0x517e);
  const hasWitness = watched.chance(0.5);
  // Without one nothing is promised of what passes through another proxy.
  const witness = overrides.witness ?? (hasWitness || (overrides.proxies ?? 1) > 1);
  // What a witness is there for.
  const foreign = watched.pick([0, 1, 1, 2]);
  const two = new Random(seed ^ 0x2b0c);
  const hasTwo = two.chance(0.25);
  const proxies = overrides.proxies ?? (witness && hasTwo ? 2 : 1);
  const downMs = two.pick([100, 100, 3000]);
  const servers = [random.pick(KINDS).name];
  if (random.chance(0.1)) servers.push(random.pick(KINDS).name);
  const mix: Mix = {
    servers,
    proxies,
    downMs,
    clients: random.between(2, random.pick([2, 3, 4, 8])),
    foreign: Math.max(random.chance(0.25) ? 1 : 0, witness ? foreign : 0),
    strangers: random.chance(0.2) ? random.between(1, 6) : 0,
    idlers: own.chance(0.2) ? own.between(1, 5) : 0,
    hindered: own.chance(0.15) ? own.pick([0.02, 0.1, 0.4]) : 0,
    stuck: own.chance(0.1) ? own.pick([0.005, 0.05]) : 0,
    decisions: random.pick([10, 30, 60, 150, 400]),
    objects: random.pick([3, 8, 20, 100]),
    thinkMs: random.pick([0.05, 1, 10, 500]),
    burst: 8,
    latencyUs: random.pick([0, 30, 300, 3000, 100_000]),
    stalls: random.chance(0.3) ? random.pick([0.001, 0.01, 0.1]) : 0,
    stallUs: random.pick([10_000, 1_000_000, 4_000_000]),
    chop: random.pick([0, 0, 0, 0.05, 0.05, 0.3, 0.9]),
    window: random.pick([64, 1000, 1000, 16_384, 65_536, 65_536, 1_000_000]),
    highWater: random.pick([0, 200, 16_384]),
    deeds,
    faults,
    aborts: random.chance(0.5) ? 0.15 : 0,
    noneSerials: random.chance(0.2) ? 0.3 : 0,
    fanOut: random.chance(0.85) ? "no" : random.pick(["early", "late"] as const),
    tuples: random.chance(0.1),
    copiesBelow: 0.2,
    emptyTid: random.chance(0.2),
    resolves: random.chance(0.3),
    infos: random.chance(0.5),
    serverQueue: random.pick([3, 20, 100, 100]),
    newOnOld: random.chance(0.7),
    zeroIds: random.chance(0.3),
    largeBytes: random.pick([2000, 2000, 20_000, 200_000]),
    history: random.chance(0.15) ? random.pick([1, 200, 2000]) : 0,
    outbox: random.chance(0.1) ? random.pick([2000, 100_000]) : 0,
    doors: random.chance(0.15) ? 2 : 1,
    macs: random.chance(0.06) ? random.pick([0.2, 0.5]) : 0,
    frameBytes: random.chance(0.06) ? random.pick([3000, 20_000]) : 0,
    isFull: random.chance(0.1),
    refuseUnknown: random.chance(0.1),
    hesitates: random.chance(0.3),
    witness,
    pollMs: seen.pick([50, 1000, 1000, 5000]),
    holdMs: seen.pick([300, 2000, 2000, 5000]),
    catchUp: seen.chance(0.1) ? seen.pick([3, 30]) : 10_000,
  };
  // What the network itself takes does not wait for a client that is stuck.
  const window = mix.stuck > 0 ? Math.min(mix.window, 200) : mix.window;
  // A large object through a narrow pipe is slow to simulate, too.
  const whole = { ...mix, window, largeBytes: Math.min(mix.largeBytes, 40 * window) };
  const chosen = random.chance(0.5) ? whole : busy(whole, random);
  return overridden(proxies > 1 ? several(chosen, two) : chosen, overrides);
}

/** Where there is another proxy to go to, one is killed now and then. */
function several(mix: Mix, random: Random): Mix {
  const faults = { ...mix.faults };
  if (random.chance(0.6)) faults.crash = random.pick([0.005, 0.02]);
  if (random.chance(0.3)) faults.stop = random.pick([0.005, 0.02]);
  return { ...mix, copiesBelow: 0, faults };
}

/** Those that end no connection, or none of a client's. */
const UNDISTURBING: ReadonlySet<Fault> = new Set(["iteratorFails", "cutWitness", "crossesCommit"]);

/**
 * Long, with much on its way at once, and little that ends a connection: most messages are in such worlds, most of what is
 * odd in the others.
 */
function busy(mix: Mix, random: Random): Mix {
  const faults = { ...mix.faults };
  for (const fault of FAULTS) {
    if (!UNDISTURBING.has(fault)) faults[fault] = random.chance(0.5) ? 0 : faults[fault] / 20;
  }
  return {
    ...mix,
    decisions: random.pick([300, 800]),
    thinkMs: Math.min(mix.thinkMs, 1),
    burst: random.pick([20, 60, 200]),
    latencyUs: Math.min(mix.latencyUs, 3000),
    stalls: Math.min(mix.stalls, 0.001),
    chop: Math.min(mix.chop, 0.05),
    window: Math.max(mix.window, 65_536),
    highWater: 16_384,
    largeBytes: Math.min(mix.largeBytes, 20_000),
    deeds: { ...mix.deeds, burst: random.pick([5, 20, 50]), large: 0 },
    faults,
  };
}

export function overridden(mix: Mix, overrides: Overrides): Mix {
  const { deeds, faults, onlyFaults, bare: _bare, ...rest } = overrides;
  const allowed = { ...mix.faults, ...faults } as Record<Fault, number>;
  if (onlyFaults !== undefined) for (const fault of FAULTS) if (!onlyFaults.includes(fault)) allowed[fault] = 0;
  return { ...mix, ...rest, deeds: { ...mix.deeds, ...deeds }, faults: allowed };
}
