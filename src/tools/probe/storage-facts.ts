import type { EmbeddedClient } from "../../embedded/client.ts";
import { RemoteError } from "../../embedded/remote-error.ts";
import { escapeText } from "../../log/text.ts";
import { NO_TID, type Tid } from "../../wire/ids.ts";
import { textOf, type Value } from "../../wire/value.ts";
import { enter, type Site } from "./site.ts";

/** What a storage shows without being written to. Texts are escaped. */
export interface StorageFacts {
  readonly storage: string;
  /** Can it be committed to? */
  readonly readOnly: boolean;
  /** The storage's own name for itself, of how many objects it says it consists, and how many bytes; where it says so. */
  readonly name: string | undefined;
  readonly objects: number | undefined;
  readonly bytes: number | undefined;
  /** How many clients are registered, this one among them; where the server says so. */
  readonly clients: number | undefined;
  /** `NO_TID`: nothing was ever committed. */
  readonly last: Tid;
  /** How long `lastTransaction` took, in ms: the shortest, the one in the middle, the longest. */
  readonly roundTripMs: readonly [min: number, median: number, max: number];
}

/** Of so many calls. */
const ROUNDS = 9;

/** @throws RemoteError where the server refuses, Error where it does not answer */
export async function storageFacts(site: Site, storage: string): Promise<StorageFacts> {
  const [client, readOnly] = await enterSomehow(site, storage);
  try {
    const times: number[] = [];
    let last = NO_TID;
    for (let round = 0; round < ROUNDS; round++) {
      const begun = performance.now();
      last = await client.lastTransaction();
      times.push(performance.now() - begun);
    }
    times.sort((a, b) => a - b);
    const info = await dictionary(client, "get_info");
    const status = await dictionary(client, "server_status");
    const name = info.get("name");
    return {
      storage,
      readOnly,
      name: name === undefined ? undefined : escapeText(textOf(name) ?? "?"),
      objects: numberIn(info.get("length")),
      bytes: numberIn(info.get("size")),
      clients: numberIn(status.get("connections")),
      last,
      roundTripMs: [times[0] ?? 0, times[ROUNDS >> 1] ?? 0, times[ROUNDS - 1] ?? 0],
    };
  } finally {
    await client.close();
  }
}

/** To register for writing writes nothing; a server or storage that is read-only refuses it. */
async function enterSomehow(site: Site, storage: string): Promise<[EmbeddedClient, boolean]> {
  try {
    return [await enter(site, storage, false), false];
  } catch (error) {
    if (!(error instanceof RemoteError) || !/\bReadOnlyError$/.test(error.type)) throw error;
    return [await enter(site, storage, true), true];
  }
}

/** What a method answers that says something of the server; empty where it does not have it, or says something else. */
async function dictionary(client: EmbeddedClient, method: string): Promise<ReadonlyMap<string, Value>> {
  try {
    const value = await client.call(method);
    if (!(value instanceof Map)) return new Map();
    const entries = [...(value as ReadonlyMap<Value, Value>)];
    return new Map(entries.flatMap(([key, one]) => (textOf(key) === undefined ? [] : [[textOf(key) as string, one]])));
  } catch (error) {
    if (error instanceof RemoteError) return new Map();
    throw error;
  }
}

function numberIn(value: Value | undefined): number | undefined {
  if (typeof value === "bigint") return Number(value);
  return typeof value === "number" ? value : undefined;
}
