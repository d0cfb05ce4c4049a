import type { AdminConfig } from "../config/admin.ts";
import type { Inspected } from "../metrics/inspected.ts";
import { LoopDelay } from "../metrics/loop-delay.ts";
import type { Route } from "./route.ts";
import { ownRoutes } from "./routes.ts";
import { readSecrets } from "./secrets.ts";
import { AdminServer, type AdminSecrets } from "./server.ts";
import { Token } from "./token.ts";

export { packageVersion } from "./version.ts";

/** A running admin server. */
export interface Admin {
  /** `host:port`, or the path of its socket. */
  readonly address: string;
  /**
   * Reads the token and the certificate again, of which that configuration may name others.
   * @returns what puts them in force, and its `hosts`
   * @throws ConfigError where one can't be used
   */
  prepare(config: AdminConfig): () => void;
  /** Resolves when its connections are closed. */
  stop(): Promise<void>;
}

/** What it shows, and who is told what goes wrong in it. */
export interface AdminHost {
  readonly inspected: Inspected;
  /** Pages beside its own. */
  readonly routes?: readonly Route[];
  readonly failed: (error: unknown) => void;
}

/**
 * Serves metrics, health and status.
 * @throws ConfigError where the token or the certificate can't be used
 * @throws the system's error where the address can't be had
 */
export async function openAdmin(config: AdminConfig, { inspected, routes = [], failed }: AdminHost): Promise<Admin> {
  const { listen } = config;
  const delay = new LoopDelay();
  const own = ownRoutes(inspected, delay.delaysMs);
  const server = new AdminServer([...own, ...routes], { listen, ...secretsOf(config) }, failed);
  const prepare = (next: AdminConfig): (() => void) => {
    const secrets = secretsOf(next);
    return () => server.renew(secrets);
  };
  const stop = async (): Promise<void> => {
    delay.stop();
    await server.stop();
  };
  try {
    return { address: await server.start(), prepare, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function secretsOf(config: AdminConfig): AdminSecrets {
  const { credentials, token } = readSecrets(config);
  return { hosts: config.hosts, token: token === undefined ? undefined : new Token(token), credentials };
}
