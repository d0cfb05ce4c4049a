import type { Config, UpstreamConfig } from "../config/schema.ts";
import type { Upstream } from "../upstream/upstream.ts";
import type { Ways } from "./ways.ts";

/** An upstream that a reload leaves open: all that differs acts at once. */
export interface KeptUpstream {
  readonly upstream: Upstream;
  readonly ways: Ways;
  readonly before: UpstreamConfig;
  readonly after: UpstreamConfig;
  /** Where it stands in the new configuration. */
  readonly index: number;
}

/**
 * Something that acts at once. It gets ready for the new configuration, which may fail and changes nothing yet: a certificate
 * that can't be read refuses the reload as a whole. What it returns makes the change; that can't fail. `kept` are the upstreams
 * that stay open; those that are opened, or opened anew, are made of the new configuration anyhow.
 */
export type Reloadable = (next: Config, kept: readonly KeptUpstream[]) => Apply | Promise<Apply>;

export type Apply = () => void;
