import dns from "node:dns";
import { EventEmitter } from "node:events";
import { pino, type Logger } from "pino";
import { formatAddress, type Address } from "../config/address.ts";
import { toConfig } from "../config/load.ts";
import { changedOptions } from "../config/changes.ts";
import type { Config, ConfigInput, UpstreamConfig } from "../config/schema.ts";
import type { Happening, Report } from "../happening/happening.ts";
import { descriptorLimit } from "../net/descriptors.ts";
import { SocketTransport } from "../net/socket-transport.ts";
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
import { Room } from "../upstream/room.ts";
import { stopInOrder } from "../upstream/stopping.ts";
import type { StoragesFinder } from "../upstream/tries.ts";
import { Upstream } from "../upstream/upstream.ts";
import { tidHex } from "../wire/ids.ts";
import type { Proxy, ProxyStats, ReloadResult, StorageStats } from "./api.ts";
import { planUpstreams, type Plan } from "./plan.ts";
import type { KeptUpstream, Reloadable } from "./reloadable.ts";
import { Settings } from "./settings.ts";
import { ledgerNow, type ClientNow, type ProxyState } from "./state.ts";
import { Upstreams, type Open } from "./upstreams.ts";

/** Beside two for each client: the log, name look-ups, listening addresses, what Node itself has open. */
const OWN_DESCRIPTORS = 50;

/** Of so many clients it is told what they do, if nothing else is said. */
const MAX_CLIENTS = 100;

export interface ProxyOptions {
  /** Where the lines go; without one nothing is logged. */
  readonly logger?: Logger;
  /** Is called when a reload acts: for what the configuration has that is the program's own affair, as the logger's level. */
  readonly onReload?: (next: Config) => void;
}

/**
 * A proxy for the given upstreams. Nothing is opened before `start()`.
 * @throws ConfigError with everything that is wrong with the configuration
 */
export function createProxy(config: Config | ConfigInput, options: ProxyOptions = {}): Proxy {
  return new ZeoProxy(toConfig(config), options);
}

class ZeoProxy extends EventEmitter<ProxyEvents> implements Proxy {
  #config: Config;
  readonly #settings: Settings;
  readonly #report: Report;
  readonly #counters = new Counters();
  readonly #summary: RepairSummary;
  readonly #room: Room;
  readonly #fullness: Fullness;
  readonly #memory: Memory;
  readonly #transport: SocketTransport;
  readonly #upstreams: Upstreams;
  readonly #storages = new Map<string, Storages>();
  /** What a reload changes beside upstreams that come and go: all of it, in this order. */
  readonly #reloadables: readonly Reloadable[];
  #starting: Promise<void> | undefined;
  /** The start and all reloads so far: the next one waits for them. */
  #turn: Promise<unknown> = Promise.resolve();
  #stopped: Promise<void> | undefined;

  constructor(config: Config, { logger = pino({ level: "silent" }), onReload }: ProxyOptions) {
    super();
    this.#config = config;
    const settings = new Settings(config);
    this.#settings = settings;
    const { log, limits } = settings;
    const count = this.#counters.count.bind(this.#counters);
    const summary = new RepairSummary(logger, systemClock);
    this.#summary = summary;
    const sum = (happening: Happening): void => {
      if (log.repairs === "summary") summary.read(happening);
    };
    this.#report = reportTo(count, writeLines(logger, log), sum, emitEvents(this, log));
    this.#room = new Room(config.limits.clients);
    this.#fullness = new Fullness(this.#room, systemClock, this.#report);
    this.#transport = new SocketTransport(config.keepAliveMs);
    this.#memory = new Memory(config.limits.memoryBytes);
    this.#upstreams = new Upstreams({
      make: (upstream) => this.#newUpstream(upstream),
      mustGoOn: () => this.#mustGoOn(),
      get drainMs() {
        return limits.drainMs;
      },
      forget: (gone) => this.#forget(gone),
    });
    this.#reloadables = [
      (next) => () => settings.take(next),
      // What was repaired so far is told as it was to be told then.
      (next) => () => void (next.log.repairs === "each" && summary.tell()),
      (_, kept) => () => this.#rename(kept),
      (next) => () => void (this.#transport.keepAliveMs = next.keepAliveMs),
      (next) => () => void (this.#memory.limitBytes = next.limits.memoryBytes),
      (next) => () => void (this.#room.limit = next.limits.clients),
      (next) => () => {
        // What it throws is the program's affair: that must not come between what the proxy is doing.
        try {
          onReload?.(next);
        } catch (error) {
          process.nextTick(() => {
            throw error;
          });
        }
      },
    ];
  }

  // --- start ------------------------------------------------------------------------------------------------------

  async start(): Promise<void> {
    if (this.#starting !== undefined) throw new Error("this proxy has been started before");
    this.#starting = this.#upstreams.start(this.#config.upstreams, () => this.#countDescriptors());
    this.#turn = this.#starting;
    await this.#starting;
  }

  #mustGoOn(): void {
    if (this.#stopped !== undefined) throw new Error("this proxy was stopped");
  }

  #countDescriptors(): void {
    const { clients } = this.#config.limits;
    const allowed = descriptorLimit();
    const needed = 2 * clients + OWN_DESCRIPTORS + this.#config.upstreams.length;
    if (allowed !== undefined && allowed < needed) this.#report({ what: "few-descriptors", clients, needed, allowed });
  }

  #newUpstream(config: UpstreamConfig): Upstream {
    const upstream = new Upstream(config, {
      settings: this.#settings,
      clock: systemClock,
      transport: this.#transport,
      storages: this.#finder(config),
      memory: this.#memory,
      room: this.#room,
      isAliveElsewhere: () => this.#isAliveElsewhere(upstream),
      report: this.#report,
    });
    return upstream;
  }

  #isAliveElsewhere(one: Upstream): boolean {
    return this.#upstreams.all.some((other) => other !== one && other.storages === one.storages && other.isAlive);
  }

  #finder(config: UpstreamConfig): StoragesFinder {
    return (found, failed) => {
      let isCancelled = false;
      dns.lookup(config.server.host, { all: true }, (error, addresses) => {
        if (isCancelled) return;
        if (error !== null) failed(codeOf(error));
        else
          found(
            this.#storagesAt(
              config,
              addresses.map(({ address }) => address),
            ),
          );
      });
      return () => {
        isCancelled = true;
      };
    };
  }

  /** Upstreams whose servers have an address in common share what is known of that server. */
  #storagesAt({ server, witness }: UpstreamConfig, addresses: readonly string[]): Storages {
    const keys = addresses.map((address) => `${address} ${server.port}`);
    const known = keys.map((key) => this.#storages.get(key)).find((storages) => storages !== undefined);
    const { limits, witness: watching } = this.#settings;
    const share = (free: () => void): Share => this.#memory.share(free);
    const host = {
      clock: systemClock,
      report: this.#report,
      get historyBytes() {
        return limits.historyBytes;
      },
      share,
      witness: witness === "on" ? { of: this.#witnessOf(server), settings: watching } : undefined,
    };
    const storages = known ?? new Storages(formatAddress(server), host);
    for (const key of keys) this.#storages.set(key, storages);
    return storages;
  }

  #witnessOf(server: Address): WitnessMaker {
    const { limits, witness } = this.#settings;
    const dialling = {
      transport: this.#transport,
      clock: systemClock,
      get timeoutMs() {
        return limits.handshakeMs;
      },
    };
    const bounds = {
      get transactions() {
        return witness.transactions;
      },
      get rangeMs() {
        return witness.rangeMs;
      },
      // Soon enough for a second one to answer before those who wait are given up.
      get stallMs() {
        return witness.holdMs / 4;
      },
    };
    return (storage, family) => (told) => new WitnessPair({ server, storage, family, dialling, told, limits: bounds });
  }

  // --- reload -----------------------------------------------------------------------------------------------------

  async reload(config: Config | ConfigInput): Promise<ReloadResult> {
    const next = toConfig(config);
    const starting = this.#starting;
    if (starting === undefined) throw new Error("this proxy has not been started");
    const reloaded = this.#reload(next, this.#turn, starting);
    this.#turn = reloaded;
    return reloaded;
  }

  async #reload(next: Config, turn: Promise<unknown>, starting: Promise<void>): Promise<ReloadResult> {
    await turn.catch(() => undefined);
    await starting;
    const before = this.#config;
    const plan = planUpstreams(before.upstreams, next.upstreams);
    await this.#upstreams.change(plan, async (kept) => {
      const changes = await Promise.all(this.#reloadables.map(async (reloadable) => reloadable(next, kept)));
      return [...changes, () => void (this.#config = next)];
    });
    if (next.limits.clients !== before.limits.clients) this.#countDescriptors();
    return resultOf(plan, before, next);
  }

  #rename(kept: readonly KeptUpstream[]): void {
    for (const { upstream, before, after } of kept) {
      if (before.name === after.name) continue;
      upstream.rename(after.name);
      upstream.storages?.upstreamIs(after.name, before.name);
    }
  }

  /**
   * What these have known of their servers, unless another upstream shares it, or one that is opened anew will. (That one does not
   * know yet which server it is: it goes by the name, and by whether there is to be a witness.)
   */
  #forget(gone: readonly Open[]): void {
    for (const { upstream, config } of gone) {
      const { storages } = upstream;
      if (storages === undefined) continue;
      const heir = this.#upstreams.open.find(({ upstream: one, config: its }) =>
        one.storages === undefined ? isHeir(its, config) : one.storages === storages,
      );
      if (heir === undefined) {
        storages.stop();
        for (const [key, known] of this.#storages) if (known === storages) this.#storages.delete(key);
      } else storages.upstreamIs(heir.upstream.name, upstream.name);
    }
  }

  // --- stop -------------------------------------------------------------------------------------------------------

  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  #stop(): Promise<void> {
    this.#fullness.stop();
    const { drainMs } = this.#settings.limits;
    const parts = { upstreams: this.#upstreams.all, storages: this.#storages.values() };
    // And what is repaired until everything has settled. A second signal may end the process before that.
    this.#summary.tell();
    return new Promise((done) => {
      stopInOrder({ ...parts, clock: systemClock, drainMs }, () => {
        this.#summary.tell();
        done();
      });
    });
  }

  // --- statistics -------------------------------------------------------------------------------------------------

  stats(): ProxyStats {
    const { completed, synthesized, late, resumed, tooOld, guard, questions, ended, relayed } = this.#counters;
    return {
      upstreams: this.#upstreams.shown.map((upstream) => ({
        name: upstream.name,
        listen: upstream.listen,
        server: upstream.serverAddress,
        addresses: upstream.serverAddresses,
        state: upstream.state,
        clients: upstream.clients,
        accepted: upstream.accepted,
        unrepaired: Object.fromEntries(relayed.get(upstream.name) ?? []),
      })),
      storages: this.#allStorages().map(storageStats),
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

  state(maxClients = MAX_CLIENTS): ProxyState {
    const clients = this.#upstreams.all.flatMap((upstream) =>
      [...upstream.sessions].map((session): ClientNow => ({
        upstream: upstream.name,
        client: session.peer,
        ...session.facts,
      })),
    );
    const { clients: clientsLimit, memoryBytes: keptBytesLimit } = this.#settings.limits;
    return {
      ...this.stats(),
      storages: this.#allStorages().map((storage) => ({ ...storageStats(storage), ...ledgerNow(storage.ledger) })),
      clients: clients.sort((a, b) => b.keptBytes - a.keptBytes).slice(0, maxClients),
      clientsNow: this.#room.taken,
      clientsLimit,
      keptBytes: this.#memory.bytes,
      keptBytesLimit,
    };
  }

  #allStorages(): Storage[] {
    return [...new Set(this.#storages.values())].flatMap((storages) => [...storages.all()]);
  }
}

function resultOf({ steps, closed }: Plan, before: Config, next: Config): ReloadResult {
  const changed = changedOptions(before, next);
  return {
    opened: steps.flatMap(({ is, after }) => (is === "opened" ? [after.name] : [])),
    reopened: steps.flatMap(({ is, after }) => (is === "reopened" ? [after.name] : [])),
    closed: closed.map(({ name }) => name),
    renamed: steps.flatMap((step) => {
      if (step.is === "opened" || step.before.name === step.after.name) return [];
      return [{ from: step.before.name, to: step.after.name }];
    }),
    changed: changed.flatMap(({ option, takes }) => (takes === "restart" ? [] : [option])),
    needRestart: changed.flatMap(({ option, takes }) => (takes === "restart" ? [option] : [])),
  };
}

/** Does it lead to the same server as that one, and look at it in the same way? */
function isHeir({ server, witness }: UpstreamConfig, before: UpstreamConfig): boolean {
  return formatAddress(server) === formatAddress(before.server) && witness === before.witness;
}

function storageStats(storage: Storage): StorageStats {
  const { known, ...facts } = storage.ledger.facts;
  return { server: storage.server, storage: storage.name, ...facts, setbacks: storage.setbacks, known: tidHex(known) };
}
