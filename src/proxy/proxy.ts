import { lookup } from "node:dns/promises";
import { EventEmitter } from "node:events";
import { pino, type Logger } from "pino";
import { formatAddress, type Address } from "../config/address.ts";
import { toConfig } from "../config/load.ts";
import type { Config, ConfigInput } from "../config/schema.ts";
import { tidHex } from "../wire/ids.ts";
import type { Proxy, ProxyEvents, ProxyStats, StorageStats } from "./api.ts";
import { newCounters } from "./counters.ts";
import { codeOf, ResolveError } from "./errors.ts";
import { Reports } from "./reports.ts";
import type { Session, SessionHost } from "./session.ts";
import { Storages, type Storage } from "./storage.ts";
import { Upstream } from "./upstream.ts";

export interface ProxyOptions {
  /** Where the lines go; without one nothing is logged. */
  readonly logger?: Logger;
}

/**
 * A proxy for the given upstreams. Nothing is opened before `start()`.
 * @throws ConfigError with everything that is wrong with the configuration
 */
export function createProxy(config: Config | ConfigInput, options: ProxyOptions = {}): Proxy {
  return new ZeoProxy(toConfig(config), options.logger ?? pino({ level: "silent" }));
}

/** How often a stop looks whether everything has settled. */
const SETTLE_POLL_MS = 10;
/** Destroyed sockets need a turn of the loop or two to be closed. */
const CLOSE_MS = 1_000;

class ZeoProxy extends EventEmitter<ProxyEvents> implements Proxy {
  readonly #config: Config;
  readonly #reports: Reports;
  readonly #upstreams: Upstream[] = [];
  readonly #storages = new Map<string, Storages>();
  #sessions = 0;
  #started = false;
  #stopped: Promise<void> | undefined;

  constructor(config: Config, logger: Logger) {
    super();
    this.#config = config;
    this.#reports = new Reports(newCounters(), logger, this, config.log.oids);
  }

  async start(): Promise<void> {
    if (this.#started) throw new Error("this proxy has been started before");
    this.#started = true;
    try {
      for (const upstream of this.#config.upstreams) {
        await resolve(upstream.name, upstream.listen);
        const addresses = await resolve(upstream.name, upstream.server);
        this.#upstreams.push(this.#newUpstream(upstream, addresses));
      }
      await this.#bind();
    } catch (error) {
      for (const upstream of this.#upstreams) upstream.stop();
      throw error;
    }
    await Promise.all(this.#upstreams.map((upstream) => upstream.begin()));
  }

  /** All or none; the first error, once every address is either bound or not. */
  async #bind(): Promise<void> {
    if (this.#stopped !== undefined) throw new Error("this proxy was stopped while it started");
    const bound = await Promise.allSettled(this.#upstreams.map((upstream, i) => upstream.bind(this.#listenOf(i))));
    for (const result of bound) if (result.status === "rejected") throw result.reason;
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    for (const upstream of this.#upstreams) upstream.stop();
    for (const session of this.#open()) {
      if (session.hasVoted) session.stop();
      else session.quiesce();
    }
    const deadline = Date.now() + this.#config.limits.drainMs;
    await this.#until(() => [...this.#open()].every((session) => session.isSettled), deadline);
    for (const session of this.#open()) session.stop();
    await this.#until(() => this.#clients() === 0, deadline);
    for (const session of this.#open()) session.destroy();
    await this.#until(() => this.#clients() === 0, Date.now() + CLOSE_MS);
    for (const storages of this.#storages.values()) for (const storage of storages.all()) storage.stop();
  }

  async #until(reached: () => boolean, deadline: number): Promise<void> {
    while (!reached() && Date.now() < deadline) await pause(SETTLE_POLL_MS);
  }

  stats(): ProxyStats {
    const { completed, synthesized, resumed, tooOld, guard, questions, ended } = this.#reports.counters;
    return {
      upstreams: this.#upstreams.map((upstream) => ({
        name: upstream.name,
        listen: upstream.listen,
        server: upstream.serverAddress,
        state: upstream.state,
        clients: upstream.clients,
        accepted: upstream.accepted,
        unrepaired: this.#reports.unrepaired.totals(upstream.name),
      })),
      storages: [...new Set(this.#storages.values())].flatMap((storages) => [...storages.all()].map(storageStats)),
      completed,
      synthesized,
      resumed,
      tooOld,
      ended: Object.fromEntries(ended),
      guard,
      questions,
    };
  }

  #listenOf(index: number): Address {
    return this.#config.upstreams[index]?.listen ?? { host: "", port: 0 };
  }

  *#open(): Generator<Session> {
    for (const upstream of this.#upstreams) yield* upstream.sessions;
  }

  /** Upstreams whose servers have an address in common share what is known of that server. */
  #storagesAt({ server }: Config["upstreams"][number], addresses: readonly string[]): Storages {
    const keys = addresses.map((address) => `${address} ${server.port}`);
    const known = keys.map((key) => this.#storages.get(key)).find((storages) => storages !== undefined);
    const storages = known ?? new Storages(formatAddress(server), this.#config.limits.historyBytes, this.#reports);
    for (const key of keys) this.#storages.set(key, storages);
    return storages;
  }

  #newUpstream(config: Config["upstreams"][number], addresses: readonly string[]): Upstream {
    const { limits, unknownProtocol } = this.#config;
    const storages = this.#storagesAt(config, addresses);
    const reports = this.#reports;
    const { counters } = reports;
    const sessionHost = (upstream: Upstream): SessionHost => ({
      name: config.name,
      limits,
      refuseUnknown: unknownProtocol === "refuse",
      nextNumber: () => ++this.#sessions,
      storage: (name, family) => storages.get(name, family),
      forgetUnused: (storage) => storages.forgetUnused(storage),
      relayed: (session, reason) => reports.relayed(config.name, session, reason),
      announced: (repair) => void counters[repair]++,
      asked: () => void counters.questions++,
      ended: (session, end) => reports.ended(config.name, session, end),
      serverSilent: (session) => upstream.serverSilent(session),
      answeredFirstWord: () => upstream.answeredFirstWord(),
      serverEnded: (session) => upstream.serverEnded(session),
      closed: (session) => {
        upstream.closed(session);
        reports.closed(config.name, session);
      },
    });
    return new Upstream(config, {
      handshakeMs: limits.handshakeMs,
      hasRoom: () => this.#clients() < limits.clients,
      roomChanged: () => {
        for (const other of this.#upstreams) other.lookForRoom();
      },
      sessionHost,
      opened: (session) => reports.opened(config.name, session),
      listening: (upstream) => reports.listening(upstream),
      down: (upstream, reason) => reports.down(upstream, reason),
      blocked: (upstream, code) => reports.blocked(upstream, code),
      up: (upstream, downMs) => reports.up(upstream, downMs),
    });
  }

  #clients(): number {
    return this.#upstreams.reduce((sum, upstream) => sum + upstream.clients, 0);
  }
}

function storageStats(storage: Storage): StorageStats {
  const { known, ...facts } = storage.ledger.facts;
  return { server: storage.server, storage: storage.name, ...facts, known: tidHex(known) };
}

/** The addresses of a host. */
async function resolve(upstream: string, { host }: Address): Promise<readonly string[]> {
  try {
    return (await lookup(host, { all: true })).map(({ address }) => address);
  } catch (error) {
    throw new ResolveError(upstream, host, codeOf(error), { cause: error });
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}
