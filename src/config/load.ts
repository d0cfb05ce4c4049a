import type { z } from "zod";
import { parseAddress } from "./address.ts";
import { adminSchema, type AdminConfig } from "./admin.ts";
import { checkAdmission } from "./admission-checks.ts";
import { MAX_FILE_BYTES, readBounded, readFailure } from "./bounded-file.ts";
import type { ConfigProblem } from "./problem.ts";
import { ConfigError, formatPath, formatValue } from "./problem.ts";
import type { ReadUpstream } from "./rules.ts";
import { checkUpstreams } from "./rules.ts";
import type { Config, ConfigInput } from "./schema.ts";
import { configSchema } from "./schema.ts";
import { checkTransport } from "./transport-rules.ts";
import type { Source } from "./source.ts";
import { readSource } from "./source.ts";

export type { Config, ConfigInput } from "./schema.ts";

type Place = Source["place"];
type Path = readonly (string | number)[];

/**
 * Checks a configuration given by a program, in the shape that YAML has ({@link ConfigInput}).
 * @throws ConfigError with everything that is wrong with it
 */
export function parseConfig(input: unknown): Config {
  return check(input, [], (path, message) => ({ path: formatPath(path), message }));
}

/**
 * What a program may hand over: a {@link ConfigInput} is checked, a {@link Config} is taken as it is.
 * @throws ConfigError
 */
export function toConfig(config: Config | ConfigInput): Config {
  return isConfig(config) ? config : parseConfig(config);
}

/**
 * Reads and checks a YAML file.
 * @throws ConfigError with everything that is wrong with it, or why it can't be read
 */
export function loadConfig(file: string): Config {
  return parseConfigText(readText(file), file);
}

/**
 * Reads the `admin` of a YAML file, and nothing else of it: whatever is wrong elsewhere, a proxy that runs can be asked.
 * @returns undefined where it has none
 * @throws ConfigError where that is wrong, or the file can't be read
 */
export function loadAdmin(file: string): AdminConfig | undefined {
  const { broken, place, problems, value } = readSource(readText(file), file);
  if (broken) throw new ConfigError(problems);
  const admin = field(value, "admin");
  if (admin === undefined) return undefined;
  const result = adminSchema.safeParse(admin, { reportInput: true });
  if (result.success) return result.data;
  throw new ConfigError(
    result.error.issues.flatMap((issue) => describeIssue({ ...issue, path: ["admin", ...issue.path] }, place)),
  );
}

/**
 * Checks a YAML text.
 * @param file what messages call it
 * @throws ConfigError with everything that is wrong with it
 */
export function parseConfigText(text: string, file: string): Config {
  const source = readSource(text, file);
  if (source.broken) throw new ConfigError(source.problems);
  return check(source.value, source.problems, source.place);
}

function check(input: unknown, found: readonly ConfigProblem[], place: Place): Config {
  const result = configSchema.safeParse(input, { reportInput: true });
  const problems = result.error?.issues.flatMap((issue) => describeIssue(issue, place)) ?? [];
  const breaches = checkUpstreams(readUpstreams(input)).map(({ path, message }) => place(path, message));
  const read = result.data?.upstreams ?? [];
  const apart = [...read.flatMap(checkTransport), ...read.flatMap(checkAdmission)];
  breaches.push(...apart.map(({ path, message }) => place(path, message)));
  const all = inOrder([...found, ...problems, ...breaches]);
  if (result.success && all.length === 0) return result.data;
  throw new ConfigError(all);
}

/** In the order of the file; one problem for each place, the first that was found. */
function inOrder(problems: readonly ConfigProblem[]): ConfigProblem[] {
  const first = new Map<string, ConfigProblem>();
  for (const problem of problems) {
    const at = JSON.stringify([problem.path, problem.line, problem.column]);
    if (!first.has(at)) first.set(at, problem);
  }
  return [...first.values()].sort((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0));
}

/** The schema's messages say what was expected; this adds what was found. */
function describeIssue(issue: z.core.$ZodIssue, place: Place): ConfigProblem[] {
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => place([...issue.path, key], `unknown key, expected ${issue.message}`, "key"));
  }
  return [place(issue.path, `expected ${issue.message}, got ${formatValue(issue.input)}`)];
}

/** As much of the upstreams as can be read, so that one wrong value hides no clash between others. */
function readUpstreams(input: unknown): ReadUpstream[] {
  const list = field(input, "upstreams");
  if (!Array.isArray(list)) return [];
  return list.map((item: unknown) => {
    const [name, listen] = [field(item, "name"), field(item, "listen")];
    const [server, servers] = [field(item, "server"), field(item, "servers")];
    const listed = Array.isArray(servers)
      ? servers.map((one: unknown, n): [Path, unknown] => [["servers", n], one])
      : [];
    return {
      name: typeof name === "string" ? name : undefined,
      listen: typeof listen === "string" ? parseAddress(listen) : undefined,
      servers: [[["server"], server] satisfies [Path, unknown], ...listed].flatMap(([path, text]) => {
        const address = typeof text === "string" ? parseAddress(text) : undefined;
        return address === undefined ? [] : [{ path, address }];
      }),
      has: isMap(item) ? { server: server !== undefined, servers: servers !== undefined } : undefined,
    };
  });
}

function field(value: unknown, name: string): unknown {
  return isMap(value) ? value[name] : undefined;
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isConfig(config: Config | ConfigInput): config is Config {
  // A program without types may hand over anything. Where an upstream's address was read, it is a whole configuration.
  const upstreams = field(config, "upstreams");
  const first: unknown = Array.isArray(upstreams) ? upstreams[0] : undefined;
  return field(config, "unknownProtocol") !== undefined && typeof field(first, "listen") === "object";
}

function readText(file: string): string {
  const fail = (message: string, cause?: unknown) => new ConfigError([{ file, path: "", message }], { cause });
  let bytes: Buffer;
  try {
    ({ bytes } = readBounded(file));
  } catch (error) {
    throw fail(`expected a file that can be read, got ${readFailure(error)}`, error);
  }
  if (bytes.length > MAX_FILE_BYTES) throw fail("expected a file of at most 1MiB, got a larger one");
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    throw fail("expected UTF-8 text, got other bytes", error);
  }
}
