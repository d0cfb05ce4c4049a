import type { EmbeddedClient } from "../../embedded/client.ts";
import { RemoteError } from "../../embedded/remote-error.ts";
import type { Found } from "../../storage/witness.ts";
import { asTid, NO_TID, tidAt, tidHex, tidTimeMs, type Tid } from "../../wire/ids.ts";
import { oidsIn } from "../watch/transaction.ts";
import { readRange } from "./read-range.ts";
import { enter, type Site } from "./site.ts";

/** Does the server name created objects? `unknown` where it can't be known. */
export type Patched = "yes" | "no" | "unknown";

export interface PatchedFacts {
  readonly patched: Patched;
  /** What shows it, or why it can't be known: a sentence without its point. */
  readonly evidence: string;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** How far back what the server remembers is looked at. */
const WINDOWS_MS = [1, 10, 100, 1_000, 10_000, MINUTE, 10 * MINUTE, HOUR, 6 * HOUR, 24 * HOUR, 7 * 24 * HOUR];
const MOST_OIDS = 5_000;
/** So many objects are looked up at most. */
const MOST_LOOKED_UP = 50;
const ANY_TIME = asTid(0x7fff_ffff_ffff_ffffn);

const UNREACHED = "the server does not remember what was committed last, so nothing shows";
const NOTHING_LEFT_OUT =
  "nothing that was created is missing from what the server remembers, which may be what it has read at its start";

/**
 * What can be seen without writing: `getInvalidations` answers what the server's messages have named of the last transactions
 * (by default a hundred), and the storage can be read. What was created and is missing there shows an unpatched server. The
 * other way round nothing is shown: at its start a server fills that memory from the storage, completely, whether patched or
 * not (ZEO 4.3.1 and 5.2.1 `StorageServer.py`, `_setup_invq`).
 * @throws RemoteError, Error as `enter`
 */
export async function patchedByReading(site: Site, storage: string): Promise<PatchedFacts> {
  const client = await enter(site, storage, true);
  try {
    const last = await client.lastTransaction();
    if (last === NO_TID) return { patched: "unknown", evidence: "nothing was ever committed" };
    const memory = await remembered(client, last);
    if (memory === undefined) return { patched: "unknown", evidence: UNREACHED };
    const read = await readRange(site, storage, { above: memory.above, upTo: last });
    if (read.kind === "failed") return { patched: "unknown", evidence: `the storage can't be read: ${read.reason}` };
    if (read.kind === "too-much") return { patched: "unknown", evidence: "too much was committed of late to look at" };
    return await judged(client, read.found, new Set(memory.oids));
  } finally {
    await client.close();
  }
}

/**
 * The longest time of which the server knows what has changed since. It is halved in on: a proxy takes each question for a client
 * that comes back, and tells of it in its log.
 */
async function remembered(
  client: EmbeddedClient,
  last: Tid,
): Promise<{ readonly above: Tid; readonly oids: readonly string[] } | undefined> {
  let found: { above: Tid; oids: readonly string[] } | undefined;
  let [known, unknown] = [-1, WINDOWS_MS.length];
  while (unknown - known > 1) {
    const at = (known + unknown) >> 1;
    const above = tidAt(Math.max(Date.UTC(1900, 0, 1), tidTimeMs(last) - (WINDOWS_MS[at] ?? 0)));
    const answer = await client.getInvalidations(above);
    // The shortest one will do however much has changed in it.
    if (answer === undefined || (at > 0 && answer.oids.length > MOST_OIDS)) unknown = at;
    else [known, found] = [at, { above, oids: answer.oids }];
  }
  return found;
}

async function judged(
  client: EmbeddedClient,
  found: readonly Found[],
  named: ReadonlySet<string>,
): Promise<PatchedFacts> {
  let lookedUp = 0;
  const seen = new Set<string>();
  for (const { tid, oids } of found) {
    for (const oid of oidsIn(oids)) {
      if (seen.has(oid) || named.has(oid)) continue;
      seen.add(oid);
      lookedUp++;
      if (lookedUp > MOST_LOOKED_UP) return { patched: "unknown", evidence: NOTHING_LEFT_OUT };
      if (await isCreatedBy(client, oid, tid)) {
        const evidence = `${oid}, which ${tidHex(tid)} created, is missing from what the server says has changed since`;
        return { patched: "no", evidence };
      }
    }
  }
  return { patched: "unknown", evidence: NOTHING_LEFT_OUT };
}

/** It was not there before, and is there now: what was deleted no server names. */
async function isCreatedBy(client: EmbeddedClient, oid: string, tid: Tid): Promise<boolean> {
  const before = await revision(client, oid, tid);
  return before === undefined && (await revision(client, oid, ANY_TIME)) !== undefined;
}

async function revision(client: EmbeddedClient, oid: string, before: Tid): Promise<Tid | undefined> {
  try {
    return (await client.loadBefore(oid, before))?.serial;
  } catch (error) {
    // A POSKeyError: there is none.
    if (error instanceof RemoteError) return undefined;
    throw error;
  }
}
