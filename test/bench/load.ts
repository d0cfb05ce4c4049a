import { answerParent } from "./answers.ts";
import { chunksDown, chunksUp, frameDown, frameUp } from "./scenarios/blobs.ts";
import { commits } from "./scenarios/commits.ts";
import { loads } from "./scenarios/loads.ts";
import type { Measured, Prepared } from "./scenarios/measured.ts";
import { millionCreated } from "./scenarios/million.ts";
import { reads } from "./scenarios/reads.ts";

/** The process that plays all the clients. */

const SCENARIOS = {
  "loads-1-1": (port: number) => loads(port, 1, 1),
  "loads-1-16": (port: number) => loads(port, 1, 16),
  "loads-16-1": (port: number) => loads(port, 16, 1),
  "loads-16-16": (port: number) => loads(port, 16, 16),
  "frame-down": (port: number) => frameDown(port),
  "frame-up": (port: number) => frameUp(port),
  "chunks-down": (port: number) => chunksDown(port),
  "chunks-up": (port: number) => chunksUp(port),
  commits,
  reads,
  "gib-down": (port: number) => frameDown(port, 1024),
  "gib-up": (port: number) => frameUp(port, 1024),
  million: millionCreated,
} satisfies Record<string, (port: number) => Promise<Prepared>>;

export type ScenarioName = keyof typeof SCENARIOS;

export type LoadAsks = {
  /** Connects and registers all clients of a scenario. */
  readonly prepare: { readonly ask: { readonly scenario: ScenarioName; readonly port: number }; readonly answer: void };
  /** Works for about so many ms. */
  readonly run: { readonly ask: number; readonly answer: Measured };
  readonly close: { readonly ask: undefined; readonly answer: void };
};

let prepared: Prepared | undefined;

answerParent<LoadAsks>({
  prepare: async ({ scenario, port }) => {
    prepared = await SCENARIOS[scenario](port);
  },
  run: (ms) => {
    if (prepared === undefined) throw new Error("nothing is prepared");
    return prepared.run(ms);
  },
  close: () => {
    prepared?.close();
    prepared = undefined;
  },
});
