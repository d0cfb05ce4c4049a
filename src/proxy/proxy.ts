import { lookup } from "node:dns/promises";
import { EventEmitter } from "node:events";
import { pino, type Logger } from "pino";
import { formatAddress, type Address } from "../config/address.ts";
import { toConfig } from "../config/load.ts";
import type { Config, ConfigInput } from "../config/schema.ts";
import type { Report } from "../happening/happening.ts";
import { SocketTransport } from "../net/socket-transport.ts";
import { systemClock } from "../net/system-clock.ts";
import { codeOf } from "../net/system-error.ts";
import { Counters } from "../report/counters.ts";
import { emitEvents, type ProxyEvents } from "../report/events.ts";
import { writeLines } from "../report/log-lines.ts";
import { reportTo } from "../report/reporter.ts";
import type { Storage } from "../storage/storage.ts";
import { Storages } from "../storage/storages.ts";
import { Memory } from "../session/memory.ts";
import { Room } from "../upstream/room.ts";
import { stopInOrder } from "../upstream/stopping.ts";
import { Upstream } from "../upstream/upstream.ts";
import { tidHex } from "../wire/ids.ts";
import type { Proxy, ProxyStats, StorageStats } from "./api.ts";
import { ListenError, ResolveError } from "./errors.ts";

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

class ZeoProxy extends EventEmitter<ProxyEvents> implements Proxy {
  readonly #config: Config;
  readonly #report: Report;
  readonly #counters = new Counters();
  readonly #room: Room;
  readonly #memory: Memory;
  readonly #transport = new SocketTransport();
  readonly #upstreams: Upstream[] = [];
  readonly #storages = new Map<string, Storages>();
  #started = false;
  #stopped: Promise<void> | undefined;

  constructor(config: Config, logger: Logger) {
    super();
    this.#config = config;
    const { oids } = config.log;
    const count = this.#counters.count.bind(this.#counters);
    this.#report = reportTo(count, writeLines(logger, oids), emitEvents(this, oids));
    this.#room = new Room(config.limits.clients);
    this.#memory = new Memory(config.limits.memoryBytes);
  }

  // --- start ------------------------------------------------------------------------------------------------------

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
    await Promise.all(this.#upstreams.map((upstream) => new Promise<void>((done) => upstream.begin(done))));
  }

  /** All or none; the first error, once every address is either bound or not. */
  async #bind(): Promise<void> {
    if (this.#stopped !== undefined) throw new Error("this proxy was stopped while it started");
    const bound = await Promise.all(this.#upstreams.map((upstream, i) => bind(upstream, this.#listenOf(i))));
    for (const failure of bound) if (failure !== undefined) throw failure;
  }

  #listenOf(index: number): Address {
    return this.#config.upstreams[index]?.listen ?? { host: "", port: 0 };
  }

  #newUpstream(config: Config["upstreams"][number], addresses: readonly string[]): Upstream {
    const { limits, unknownProtocol } = this.#config;
    return new Upstream(config, {
      settings: { limits, refuseUnknown: unknownProtocol === "refuse" },
      clock: systemClock,
      transport: this.#transport,
      storages: this.#storagesAt(config, addresses),
      memory: this.#memory,
      room: this.#room,
      report: this.#report,
    });
  }

  /** Upstreams whose servers have an address in common share what is known of that server. */
  #storagesAt({ server }: Config["upstreams"][number], addresses: readonly string[]): Storages {
    const keys = addresses.map((address) => `${address} ${server.port}`);
    const known = keys.map((key) => this.#storages.get(key)).find((storages) => storages !== undefined);
    const { historyBytes } = this.#config.limits;
    const host = { clock: systemClock, report: this.#report, historyBytes };
    const storages = known ?? new Storages(formatAddress(server), host);
    for (const key of keys) this.#storages.set(key, storages);
    return storages;
  }

  // --- stop -------------------------------------------------------------------------------------------------------

  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  #stop(): Promise<void> {
    const { drainMs } = this.#config.limits;
    const parts = { upstreams: this.#upstreams, storages: this.#storages.values(), room: this.#room };
    return new Promise((done) => stopInOrder({ ...parts, clock: systemClock, drainMs }, done));
  }

  // --- statistics -------------------------------------------------------------------------------------------------

  stats(): ProxyStats {
    const { completed, synthesized, resumed, tooOld, guard, questions, ended, relayed } = this.#counters;
    return {
      upstreams: this.#upstreams.map((upstream) => ({
        name: upstream.name,
        listen: upstream.listen,
        server: upstream.serverAddress,
        state: upstream.state,
        clients: upstream.clients,
        accepted: upstream.accepted,
        unrepaired: Object.fromEntries(relayed.get(upstream.name) ?? []),
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
}

function storageStats(storage: Storage): StorageStats {
  const { known, ...facts } = storage.ledger.facts;
  return { server: storage.server, storage: storage.name, ...facts, known: tidHex(known) };
}

/** Takes the address; resolves to the error where that can't be. */
function bind(upstream: Upstream, listen: Address): Promise<ListenError | undefined> {
  return new Promise((done) => {
    upstream.bind((failure) => {
      if (failure === undefined) done(undefined);
      else done(new ListenError(upstream.name, formatAddress(listen), failure.code, { cause: failure.cause }));
    });
  });
}

/** The addresses of a host. */
async function resolve(upstream: string, { host }: Address): Promise<readonly string[]> {
  try {
    return (await lookup(host, { all: true })).map(({ address }) => address);
  } catch (error) {
    throw new ResolveError(upstream, host, codeOf(error), { cause: error });
  }
}
