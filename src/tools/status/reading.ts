import { escapeText } from "../../observe/text.ts";

// All that is known here of what `/status.json` looks like. A field that is missing, or is of another kind, is left out:
// another version of the proxy may answer.

export interface UpstreamStatus {
  readonly name: string;
  readonly listen: string | undefined;
  readonly server: string | undefined;
  readonly state: string;
  readonly clients: number | undefined;
  readonly accepted: number | undefined;
  readonly unrepaired: number | undefined;
}

export interface StorageStatus {
  readonly server: string | undefined;
  readonly storage: string;
  readonly commits: number | undefined;
  readonly foreign: number | undefined;
  readonly witness: string | undefined;
  readonly patched: string | undefined;
  /** The newest tid that is known. */
  readonly known: string | undefined;
}

export interface ClientStatus {
  readonly client: string;
  readonly upstream: string | undefined;
  readonly storage: string | undefined;
  readonly protocol: string | undefined;
  readonly ageSeconds: number | undefined;
  readonly sentBytes: number | undefined;
  readonly receivedBytes: number | undefined;
  /** What waits for it. */
  readonly waitingBytes: number | undefined;
}

export interface Status {
  readonly version: string | undefined;
  readonly uptimeSeconds: number | undefined;
  readonly upstreams: readonly UpstreamStatus[];
  readonly storages: readonly StorageStatus[];
  readonly clients: readonly ClientStatus[];
  /** Those that are numbers, by name; of what is a map of numbers their sum. */
  readonly totals: ReadonlyMap<string, number>;
}

/** Texts are escaped. @returns undefined where it is no status at all */
export function readStatus(value: unknown): Status | undefined {
  if (!isMap(value) || !Array.isArray(value["upstreams"])) return undefined;
  return {
    version: text(value, "version"),
    uptimeSeconds: number(value, "uptimeSeconds"),
    upstreams: maps(value["upstreams"]).map((one) => ({
      name: text(one, "name") ?? "?",
      listen: text(one, "listen"),
      server: text(one, "server"),
      state: text(one, "state") ?? "unknown",
      clients: number(one, "clients") ?? length(one, "clients"),
      accepted: number(one, "accepted"),
      unrepaired: sum(one["unrepaired"]),
    })),
    storages: maps(value["storages"]).map((one) => ({
      server: text(one, "server"),
      storage: text(one, "storage") ?? "?",
      commits: number(one, "commits"),
      foreign: number(one, "foreign"),
      witness: text(one, "witness"),
      patched: text(one, "patched"),
      known: text(one, "known", "last"),
    })),
    clients: maps(value["clients"]).map((one) => ({
      client: text(one, "client", "address", "peer") ?? "?",
      upstream: text(one, "upstream"),
      storage: text(one, "storage"),
      protocol: text(one, "protocol"),
      ageSeconds: number(one, "ageSeconds", "age"),
      sentBytes: number(one, "sentBytes", "sent"),
      receivedBytes: number(one, "receivedBytes", "received"),
      waitingBytes: number(one, "waitingBytes", "queuedBytes", "waiting"),
    })),
    totals: totalsIn(value["totals"]),
  };
}

type Fields = Readonly<Record<string, unknown>>;

function isMap(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function maps(value: unknown): readonly Fields[] {
  return Array.isArray(value) ? value.filter(isMap) : [];
}

/** The first of these that is a text. */
function text(fields: Fields, ...names: readonly string[]): string | undefined {
  const found = names.map((name) => fields[name]).find((one): one is string => typeof one === "string");
  return found === undefined ? undefined : escapeText(found);
}

function number(fields: Fields, ...names: readonly string[]): number | undefined {
  return names.map((name) => fields[name]).find((one): one is number => Number.isFinite(one));
}

function length(fields: Fields, name: string): number | undefined {
  const value = fields[name];
  return Array.isArray(value) ? value.length : undefined;
}

function sum(value: unknown): number | undefined {
  if (!isMap(value)) return undefined;
  return Object.values(value).reduce<number>((all, one) => all + (typeof one === "number" ? one : 0), 0);
}

function totalsIn(value: unknown): ReadonlyMap<string, number> {
  if (!isMap(value)) return new Map();
  const found = Object.keys(value).flatMap((name): [string, number][] => {
    const one = number(value, name) ?? sum(value[name]);
    return one === undefined ? [] : [[escapeText(name), one]];
  });
  return new Map(found);
}
