import { answerParent } from "./answers.ts";
import { chunksDown, chunksUp, frameDown, frameUp } from "./scenarios/blobs.ts";
import { commits } from "./scenarios/commits.ts";
import { created } from "./scenarios/created.ts";
import { idle } from "./scenarios/idle.ts";
import { loads } from "./scenarios/loads.ts";
import type { Measured, Prepared } from "./scenarios/measured.ts";
import { reads } from "./scenarios/reads.ts";
import type { Way } from "./ways.ts";

/** The process that plays all the clients. */

const BLOB_MIB = 4;

const loading = (clients: number, batch: number, size: number) => (port: number) =>
  loads(port, { clients, batch, size });
const committing = (writers: number, observers: number, oids: number, everyMs?: number) => (port: number) =>
  commits(port, { writers, observers, oids, ...(everyMs === undefined ? {} : { everyMs }) });

const SCENARIOS = {
  "load-200-c1": loading(1, 1, 200),
  "load-200-c16": loading(16, 1, 200),
  "load-200-c256": loading(256, 1, 200),
  "load-4k-c1": loading(1, 1, 4_096),
  "load-4k-c16": loading(16, 1, 4_096),
  "load-4k-c256": loading(256, 1, 4_096),
  "batch-200-1x64": loading(1, 64, 200),
  "batch-200-16x16": loading(16, 16, 200),
  "batch-200-256x4": loading(256, 4, 200),
  "batch-4k-16x16": loading(16, 16, 4_096),
  "load-1m": (port: number) => frameDown(port, 1),
  "blob-down": (port: number) => chunksDown(port, BLOB_MIB),
  "blob-up": (port: number) => chunksUp(port, BLOB_MIB),
  "commit-1": committing(1, 0, 1),
  "commit-10": committing(1, 0, 10),
  "commit-1000": committing(1, 0, 1_000),
  "commit-8w-1": committing(8, 0, 1),
  "commit-8w-10": committing(8, 0, 10),
  "commit-8w-1000": committing(8, 0, 1_000),
  "fanout-10": committing(1, 10, 10),
  "fanout-200": committing(1, 200, 10),
  "fanout-2000": committing(1, 2_000, 10),
  "fanout-2000-1k": committing(1, 2_000, 1_000),
  "site-50": committing(1, 49, 10),
  "site-500": committing(1, 499, 10),
  "site-5000": committing(1, 4_999, 10),
  "site-50-quiet": committing(1, 49, 10, 500),
  "site-500-quiet": committing(1, 499, 10, 500),
  "site-5000-quiet": committing(1, 4_999, 10, 500),
  "reads-commits": reads,
  "created-100k": (port: number) => created(port, 100_000, 10),
  "created-1m": (port: number) => created(port, 1_000_000, 50),
  "idle-2k": (port: number) => idle(port, 2_000),
  "idle-10k": (port: number) => idle(port, 10_000),
  "gib-down": (port: number) => frameDown(port, 1_024),
  "gib-up": (port: number) => frameUp(port, 1_024),
  million: (port: number) => created(port, 1_000_000, 2),
} satisfies Record<string, (port: number) => Promise<Prepared>>;

export type ScenarioName = keyof typeof SCENARIOS;

export type LoadAsks = {
  /** Connects and registers all clients of a scenario. */
  readonly prepare: {
    readonly ask: { readonly scenario: ScenarioName; readonly way: Way; readonly port: number };
    readonly answer: void;
  };
  /** Works for about so many ms. */
  readonly run: { readonly ask: { readonly way: Way; readonly ms: number }; readonly answer: Measured };
  readonly close: { readonly ask: undefined; readonly answer: void };
};

const prepared = new Map<Way, Prepared>();

answerParent<LoadAsks>({
  prepare: async ({ scenario, way, port }) => {
    prepared.set(way, await SCENARIOS[scenario](port));
  },
  run: ({ way, ms }) => {
    const scenario = prepared.get(way);
    if (scenario === undefined) throw new Error(`nothing is prepared ${way}`);
    return scenario.run(ms);
  },
  close: () => {
    for (const scenario of prepared.values()) scenario.close();
    prepared.clear();
  },
});
