import { ConfigError } from "../config/problem.ts";

/** Options of the command line by what they become in a configuration; of the upstream that they describe. */
const NAMES: Readonly<Record<string, string>> = {
  listen: "--listen",
  server: "--server",
  storages: "--storage",
  "server-tls": "--tls-name",
  "server-tls.ca": "--tls-ca",
  "server-tls.certificate": "--tls-certificate",
  "server-tls.key": "--tls-key",
  "server-tls.name": "--tls-name",
};

/**
 * Reads a configuration that was put together from options: a problem is told with the option's name, and no place in a file that
 * is not there.
 * @throws ConfigError as `read`
 */
export function asOptions<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const problems = error.problems.map(({ path, message }) => ({ path: optionOf(path), message }));
    throw new ConfigError(problems, { cause: error });
  }
}

function optionOf(path: string): string {
  const below = /^upstreams\[0\]\.([^[]+)/.exec(path)?.[1];
  return (below === undefined ? undefined : NAMES[below]) ?? path;
}
