import { answerParent } from "./answers.ts";
import { catchUp } from "./scenarios/catch-up.ts";
import { chunksDown, chunksUp, frameDown, frameUp } from "./scenarios/blobs.ts";
import { commits } from "./scenarios/commits.ts";
import { created } from "./scenarios/created.ts";
import { foreign } from "./scenarios/foreign.ts";
import { idle } from "./scenarios/idle.ts";
import { loads } from "./scenarios/loads.ts";
import type { Measured, Prepared } from "./scenarios/measured.ts";
import type { Place } from "./scenarios/place.ts";
import { reads } from "./scenarios/reads.ts";
import { rest } from "./scenarios/rest.ts";
import { pem } from "./tls-files.ts";
import type { Way } from "./ways.ts";
import { speakTls } from "./wire/client.ts";

/** The process that plays all the clients. */

const BLOB_MIB = 4;

const loading =
  (clients: number, batch: number, size: number) =>
  ({ port }: Place) =>
    loads(port, { clients, batch, size });
const committing =
  (writers: number, observers: number, oids: number, everyMs?: number) =>
  ({ port }: Place) =>
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
  "load-1m": ({ port }: Place) => frameDown(port, 1),
  "blob-down": ({ port }: Place) => chunksDown(port, BLOB_MIB),
  "blob-up": ({ port }: Place) => chunksUp(port, BLOB_MIB),
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
  "reads-commits": ({ port }: Place) => reads(port),
  "created-100k": ({ port }: Place) => created(port, 100_000, 10),
  "created-1m": ({ port }: Place) => created(port, 1_000_000, 50),
  "idle-2k": ({ port }: Place) => idle(port, 2_000),
  "idle-10k": ({ port }: Place) => idle(port, 10_000),
  "gib-down": ({ port }: Place) => frameDown(port, 1_024),
  "gib-up": ({ port }: Place) => frameUp(port, 1_024),
  "foreign-10": (place: Place) => foreign(place, 10, 10),
  "foreign-1k": (place: Place) => foreign(place, 1_000, 10),
  "foreign-100k": (place: Place) => foreign(place, 100_000, 10),
  "catch-up": (place: Place) => catchUp(place, { transactions: 10_000, oids: 10 }),
  rest: ({ port }: Place) => rest(port, 10),
  million: ({ port }: Place) => created(port, 1_000_000, 2),
} satisfies Record<string, (place: Place) => Promise<Prepared>>;

export type ScenarioName = keyof typeof SCENARIOS;

export type LoadAsks = {
  /** Connects and registers all clients of a scenario. */
  readonly prepare: {
    readonly ask: { readonly scenario: ScenarioName } & Place;
    readonly answer: void;
  };
  /** Works for about so many ms. */
  readonly run: { readonly ask: { readonly way: Way; readonly ms: number }; readonly answer: Measured };
  readonly close: { readonly ask: undefined; readonly answer: void };
};

const prepared = new Map<Way, Prepared>();

answerParent<LoadAsks>({
  prepare: async ({ scenario, ...place }) => {
    if (place.way === "tls" || place.way === "tls-both") speakTls(place.port, pem("ca.pem"));
    prepared.set(place.way, await SCENARIOS[scenario](place));
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
