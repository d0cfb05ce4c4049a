import { fileURLToPath } from "node:url";
import { Child } from "./child.ts";
import { ANY_CORE, type Cores } from "./cores.ts";
import { Haproxy } from "./haproxy.ts";
import type { LoadAsks, ScenarioName } from "./load.ts";
import { freePort } from "../net/free-port.ts";
import { cpuUs } from "./process-figures.ts";
import { PROXY } from "./proxy-module.ts";
import type { RelayAsks } from "./relay.ts";
import { Looker } from "./sides/looker.ts";
import type { Measured } from "./scenarios/measured.ts";
import type { ServerAsks } from "./server.ts";
import type { RelayWay, Way } from "./ways.ts";

/** Of the servers. */
export type Family = "new" | "old";

/** One scenario on one way, for a slice of time. */
export interface Sample {
  readonly measured: Measured;
  /** The relay's; undefined where there is none, or where it can't be told. */
  readonly cpuUsPerMessage: number | undefined;
}

/** All the processes: the load, and for each way a stand-in server with the relay before it. */
export class Stage {
  readonly #file: (name: string) => string;
  /** The module that the proxy is taken from. */
  readonly #proxy: string;
  #load: Child<LoadAsks> | undefined;
  readonly #servers: Child<ServerAsks>[] = [];
  readonly #relays = new Map<RelayWay, Child<RelayAsks>>();
  #haproxy: Haproxy | undefined;
  #looker: Looker | undefined;
  readonly #ports = new Map<Way, number>();
  readonly #serverPorts = new Map<Way, number>();

  /**
   * `compiled`: the folder with the compiled modules of this one. `proxy`: the module that the proxy is taken from; that which
   * is installed, unless said.
   */
  constructor(compiled: URL = new URL(".", import.meta.url), proxy: string = PROXY) {
    this.#file = (name) => fileURLToPath(new URL(name, compiled));
    this.#proxy = proxy;
  }

  /** `nodeOptions` are those of the relays' processes. */
  async start(
    ways: readonly Way[],
    nodeOptions: readonly string[] = [],
    cores: Cores = ANY_CORE,
    family: Family = "new",
  ): Promise<void> {
    this.#load = new Child<LoadAsks>(this.#file("load.js"), [], [], cores.ends);
    for (const way of ways) {
      // Behind the proxy stands what it is there for. What the others pass on is complete already: so much reaches the
      // clients on every way.
      const isPlain = way === "direct" || way === "haproxy" || way === "pipe" || way === "bare";
      const kind = isPlain ? "patched" : "unpatched";
      // Beside a way with a witness all servers keep what it may read, so that it costs the same everywhere.
      const traits: string[] = ways.includes("watched") ? [kind, family, "iterable"] : [kind, family];
      if (way === "tls-both") traits.push("tls");
      const server = new Child<ServerAsks>(this.#file("server.js"), traits, [], cores.ends);
      this.#servers.push(server);
      const port = await server.ask("port", undefined);
      this.#serverPorts.set(way, port);
      this.#ports.set(way, way === "direct" ? port : await this.#relay(way, port, nodeOptions, cores.relays));
    }
  }

  async #relay(way: RelayWay, port: number, options: readonly string[], prefix: readonly string[]): Promise<number> {
    if (way === "haproxy") {
      this.#haproxy = await Haproxy.start(port, prefix);
      return this.#haproxy.port;
    }
    const admin = way === "looked-at" ? `127.0.0.1:${await freePort()}` : undefined;
    const args = [way, String(port), this.#proxy, ...(admin === undefined ? [] : [admin])];
    const relay = new Child<RelayAsks>(this.#file("relay.js"), args, options, prefix);
    this.#relays.set(way, relay);
    const listening = await relay.ask("port", undefined);
    if (admin !== undefined) this.#looker = await Looker.at(admin);
    return listening;
  }

  async stop(): Promise<void> {
    this.#looker?.leave();
    const children = [this.#load, ...this.#relays.values(), ...this.#servers, this.#haproxy];
    await Promise.all(children.map((child) => child?.stop() ?? Promise.resolve()));
  }

  /** Connects and registers the scenario's clients on this way. */
  async prepare(scenario: ScenarioName, way: Way): Promise<void> {
    const [port, serverPort] = [this.#ports.get(way) ?? 0, this.#serverPorts.get(way) ?? 0];
    await this.#load?.ask("prepare", { scenario, way, port, serverPort });
  }

  /** Lets those of the last `prepare` work. */
  async slice(way: Way, ms: number): Promise<Sample> {
    const before = await this.#cpuUs(way);
    const measured = await this.#running().ask("run", { way, ms });
    const after = await this.#cpuUs(way);
    const isKnown = before !== undefined && after !== undefined;
    return { measured, cpuUsPerMessage: isKnown ? (after - before) / measured.messages : undefined };
  }

  /** Ends all clients. Throws where the proxy has ended one before. */
  async close(): Promise<void> {
    for (const relay of this.#relays.values()) await relay.ask("usage", undefined);
    await this.#running().ask("close", undefined);
  }

  /** All of it once. What the proxy has repaired must be as much as there was to repair. */
  async sample(scenario: ScenarioName, way: Way, ms: number): Promise<Sample> {
    await this.prepare(scenario, way);
    const before = await this.#repaired();
    const sample = await this.slice(way, ms);
    const repaired = (await this.#repaired()) - before;
    await this.close();
    const expected = sample.measured.repairable ?? 0;
    if (way === "proxy" && repaired !== expected) {
      throw new Error(`${scenario}: ${repaired} messages were repaired, not ${expected}`);
    }
    return sample;
  }

  /** The most resident memory that the relay has had, in bytes. */
  async peakBytes(way: RelayWay): Promise<number> {
    const usage = await this.#relays.get(way)?.ask("usage", undefined);
    return usage?.peakBytes ?? Number.NaN;
  }

  pid(way: RelayWay): number {
    return way === "haproxy" ? (this.#haproxy?.pid ?? 0) : (this.#relays.get(way)?.pid ?? 0);
  }

  #running(): Child<LoadAsks> {
    if (this.#load === undefined) throw new Error("nothing was started");
    return this.#load;
  }

  async #cpuUs(way: Way): Promise<number | undefined> {
    if (way === "direct") return undefined;
    const accounted = cpuUs(this.pid(way));
    return accounted ?? (await this.#relays.get(way)?.ask("usage", undefined))?.cpuUs;
  }

  async #repaired(): Promise<number> {
    return (await this.#relays.get("proxy")?.ask("usage", undefined))?.repaired ?? 0;
  }
}
