import type * as shape from "../../admin/shape.ts";
import { escapeText } from "../../log/text.ts";

// What is shown of `/status.json`. Names of fields are held against its shape by the compiler; a field that is missing, or is of
// another kind, is left out all the same: another version of the proxy may answer.

export interface UpstreamStatus {
  readonly name: string;
  readonly listen: string | undefined;
  readonly server: string | undefined;
  readonly state: string;
  readonly repair: string | undefined;
  /** Why it accepts nobody. */
  readonly reason: string | undefined;
  readonly clients: number | undefined;
  readonly accepted: number | undefined;
  /** Of all reasons. */
  readonly refused: number | undefined;
  readonly unrepaired: number | undefined;
  /** Clients that are in no list. */
  readonly omitted: number;
}

export interface StorageStatus {
  readonly server: string | undefined;
  readonly storage: string;
  /** Of clients that are observed: nothing of it was done. */
  readonly isObserved: boolean;
  readonly commits: number | undefined;
  readonly foreign: number | undefined;
  /** Transactions. */
  readonly repaired: number | undefined;
  readonly oidsAdded: number | undefined;
  readonly witness: string | undefined;
  readonly patched: string | undefined;
  readonly lastTid: string | undefined;
}

export interface ClientStatus {
  readonly client: string;
  readonly upstream: string;
  readonly state: string | undefined;
  readonly storage: string | undefined;
  readonly protocol: string | undefined;
  readonly ageSeconds: number | undefined;
  /** Bytes that were read from it, and that it has taken. */
  readonly receivedBytes: number | undefined;
  readonly sentBytes: number | undefined;
  /** What it has not taken. */
  readonly waitingBytes: number | undefined;
  readonly repairs: number | undefined;
}

export interface Status {
  readonly version: string | undefined;
  readonly state: string | undefined;
  readonly uptimeSeconds: number | undefined;
  readonly upstreams: readonly UpstreamStatus[];
  readonly storages: readonly StorageStatus[];
  readonly clients: readonly ClientStatus[];
  /** Counts since the start, of all upstreams and storages, by what is counted. */
  readonly totals: ReadonlyMap<string, number>;
}

/** Texts are escaped. @returns undefined where it is no status at all */
export function readStatus(value: unknown): Status | undefined {
  const status = fieldsOf<shape.Status>(value);
  if (status === undefined || !Array.isArray(status.upstreams)) return undefined;
  const proxy = fieldsOf<shape.Status["proxy"]>(status.proxy) ?? {};
  const upstreams = listed<shape.UpstreamStatus>(status.upstreams);
  const storages = listed<shape.StorageStatus>(status.storages);
  return {
    version: text(proxy, "version"),
    state: text(proxy, "state"),
    uptimeSeconds: number(proxy, "uptimeSeconds"),
    upstreams: upstreams.map(upstreamIn),
    storages: storages.map(storageIn),
    clients: upstreams.flatMap(clientsIn),
    totals: totalsOf(upstreams, storages, number(proxy, "guard")),
  };
}

function upstreamIn(one: Fields<shape.UpstreamStatus>): UpstreamStatus {
  const clients = fieldsOf<shape.UpstreamStatus["clients"]>(one.clients) ?? {};
  return {
    name: text(one, "name") ?? "?",
    listen: text(one, "listen"),
    server: text(one, "server"),
    state: text(one, "state") ?? "unknown",
    repair: text(one, "repair"),
    reason: text(one, "reason"),
    clients: number(clients, "count"),
    accepted: number(one, "accepted"),
    refused: sum(one.refused),
    unrepaired: sum(one.unrepaired),
    omitted: number(clients, "omitted") ?? 0,
  };
}

function storageIn(one: Fields<shape.StorageStatus>): StorageStatus {
  return {
    server: text(one, "server"),
    storage: text(one, "storage") ?? "?",
    isObserved: one.observed === true,
    commits: number(one, "commits"),
    foreign: number(one, "foreign"),
    repaired: sum(one.repaired),
    oidsAdded: number(one, "oidsAdded"),
    witness: text(one, "witness"),
    patched: text(one, "patched"),
    lastTid: text(one, "lastTid"),
  };
}

function clientsIn(upstream: Fields<shape.UpstreamStatus>): ClientStatus[] {
  const clients = fieldsOf<shape.UpstreamStatus["clients"]>(upstream.clients) ?? {};
  return listed<shape.ClientStatus>(clients.list).map((one) => ({
    client: text(one, "address") ?? "?",
    upstream: text(upstream, "name") ?? "?",
    state: one.observed === true ? "observed" : text(one, "state"),
    storage: text(one, "storage"),
    protocol: text(one, "protocol"),
    ageSeconds: number(one, "ageSeconds"),
    receivedBytes: number(fieldsOf<shape.ClientStatus["received"]>(one.received) ?? {}, "client"),
    sentBytes: number(fieldsOf<shape.ClientStatus["sent"]>(one.sent) ?? {}, "client"),
    waitingBytes: number(one, "waitingBytes"),
    repairs: number(one, "repairs"),
  }));
}

type Storages = readonly Fields<shape.StorageStatus>[];

/** Of what nobody tells there is no total. */
function totalsOf(
  upstreams: readonly Fields<shape.UpstreamStatus>[],
  storages: Storages,
  guard: number | undefined,
): ReadonlyMap<string, number> {
  const done = storages.filter(({ observed }) => observed !== true);
  const seen = storages.filter(({ observed }) => observed === true);
  const over = (some: Storages, count: (one: Fields<shape.StorageStatus>) => number | undefined): number | undefined =>
    added(some.map(count));
  const wouldEnd = upstreams.map((one) => sum(fieldsOf<shape.UpstreamStatus["observed"]>(one.observed)?.ended));
  const found: readonly (readonly [string, number | undefined])[] = [
    ["commits", over(storages, (one) => number(one, "commits"))],
    ["repaired", over(done, (one) => sum(one.repaired))],
    ["oids added", over(done, (one) => number(one, "oidsAdded"))],
    ["resumes repaired", over(done, (one) => number(one, "resumed"))],
    ["resumes answered None", over(done, (one) => number(one, "resumesRefused"))],
    ["sessions ended", added(upstreams.map((one) => sum(one.ended)))],
    ["clients refused", added(upstreams.map((one) => sum(one.refused)))],
    ["would be repaired", over(seen, (one) => sum(one.repaired))],
    ["oids that would be added", over(seen, (one) => number(one, "oidsAdded"))],
    ["sessions that would be ended", seen.length === 0 ? undefined : added(wouldEnd)],
    ["refused by the guard", guard],
  ];
  return new Map(found.filter((one): one is readonly [string, number] => one[1] !== undefined));
}

/** What may be in place of something of that shape. */
type Fields<Shape> = Readonly<Partial<Record<keyof Shape, unknown>>>;

/** The fields that hold these. */
type NamesOf<Shape, Kind> = { [Name in keyof Shape]: Shape[Name] extends Kind ? Name : never }[keyof Shape];

function fieldsOf<Shape>(value: unknown): Fields<Shape> | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields<Shape>) : undefined;
}

function listed<Shape>(value: unknown): readonly Fields<Shape>[] {
  return Array.isArray(value) ? value.map((one) => fieldsOf<Shape>(one)).filter((one) => one !== undefined) : [];
}

function text<Shape>(fields: Fields<Shape>, name: NamesOf<Shape, string | undefined>): string | undefined {
  const value: unknown = fields[name];
  return typeof value === "string" ? escapeText(value) : undefined;
}

function number<Shape>(fields: Fields<Shape>, name: NamesOf<Shape, number | undefined>): number | undefined {
  const value: unknown = fields[name];
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}

/** Of a map of numbers. */
function sum(value: unknown): number | undefined {
  const counts = fieldsOf<Record<string, number>>(value);
  return counts && Object.values(counts).reduce<number>((so, one) => so + (typeof one === "number" ? one : 0), 0);
}

/** Of those that there are; undefined where there is none. */
function added(counts: readonly (number | undefined)[]): number | undefined {
  const known = counts.filter((one) => one !== undefined);
  return known.length === 0 ? undefined : known.reduce((so, one) => so + one, 0);
}
