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
  "witness.poll": ({ witness }) => witness.pollMs,
  "witness.hold": ({ witness }) => witness.holdMs,
  "witness.catch-up.transactions": ({ witness }) => witness.transactions,
  "witness.catch-up.time": ({ witness }) => witness.rangeMs,
  "keep-alive": ({ keepAliveMs }) => keepAliveMs,
  "unknown-protocol": ({ unknownProtocol }) => unknownProtocol,
};

/** The options outside of `upstreams` whose values differ, in the order of the documentation. */
export function changedOptions(before: Config, after: Config): ChangedOption[] {
  const takes = whatChangesTake();
  return Object.entries(OPTIONS).flatMap(([option, of]) =>
    isDeepStrictEqual(of(before), of(after)) ? [] : [{ option, takes: takes.get(option) ?? "restart" }],
  );
}

/**
 * The same of one upstream, by the names of its options: `witness`, `storages`, ... One of which nothing is known closes it and
 * opens it anew, which is right for any.
 */
export function changedInUpstream(before: UpstreamConfig, after: UpstreamConfig): ChangedOption[] {
  const takes = whatChangesTake();
  const [old, now]: Record<string, unknown>[] = [{ ...before }, { ...after }];
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names].flatMap((name) => {
    if (isDeepStrictEqual(old?.[name], now?.[name])) return [];
    const option = name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    return [{ option, takes: takes.get(`upstreams[].${option}`) ?? "the upstream" }];
  });
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
