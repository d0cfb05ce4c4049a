import { EventEmitter } from "node:events";
import { pino, type Logger } from "pino";
import type { Route } from "../admin/route.ts";
import type { Admin } from "../admin/admin.ts";
import { packageVersion } from "../admin/version.ts";
import { formatAddress, isLoopback, type Address } from "../config/address.ts";
import { toConfig } from "../config/load.ts";
import { ConfigError } from "../config/problem.ts";
import type { Config, ConfigInput } from "../config/schema.ts";
import type { Report } from "../happening/happening.ts";
import { Feed } from "../page/feed.ts";
import type { Readers } from "../page/readers.ts";
import { admissionRules } from "../net/admission-rules.ts";
import { descriptorLimit } from "../net/descriptors.ts";
import type { SocketTransport } from "../net/socket-transport.ts";
import { systemClock } from "../net/system-clock.ts";
import { codeOf } from "../net/system-error.ts";
import { Counters } from "../report/counters.ts";
import { emitEvents, type ProxyEvents } from "../report/events.ts";
import { writeLines } from "../report/log-lines.ts";
import { RepairSummary } from "../report/repair-summary.ts";
import { reportTo } from "../report/reporter.ts";
import type { Storage, WitnessMaker } from "../storage/storage.ts";
import { Storages } from "../storage/storages.ts";
import { WitnessPair } from "../witness/pair.ts";
import { Fullness } from "../upstream/fullness.ts";
import { Memory, type Share } from "../session/memory.ts";
import type { RepairMode } from "../upstream/host.ts";
import { Room } from "../upstream/room.ts";
import { stopInOrder } from "../upstream/stopping.ts";
import type { StoragesFinder } from "../upstream/tries.ts";
import { Upstream } from "../upstream/upstream.ts";
import { tidHex } from "../wire/ids.ts";
import type { Proxy, ProxyStats, StorageStats } from "./api.ts";
import { ListenError } from "./errors.ts";
import { findKeys } from "./server-keys.ts";
import { snapshotOf } from "./snapshot.ts";
import { Transports } from "./transports.ts";

/** Beside two for each client: the log, name look-ups, listening addresses, what Node itself has open. */
const OWN_DESCRIPTORS = 50;
/** Of the admin server: its connections, and its address. */
const ADMIN_DESCRIPTORS = 65;
/** For so long a start waits for a name of a listening address, before it begins to serve the others. */
const BIND_MS = 1_000;

export interface ProxyOptions {
  /** Where the lines go; without one nothing is logged. */
  readonly logger?: Logger;
  /** What the status page shows. Only with one each commit is told of. */
  readonly feed?: Feed;
}

/**
 * A proxy for the given upstreams. Nothing is opened before `start()`.
 * @throws ConfigError with everything that is wrong with the configuration
 */
export function createProxy(config: Config | ConfigInput, options: ProxyOptions = {}): Proxy {
  return new ZeoProxy(toConfig(config), options.logger ?? pino({ level: "silent" }), options.feed);
}

class ZeoProxy extends EventEmitter<ProxyEvents> implements Proxy {
  readonly #config: Config;
  readonly #report: Report;
  readonly #counters = new Counters();
  readonly #summary: RepairSummary | undefined;
  readonly #feed: Feed | undefined;
  readonly #room: Room;
  readonly #fullness: Fullness;
  readonly #memory: Memory;
  readonly #transports: Transports;
  readonly #upstreams: Upstream[] = [];
  readonly #storages = new Map<string, Storages>();
  #admin: Admin | undefined;
  /** Of the status page. */
  #readers: Readers | undefined;
  #started = false;
  #isRunning = false;
  #stopped: Promise<void> | undefined;

  constructor(config: Config, logger: Logger, feed: Feed | undefined) {
    super();
    this.#config = config;
    this.#feed = feed ?? (config.admin === undefined ? undefined : new Feed(systemClock, packageVersion()));
    const { oids, repairs } = config.log;
    const count = this.#counters.count.bind(this.#counters);
    const lines = [writeLines(logger, config.log)];
    if (repairs === "summary") {
      this.#summary = new RepairSummary(logger, systemClock);
      lines.push(this.#summary.read.bind(this.#summary));
    }
    const toShow = this.#feed;
    if (toShow !== undefined) {
      lines.push(toShow.read.bind(toShow));
      const storages = () => ({ repaired: this.#allStorages(), observed: this.#allShadows() });
      toShow.source(() => snapshotOf(this.#upstreams, storages(), this.#counters));
    }
    this.#report = reportTo(count, ...lines, emitEvents(this, oids));
    this.#room = new Room(config.limits.clients);
    this.#fullness = new Fullness(this.#room, systemClock, this.#report);
    this.#transports = new Transports(config, this.#report);
    this.#memory = new Memory(config.limits.memoryBytes);
  }

  // --- start ------------------------------------------------------------------------------------------------------

  async start(): Promise<void> {
    if (this.#started) throw new Error("this proxy has been started before");
    this.#started = true;
    for (const upstream of this.#config.upstreams) this.#upstreams.push(this.#newUpstream(upstream));
    try {
      await this.#bind();
      await this.#openAdmin();
    } catch (error) {
      for (const upstream of this.#upstreams) upstream.stop();
      throw error;
    }
    this.#countDescriptors();
    this.#transports.warn();
    for (const [i, upstream] of this.#upstreams.entries()) this.#warnUnguarded(upstream, this.#config.upstreams[i]);
    await Promise.all(this.#upstreams.map((upstream) => new Promise<void>((done) => upstream.begin(done))));
    this.#isRunning = true;
  }

  #countDescriptors(): void {
    const { clients } = this.#config.limits;
    const allowed = descriptorLimit();
    const guests = this.#admin === undefined ? 0 : ADMIN_DESCRIPTORS;
    const addresses = this.#config.upstreams.length + this.#transports.descriptors;
    const needed = 2 * clients + OWN_DESCRIPTORS + guests + addresses;
    if (allowed !== undefined && allowed < needed) this.#report({ what: "few-descriptors", clients, needed, allowed });
  }

  #warnUnguarded({ name, address }: Upstream, config: Config["upstreams"][number] | undefined): void {
    if (config === undefined) return;
    for (const against of gaps(config)) this.#report({ what: "unguarded", upstream: name, address, against });
  }

  /** All or none; the first error, once every address is either bound or not. */
  async #bind(): Promise<void> {
    if (this.#stopped !== undefined) throw new Error("this proxy was stopped while it started");
    const bound = await Promise.all(this.#upstreams.map((upstream, i) => bind(upstream, this.#listenOf(i))));
    for (const failure of bound) if (failure !== undefined) throw failure;
  }

  /** Loaded where it is wanted: most of the time that takes is Node's own HTTP. */
  async #openAdmin(): Promise<void> {
    const { admin: config, limits } = this.#config;
    if (config === undefined) return;
    const [{ openAdmin }, routes] = await Promise.all([import("../admin/admin.ts"), this.#pageRoutes()]);
    const inspected = {
      version: packageVersion(),
      upstreams: this.#upstreams,
      storages: () => this.#allStorages(),
      shadows: () => this.#allShadows(),
      counters: this.#counters,
      memory: this.#memory,
      memoryLimitBytes: limits.memoryBytes,
      state: () => (this.#stopped !== undefined ? "stopping" : this.#isRunning ? "running" : "starting"),
    } as const;
    const failed = (error: unknown): void => this.#report({ what: "admin-failed", error });
    try {
      this.#admin = await openAdmin(config, { inspected, routes, failed });
    } catch (error) {
      const code = codeOf(error);
      if (error instanceof ConfigError || code === "unknown") throw error;
      throw new ListenError(undefined, formatAddress(config.listen), code, { cause: error });
    }
    this.#report({ what: "admin-listening", address: this.#admin.address });
    if (this.#stopped !== undefined) await this.#admin.stop();
  }

  async #pageRoutes(): Promise<Route[]> {
    const feed = this.#feed;
    if (feed === undefined) return [];
    const [{ pageRoutes }, { Readers }] = await Promise.all([
      import("../page/routes.ts"),
      import("../page/readers.ts"),
    ]);
    this.#readers = new Readers(feed);
    return pageRoutes(feed, this.#readers);
  }

  #listenOf(index: number): Address {
    return this.#config.upstreams[index]?.listen ?? { host: "", port: 0 };
  }

  #newUpstream(config: Config["upstreams"][number]): Upstream {
    const { limits, unknownProtocol } = this.#config;
    const upstream = new Upstream(config, {
      settings: { limits, refuseUnknown: unknownProtocol === "refuse" },
      clock: systemClock,
      transport: this.#transports.of(config.name),
      storages: this.#finder(config),
      memory: this.#memory,
      room: this.#room,
      isAliveElsewhere: () => this.#isAliveElsewhere(upstream),
      report: this.#report,
      admission: admissionRules(config.admission),
    });
    return upstream;
  }

  #isAliveElsewhere({ storages, name }: Upstream): boolean {
    return this.#upstreams.some((other) => other.name !== name && other.storages === storages && other.isAlive);
  }

  #finder(config: Config["upstreams"][number]): StoragesFinder {
    return (found, failed) => findKeys(config, (keys) => found(this.#storagesAt(config, keys)), failed);
  }

  /** Upstreams whose servers have an address in common share what is known of that server. */
  #storagesAt({ name, server, witness }: Config["upstreams"][number], keys: readonly string[]): Storages {
    const known = keys.map((key) => this.#storages.get(key)).find((storages) => storages !== undefined);
    const { historyBytes } = this.#config.limits;
    const share = (free: () => void): Share => this.#memory.share(free);
    const host = {
      clock: systemClock,
      report: this.#report,
      historyBytes,
      tellsCommits: this.#feed !== undefined,
      held: this.#feed?.held.bind(this.#feed),
      share,
      witness:
        witness === "on"
          ? { of: this.#witnessOf(server, this.#transports.of(name)), settings: this.#config.witness }
          : undefined,
    };
    const storages = known ?? new Storages(formatAddress(server), host);
    for (const key of keys) this.#storages.set(key, storages);
    return storages;
  }

  #witnessOf(server: Address, transport: SocketTransport): WitnessMaker {
    const { limits, witness } = this.#config;
    const dialling = { transport, clock: systemClock, timeoutMs: limits.handshakeMs };
    const bounds = { transactions: witness.transactions, rangeMs: witness.rangeMs };
    // Soon enough for a second one to answer before those who wait are given up.
    const stallMs = witness.holdMs / 4;
    return (storage, family) => (told) =>
      new WitnessPair({ server, storage, family, dialling, told, limits: bounds }, stallMs);
  }

  // --- stop -------------------------------------------------------------------------------------------------------

  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  #stop(): Promise<void> {
    this.#fullness.stop();
    const { drainMs } = this.#config.limits;
    const parts = { upstreams: this.#upstreams, storages: this.#storages.values(), room: this.#room };
    // And what is repaired until everything has settled. A second signal may end the process before that.
    this.#summary?.tell();
    return new Promise((done) => {
      stopInOrder({ ...parts, clock: systemClock, drainMs }, () => {
        this.#summary?.tell();
        // Last: whoever looks after the process may ask until then.
        this.#readers?.end();
        done(this.#admin?.stop());
      });
    });
  }

  setRepair(name: string, repair: RepairMode): void {
    for (const upstream of this.#upstreams) if (upstream.name === name) upstream.repair = repair;
  }

  #allStorages(): Storage[] {
    return [...new Set(this.#storages.values())].flatMap((storages) => [...storages.all()]);
  }

  #allShadows(): Storage[] {
    return [...new Set(this.#storages.values())].flatMap((storages) => [...storages.allShadows()]);
  }

  // --- statistics -------------------------------------------------------------------------------------------------

  stats(): ProxyStats {
    const { completed, synthesized, late, resumed, tooOld, guard, questions, ended, relayed, refused, observed } =
      this.#counters;
    return {
      upstreams: this.#upstreams.map((upstream) => ({
        name: upstream.name,
        listen: upstream.listen,
        server: upstream.serverAddress,
        addresses: upstream.serverAddresses,
        state: upstream.state,
        repair: upstream.repair,
        observed: upstream.observed,
        clients: upstream.clients,
        accepted: upstream.accepted,
        unrepaired: Object.fromEntries(relayed.get(upstream.name) ?? []),
        refused: Object.fromEntries(refused.get(upstream.name) ?? []),
      })),
      storages: [
        ...this.#allStorages().map((storage) => storageStats(storage, false)),
        ...this.#allShadows().map((storage) => storageStats(storage, true)),
      ],
      observed: { ...observed },
      completed,
      synthesized,
      late,
      resumed,
      tooOld,
      ended: Object.fromEntries(ended),
      guard,
      questions,
    };
  }
}

/** What is not guarded against at an address that others than this machine reach. */
function gaps({ listen, admission }: Config["upstreams"][number]): ("anybody" | "forged addresses")[] {
  if (listen.path !== undefined || isLoopback(listen.host)) return [];
  const found: ("anybody" | "forged addresses")[] = [];
  if (admission.allow.length === 0) found.push("anybody");
  if (admission.acceptProxy === true) found.push("forged addresses");
  return found;
}

function storageStats(storage: Storage, observed: boolean): StorageStats {
  const { known, ...facts } = storage.ledger.facts;
  const { server, name, setbacks } = storage;
  const { family } = storage.ledger;
  return { server, storage: name, family, observed, ...facts, setbacks, known: tidHex(known) };
}

/** Takes the address; resolves to the error where that can't be. */
function bind(upstream: Upstream, listen: Address): Promise<ListenError | undefined> {
  return new Promise((done) => {
    const cancel = systemClock.after(BIND_MS, () => upstream.bindLater());
    upstream.bind((failure) => {
      cancel();
      if (failure === undefined) done(undefined);
      else done(new ListenError(upstream.name, formatAddress(listen), failure.code, { cause: failure.cause }));
    });
  });
}
