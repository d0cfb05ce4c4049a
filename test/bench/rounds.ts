import { fileURLToPath } from "node:url";
import { Child } from "./child.ts";
import type { LoadAsks, ScenarioName } from "./load.ts";
import { WAYS, type Effort, type Scenario, type Way } from "./plan.ts";
import type { RelayAsks, RelayKind } from "./relay.ts";
import type { Measured } from "./scenarios/measured.ts";
import type { ServerAsks } from "./server.ts";

const PAUSE_MS = 30;

/** One scenario on one way. */
export interface Sample {
  readonly measured: Measured;
  /** The relay's; undefined where there is none. */
  readonly cpuUsPerMessage: number | undefined;
}

/** One sample for each way, taken one after the other. */
export type Round = Readonly<Record<Way, Sample>>;

/** All the processes: a stand-in server, the relays before it, and the load. */
export class Stage {
  readonly #server: Child<ServerAsks>;
  readonly #load: Child<LoadAsks>;
  readonly #relayFile: string;
  readonly #relays = new Map<RelayKind, Child<RelayAsks>>();
  readonly #ports = new Map<Way, number>();

  /** `compiled`: the folder with the compiled modules of this one. */
  constructor(compiled: URL = new URL(".", import.meta.url)) {
    const file = (name: string): string => fileURLToPath(new URL(name, compiled));
    this.#relayFile = file("relay.js");
    this.#server = new Child<ServerAsks>(file("server.js"));
    this.#load = new Child<LoadAsks>(file("load.js"));
  }

  /** `nodeOptions` are those of the relays' processes. */
  async start(kinds: readonly RelayKind[], nodeOptions: readonly string[] = []): Promise<void> {
    const port = await this.#server.ask("port", undefined);
    this.#ports.set("direct", port);
    for (const kind of kinds) {
      const relay = new Child<RelayAsks>(this.#relayFile, [kind, String(port)], nodeOptions);
      this.#relays.set(kind, relay);
      this.#ports.set(kind, await relay.ask("port", undefined));
    }
  }

  async stop(): Promise<void> {
    await Promise.all([this.#load, ...this.#relays.values(), this.#server].map((child) => child.stop()));
  }

  async sample(scenario: ScenarioName, way: Way, ms: number): Promise<Sample> {
    const relay = way === "direct" ? undefined : this.#relays.get(way);
    await this.#load.ask("prepare", { scenario, port: this.#ports.get(way) ?? 0 });
    const before = await relay?.ask("usage", undefined);
    const measured = await this.#load.ask("run", ms);
    const after = await relay?.ask("usage", undefined);
    await this.#load.ask("close", undefined);
    // The relay's work with connections that end is no part of the next sample.
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    if (before === undefined || after === undefined) return { measured, cpuUsPerMessage: undefined };
    const repaired = after.repaired - before.repaired;
    if (way === "proxy" && repaired !== (measured.repairable ?? 0)) {
      throw new Error(`${scenario}: ${repaired} messages were repaired, not ${measured.repairable ?? 0}`);
    }
    return { measured, cpuUsPerMessage: (after.cpuUs - before.cpuUs) / measured.messages };
  }

  /** The most resident memory that the relay has had, in bytes. */
  async peakBytes(kind: RelayKind): Promise<number> {
    const usage = await this.#relays.get(kind)?.ask("usage", undefined);
    return usage?.peakBytes ?? Number.NaN;
  }

  /** Takes turns: another way is the first in every round. */
  async rounds({ name }: Scenario, { rounds, ms }: Effort): Promise<Round[]> {
    const all: Round[] = [];
    for (let i = -1; i < rounds; i++) {
      const samples = new Map<Way, Sample>();
      for (let turn = 0; turn < WAYS.length; turn++) {
        const way = WAYS[(i + 1 + turn) % WAYS.length] as Way;
        samples.set(way, await this.sample(name, way, ms));
      }
      const [direct, pipe, proxy] = WAYS.map((way) => samples.get(way));
      // The first round only warms up.
      if (i >= 0 && direct !== undefined && pipe !== undefined && proxy !== undefined)
        all.push({ direct, pipe, proxy });
    }
    return all;
  }
}
