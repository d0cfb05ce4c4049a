import { ClientCommit } from "../embedded/client-commit.ts";
import type { EmbeddedClient } from "../embedded/client.ts";
import type { Tid } from "../wire/ids.ts";
import { changedBy } from "./script.ts";
import type { Step } from "./script.ts";
import type { World } from "./world.ts";

/** What one client was told of one transaction; undefined: no message at all. */
export type Told = readonly string[] | undefined;

export interface Seen {
  readonly title: string;
  /** The objects that the title goes on with. */
  readonly subject: readonly string[];
  /** What every other client should be told. */
  readonly changed: readonly string[];
  readonly direct: Told;
  readonly proxied: Told;
}

const PATIENCE_MS = 5000;

/** Commits the steps, one after the other, and hands out what the two watchers were told of each. */
export class Play {
  readonly #world: World;
  readonly #commits: ClientCommit;
  /** When the client that comes back went away: the last tid of a commit that every server tells of. */
  #since: Tid | undefined;
  readonly #changed = new Set<string>();

  constructor(world: World) {
    this.#world = world;
    this.#commits = new ClientCommit(world.writer);
  }

  async commit(step: Step): Promise<Seen> {
    const { direct, proxied } = this.#world;
    const tid = await this.#commits.commit(step.changes);
    const changed = changedBy(step.changes);
    if (this.#since !== undefined) for (const oid of changed) this.#changed.add(oid);
    else if (step.changes.modify !== undefined) this.#since = tid;
    // The proxy may have to find out first that the server says nothing.
    await proxied.invalidation(tid, PATIENCE_MS).catch(() => undefined);
    const { modify, create } = step.changes;
    const subject = modify !== undefined && create !== undefined ? create : changed;
    return {
      title: step.title,
      subject,
      changed,
      direct: await toldOf(direct, tid),
      proxied: await toldOf(proxied, tid),
    };
  }

  /** A client that was away since the first modification asks what it missed. */
  async comeBack(): Promise<Seen> {
    const since = this.#since;
    if (since === undefined) throw new Error("nothing was modified");
    const ask = async (client: EmbeddedClient): Promise<Told> =>
      (await client.getInvalidations(since))?.oids.toSorted();
    const { direct, proxied } = this.#world;
    const changed = [...this.#changed].sort();
    return {
      title: "a client comes back",
      subject: [],
      changed,
      direct: await ask(direct),
      proxied: await ask(proxied),
    };
  }
}

/** True: the client was told of everything that changed. */
export function isComplete(told: Told, changed: readonly string[]): boolean {
  return told !== undefined && changed.every((oid) => told.includes(oid));
}

/** Asks for something first: whatever the server wrote before the answer has been read then. */
async function toldOf(client: EmbeddedClient, tid: Tid): Promise<Told> {
  await client.lastTransaction();
  const messages = client.invalidations.filter((entry) => entry.tid === tid);
  if (messages.length > 1) throw new Error("a watcher was told twice of one transaction");
  return messages[0]?.oids.toSorted();
}
