import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import { configSchema, type Config, type UpstreamConfig } from "./schema.ts";

// What another configuration changes in a proxy that runs, and what each changed option takes: the schema says that of each,
// behind its description.

/** `at once`: no connection is touched; `the upstream`: that is closed and opened anew; `restart`: only that changes it. */
export type ChangeTakes = "at once" | "the upstream" | "restart";

/** An option whose value is another one, by its path as YAML has it: `limits.clients`. */
export interface ChangedOption {
  readonly option: string;
  readonly takes: ChangeTakes;
}

/** Every option outside of `upstreams`, and where a checked configuration has it. */
const OPTIONS: Readonly<Record<string, (config: Config) => unknown>> = {
  "log.level": ({ log }) => log.level,
  "log.format": ({ log }) => log.format,
  "log.oids": ({ log }) => log.oids,
  "log.repairs": ({ log }) => log.repairs,
  "limits.clients": ({ limits }) => limits.clients,
  "limits.frame": ({ limits }) => limits.frameBytes,
  "limits.memory": ({ limits }) => limits.memoryBytes,
  "limits.history": ({ limits }) => limits.historyBytes,
  "limits.handshake": ({ limits }) => limits.handshakeMs,
  "limits.stalled": ({ limits }) => limits.stalledMs,
  "limits.drain": ({ limits }) => limits.drainMs,
  "limits.failover": ({ limits }) => limits.failoverMs,
  "witness.poll": ({ witness }) => witness.pollMs,
  "witness.hold": ({ witness }) => witness.holdMs,
  "witness.catch-up.transactions": ({ witness }) => witness.transactions,
  "witness.catch-up.time": ({ witness }) => witness.rangeMs,
  "keep-alive": ({ keepAliveMs }) => keepAliveMs,
  "unknown-protocol": ({ unknownProtocol }) => unknownProtocol,
  // Of what is a map, and may be left out: is it there?
  admin: ({ admin }) => admin !== undefined,
  "admin.listen": ({ admin }) => admin?.listen,
  "admin.token-file": ({ admin }) => admin?.tokenFile,
  "admin.tls": ({ admin }) => admin?.tls !== undefined,
  "admin.tls.certificate": ({ admin }) => admin?.tls?.certificate,
  "admin.tls.key": ({ admin }) => admin?.tls?.key,
  "admin.hosts": ({ admin }) => admin?.hosts,
};

/** The options outside of `upstreams` whose values differ, in the order of the documentation. */
export function changedOptions(before: Config, after: Config): ChangedOption[] {
  const values = (config: Config): Map<string, unknown> =>
    new Map(Object.entries(OPTIONS).map(([option, of]) => [option, of(config)]));
  const changed = differing(values(before), values(after), "", "restart");
  // The admin address has all of its options, or none: a token that another address need not have is needed at this one.
  const isRestart = changed.some(({ option, takes }) => isOf(option, "admin") && takes === "restart");
  return changed.map((one) => (isRestart && isOf(one.option, "admin") ? { ...one, takes: "restart" } : one));
}

/**
 * `next`, but for what only a restart changes: of that what is in force. With it the next configuration is compared, so that
 * whoever asks for such a change twice is told twice that it does not act.
 */
export function inForce(before: Config, next: Config): Config {
  const kept = changedOptions(before, next).filter(({ takes }) => takes === "restart");
  const isKept = (name: string): boolean => kept.some(({ option }) => isOf(option, name));
  return {
    ...next,
    ...(isKept("admin") && { admin: before.admin }),
    ...(isKept("log.format") && { log: { ...next.log, format: before.log.format } }),
  };
}

/**
 * What differs of one upstream, by the names of its options: `witness`, `storages`, ... One of which nothing is known closes it and
 * opens it anew, which is right for any.
 */
export function changedInUpstream(before: UpstreamConfig, after: UpstreamConfig): ChangedOption[] {
  return differing(optionsOf(before), optionsOf(after), "upstreams[].", "the upstream");
}

function optionsOf({ admission, server, standbys, tls, serverTls, ...rest }: UpstreamConfig): Map<string, unknown> {
  return new Map([
    ["server", [server, ...standbys]],
    ...Object.entries({ ...rest, ...admission }).map(([name, value]): [string, unknown] => [asYaml(name), value]),
    ...optionsIn("tls", tls),
    ...optionsIn("server-tls", serverTls),
  ]);
}

/** Of a map that may be left out: whether it is there, and what is in it. */
function optionsIn(name: string, map: object | undefined): [string, unknown][] {
  const inner = Object.entries(map ?? {}).map(([key, value]): [string, unknown] => [`${name}.${asYaml(key)}`, value]);
  return [[name, map !== undefined], ...inner];
}

function asYaml(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** `prefix`: where they stand in the schema. Of a map that has come or gone not what is in it. */
function differing(
  before: ReadonlyMap<string, unknown>,
  after: ReadonlyMap<string, unknown>,
  prefix: string,
  unknown: ChangeTakes,
): ChangedOption[] {
  const takes = whatChangesTake();
  const names = [...new Set([...before.keys(), ...after.keys()])];
  const changed = names.filter((name) => !isDeepStrictEqual(before.get(name), after.get(name)));
  return changed
    .filter((name) => !changed.some((map) => map !== name && isOf(name, map)))
    .map((option) => ({ option, takes: takes.get(`${prefix}${option}`) ?? unknown }));
}

function isOf(option: string, map: string): boolean {
  return option === map || option.startsWith(`${map}.`);
}

interface Described {
  readonly properties?: Readonly<Record<string, Described>>;
  readonly items?: Described;
  readonly change?: ChangeTakes;
}

/** What a change of each option takes, by its path: `upstreams[].listen`. Of a map what it says holds for all that is in it. */
export function whatChangesTake(): ReadonlyMap<string, ChangeTakes | undefined> {
  return new Map(entriesOf(z.toJSONSchema(configSchema, { io: "input" }) as Described, ""));
}

function entriesOf({ properties, items, change }: Described, path: string): [string, ChangeTakes | undefined][] {
  const own: [string, ChangeTakes | undefined][] = change === undefined ? [] : [[path, change]];
  if (items?.properties !== undefined) return [...own, ...entriesOf(items, `${path}[]`)];
  if (properties === undefined) return [[path, change]];
  const inner = Object.entries(properties).flatMap(([key, one]) =>
    entriesOf(one, path === "" ? key : `${path}.${key}`),
  );
  return [...own, ...inner];
}
