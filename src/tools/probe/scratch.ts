import { ClientCommit, numberRecord } from "../../embedded/client-commit.ts";
import type { EmbeddedClient } from "../../embedded/client.ts";
import { NO_TID, tidHex, type Tid } from "../../wire/ids.ts";
import type { PatchedFacts } from "./patched.ts";
import { enter, type Site } from "./site.ts";

/** A transaction that was made to see what others are told of it. */
export interface Scratch extends PatchedFacts {
  readonly tid: Tid;
  readonly oid: string;
  /** What another client heard: the message named the object, or did not, or there was none. */
  readonly told: "named" | "left out" | "no message";
}

/** What stands in the transaction, for whoever finds it. */
export const SCRATCH_DESCRIPTION = "zeo-proxy probe --write";

/**
 * Creates an object that nothing refers to, in a transaction of its own, while another client listens. The next pack with
 * garbage collection takes it away again.
 * @throws RemoteError where the server refuses it, Error where it does not answer
 */
export async function scratch(site: Site, storage: string): Promise<Scratch> {
  const listener = await enter(site, storage, true);
  try {
    const writer = await enter(site, storage, false);
    try {
      const [oid] = await writer.newOids(1);
      if (oid === undefined) throw new Error("the server has given no oid");
      const tid = await create(writer, oid);
      return judged(tid, oid, await heard(listener, tid));
    } finally {
      await writer.close();
    }
  } finally {
    await listener.close();
  }
}

async function create(writer: EmbeddedClient, oid: string): Promise<Tid> {
  const commit = new ClientCommit(writer);
  commit.begin({ description: SCRATCH_DESCRIPTION });
  commit.store(oid, NO_TID, numberRecord(0));
  try {
    await commit.vote();
  } catch (error) {
    await commit.abort();
    throw error;
  }
  return commit.finish();
}

/** The oids that the listener was told of with that tid; undefined: there was no message. */
async function heard(listener: EmbeddedClient, tid: Tid): Promise<readonly string[] | undefined> {
  const message = (): readonly string[] | undefined =>
    listener.invalidations.find((invalidation) => invalidation.tid === tid)?.oids;
  // What a server tells of a transaction it writes before it answers this: all of ZEO but for `ZEO_MTACCEPTOR`,
  await listener.lastTransaction();
  if (message() !== undefined || listener.family === "old") return message();
  // and of a new server a message always comes.
  return (await listener.invalidation(tid).catch(() => undefined))?.oids;
}

function judged(tid: Tid, oid: string, oids: readonly string[] | undefined): Scratch {
  const told = oids === undefined ? "no message" : oids.includes(oid) ? "named" : "left out";
  const what = `${oid}, which ${tidHex(tid)} created for that purpose`;
  if (told === "named") return { tid, oid, told, patched: "yes", evidence: `another client was told of ${what}` };
  const how = told === "left out" ? "the message to another client left out" : "another client got no message about";
  return { tid, oid, told, patched: "no", evidence: `${how} ${what}` };
}
