import type { ProxyStats } from "../../src/index.ts";

/** A session that the proxy ended. `client`: `host:port`. */
export interface Ended {
  readonly client: string;
  readonly code: string;
}

/** What the process says of itself. */
export interface Inside {
  readonly heapBytes: number;
  readonly externalBytes: number;
  readonly residentBytes: number;
  /** Kinds of what keeps its loop alive. */
  readonly resources: readonly string[];
}

/** What has happened since it was asked before. */
export interface News {
  readonly ended: readonly Ended[];
  /** Upstreams whose server was found to be down. */
  readonly down: readonly string[];
  /** Upstreams that have begun to listen, also anew. */
  readonly listening: readonly string[];
  /** The longest that the loop stood, in milliseconds. */
  readonly stoodMs: number;
}

export type RunnerAsks = {
  readonly stats: { readonly ask: undefined; readonly answer: ProxyStats };
  readonly news: { readonly ask: undefined; readonly answer: News };
  /** Resolves once it has started. */
  readonly started: { readonly ask: undefined; readonly answer: ProxyStats };
  /** After collecting garbage where `collect` is true. */
  readonly inside: { readonly ask: { readonly collect: boolean }; readonly answer: Inside };
};
