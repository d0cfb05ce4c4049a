import type { PeerClient } from "../client.ts";
import type { Installed } from "../install.ts";
import type { Peer } from "../peers.ts";
import type { Stage } from "../stage.ts";

/** One writer kind at work on a stage. */
export interface Ground {
  readonly stage: Stage;
  readonly kind: Installed;
  /** Two clients of this kind on storage 1, with a DB each. */
  readonly writer: PeerClient;
  readonly other: PeerClient;
}

export interface Scenario {
  readonly name: string;
  /** Left out where a server or client can't do it. */
  applies?(server: Peer, writer: Peer): boolean;
  run(ground: Ground): Promise<void>;
}

/** A Python exception by its class. */
export function isError(type: string): { test(error: unknown): boolean } {
  return { test: (error) => error instanceof Error && "type" in error && error.type === type };
}

/** `promise` fails with this Python exception. */
export async function fails(promise: Promise<unknown>, types: readonly string[]): Promise<void> {
  const error: unknown = await promise.then(
    () => new Error("it did not fail"),
    (reason: unknown) => reason,
  );
  if (!types.some((type) => isError(type).test(error))) throw error;
}
