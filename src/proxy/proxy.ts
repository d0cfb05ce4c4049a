import { EventEmitter } from "node:events";
import { pino, type Logger } from "pino";
import type { Status } from "../admin/shape.ts";
import { statusOf } from "../admin/status.ts";
import { packageVersion } from "../admin/version.ts";
import { inForce } from "../config/changes.ts";
import { toConfig } from "../config/load.ts";
import type { Config, ConfigInput, UpstreamConfig } from "../config/schema.ts";
import type { Happening, Report } from "../happening/happening.ts";
import type { Inspected } from "../metrics/inspected.ts";
import { admissionRules } from "../net/admission-rules.ts";
import { systemClock } from "../net/system-clock.ts";
import { Feed } from "../page/feed.ts";
import { Counters } from "../report/counters.ts";
import { emitEvents, type ProxyEvents } from "../report/events.ts";
import { writeLines } from "../report/log-lines.ts";
import { RepairSummary } from "../report/repair-summary.ts";
import { reportTo } from "../report/reporter.ts";
import { Memory } from "../session/memory.ts";
import { Fullness } from "../upstream/fullness.ts";
import type { RepairMode } from "../upstream/host.ts";
import { Nobodies } from "../upstream/nobodies.ts";
import { Room } from "../upstream/room.ts";
import { stopInOrder } from "../upstream/stopping.ts";
import { Upstream } from "../upstream/upstream.ts";
import { AdminSide } from "./admin-side.ts";
import type { Proxy, ProxyStats, ReloadResult } from "./api.ts";
import { fewDescriptors, gapWarnings } from "./guards.ts";
import { planUpstreams, resultOf } from "./plan.ts";
import type { KeptUpstream, Reloadable } from "./reloadable.ts";
import { Servers } from "./servers.ts";
import { Settings } from "./settings.ts";
import { snapshotOf } from "./snapshot.ts";
import { statisticsOf } from "./statistics.ts";
import { Upstreams, type Open } from "./upstreams.ts";
import { Ways } from "./ways.ts";

export interface ProxyOptions {
  /** Where the lines go; without one nothing is logged. */
  readonly logger?: Logger;
  /** What the status page shows. Only with one each commit is told of. */
  readonly feed?: Feed;
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
  readonly #nobodies: Nobodies;
  readonly #fullness: Fullness;
  readonly #memory: Memory;
  readonly #servers: Servers;
  readonly #upstreams: Upstreams;
  readonly #admin: AdminSide;
  /** What a reload changes beside upstreams that come and go: all of it, in this order. */
  readonly #reloadables: readonly Reloadable[];
  #starting: Promise<void> | undefined;
  #isRunning = false;
  /** The start and all reloads so far: the next one waits for them. */
  #turn: Promise<unknown> = Promise.resolve();
  #stopped: Promise<void> | undefined;

  constructor(config: Config, { logger = pino({ level: "silent" }), feed: given, onReload }: ProxyOptions) {
    super();
    this.#config = config;
    const settings = new Settings(config);
    this.#settings = settings;
    this.#summary = new RepairSummary(logger, systemClock);
    const feed = given ?? (config.admin === undefined ? undefined : new Feed(systemClock, packageVersion()));
    this.#report = this.#reportTo(logger, feed);
    this.#room = new Room(config.limits.clients);
    this.#nobodies = new Nobodies(this.#room, systemClock);
    this.#fullness = new Fullness(this.#room, systemClock, this.#report);
    this.#memory = new Memory(config.limits.memoryBytes);
    this.#servers = new Servers({
      settings,
      report: this.#report,
      memory: this.#memory,
      feed,
      witnessLost: (storages) => this.#upstreams.witnessLost(storages),
    });
    this.#upstreams = this.#newUpstreams();
    const storages = () => ({ repaired: this.#servers.storages, observed: this.#servers.shadows });
    feed?.source(() => snapshotOf(this.#upstreams.shown, storages(), this.#counters));
    this.#admin = new AdminSide({ inspected: this.#inspected(), feed, report: this.#report });
    this.#reloadables = this.#whatReloads(onReload);
  }

  #reportTo(logger: Logger, feed: Feed | undefined): Report {
    const { log } = this.#settings;
    const count = this.#counters.count.bind(this.#counters);
    const sum = (happening: Happening): void => {
      if (log.repairs === "summary") this.#summary.read(happening);
    };
    const readers = [writeLines(logger, log), sum, ...(feed === undefined ? [] : [feed.read.bind(feed)])];
    return reportTo(count, ...readers, emitEvents(this, log));
  }

  #newUpstreams(): Upstreams {
    const { limits } = this.#settings;
    return new Upstreams(this.#config.upstreams, {
      make: (config, index) => this.#open(config, index),
      mustGoOn: () => {
        if (this.#stopped !== undefined) throw new Error("this proxy was stopped");
      },
      get drainMs() {
        return limits.drainMs;
      },
      opened: (open) => {
        for (const { upstream, ways, config } of open) {
          // It was made before the reload acted.
          ways.transport.keepAliveMs = this.#settings.keepAliveMs;
          this.#warnOfGaps(upstream.address, config);
        }
      },
      forget: (gone) => this.#servers.forget(gone, this.#upstreams.open),
    });
  }

  #open(config: UpstreamConfig, index: number): Open {
    const ways = new Ways(config, index, this.#settings, this.#report);
    const { transport } = ways;
    const upstream = new Upstream(config, {
      settings: this.#settings,
      clock: systemClock,
      transport,
      storages: this.#servers.finder(config, transport),
      memory: this.#memory,
      room: this.#room,
      nobodies: this.#nobodies,
      isAliveElsewhere: () => this.#at(upstream.storages).some((other) => other !== upstream && other.isAlive),
      heardOfServer: () => this.#at(upstream.storages).reduce((sum, { traffic }) => sum + traffic.fromServer, 0),
      left: (storages) => this.#servers.left(storages, this.#upstreams.present),
      report: this.#report,
      admission: admissionRules(config.admission),
    });
    return { upstream, ways, config };
  }

  /** Upstreams of that server. */
  #at(storages: Upstream["storages"]): Upstream[] {
    return this.#upstreams.all.filter((upstream) => upstream.storages === storages);
  }

  // --- start ------------------------------------------------------------------------------------------------------

  async start(): Promise<void> {
    if (this.#starting !== undefined) throw new Error("this proxy has been started before");
    this.#starting = this.#start();
    this.#turn = this.#starting;
    await this.#starting;
  }

  async #start(): Promise<void> {
    await this.#upstreams.start(async () => {
      if (this.#config.admin !== undefined) await this.#admin.open(this.#config.admin);
      this.#countDescriptors();
    });
    this.#isRunning = true;
  }

  #countDescriptors(): void {
    const few = fewDescriptors(this.#config);
    if (few !== undefined) this.#report(few);
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
      return [...changes, () => void (this.#config = inForce(before, next))];
    });
    if (next.limits.clients !== before.limits.clients) this.#countDescriptors();
    return resultOf(plan, before, next);
  }

  #whatReloads(onReload: ProxyOptions["onReload"]): Reloadable[] {
    return [
      (next) => () => this.#settings.take(next),
      // What was repaired so far is told as it was to be told then.
      (next) => () => void (next.log.repairs === "each" && this.#summary.tell()),
      (_, kept) => () => this.#servers.rename(kept),
      (_, kept) => forEach(kept.map(({ ways, after, index }) => ways.prepare(after, index))),
      (next) => this.#admin.prepare(next.admin),
      (_, kept) => forEach(kept.map((one) => () => this.#change(one))),
      (next) => () => this.#servers.bound(next.limits.historyBytes),
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

  /** Who may come, how long a silent host may be gone, and what is done for its clients. */
  #change({ upstream, ways, before, after }: KeptUpstream): void {
    ways.transport.keepAliveMs = this.#settings.keepAliveMs;
    upstream.admit(admissionRules(after.admission));
    if (upstream.repair !== after.repair) upstream.repair = after.repair;
    this.#warnOfGaps(upstream.address, after, before);
  }

  #warnOfGaps(address: string, config: UpstreamConfig, before?: UpstreamConfig): void {
    for (const warning of gapWarnings(config, address, before)) this.#report(warning);
  }

  setRepair(name: string, repair: RepairMode): void {
    for (const upstream of this.#upstreams.all) if (upstream.name === name) upstream.repair = repair;
  }

  // --- stop -------------------------------------------------------------------------------------------------------

  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  #stop(): Promise<void> {
    this.#nobodies.stop();
    this.#fullness.stop();
    const { drainMs } = this.#settings.limits;
    const parts = { upstreams: this.#upstreams.all, storages: this.#servers.all };
    // And what is repaired until everything has settled. A second signal may end the process before that.
    this.#summary.tell();
    return new Promise((done) => {
      stopInOrder({ ...parts, clock: systemClock, drainMs }, () => {
        this.#summary.tell();
        // Last: whoever looks after the process may ask until then.
        done(this.#admin.stop());
      });
    });
  }

  // --- what it tells of itself ------------------------------------------------------------------------------------

  #inspected(): Inspected {
    const state = (): ReturnType<Inspected["state"]> =>
      this.#stopped !== undefined ? "stopping" : this.#isRunning ? "running" : "starting";
    return {
      version: packageVersion(),
      upstreams: () => this.#upstreams.shown,
      storages: () => this.#servers.storages,
      shadows: () => this.#servers.shadows,
      counters: this.#counters,
      memory: this.#memory,
      room: this.#room,
      state,
    };
  }

  stats(): ProxyStats {
    const upstreams = this.#upstreams.shown;
    const { shadows, storages } = this.#servers;
    return statisticsOf({ upstreams, storages, shadows, counters: this.#counters });
  }

  status(): Status {
    return statusOf(this.#inspected());
  }
}

function forEach(applies: readonly (() => void)[]): () => void {
  return () => {
    for (const apply of applies) apply();
  };
}
