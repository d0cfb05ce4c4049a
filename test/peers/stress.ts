/** A random mix of writers, pollers, and clients that come and go. */

import { expect } from "vitest";
import { PeerProcess } from "./client.ts";
import type { PeerClient } from "./client.ts";
import type { Installed } from "./install.ts";
import type { Stage } from "./stage.ts";

export interface StressResult {
  readonly seed: number;
  readonly commits: number;
  readonly conflicts: number;
  readonly polls: number;
  readonly visits: number;
  readonly killed: number;
}

/** Small and repeatable (mulberry32). */
export function dice(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * About `seconds` of traffic on storage 1. Writers and visitors are of all kinds in turn; what everyone was shown is
 * judged with everything else at the stage's end.
 */
export async function stress(stage: Stage, seed: number, seconds: number): Promise<StressResult> {
  const random = dice(seed);
  const { kinds } = stage;
  const pick = (i: number): (typeof kinds)[number] => {
    const kind = kinds[i % kinds.length];
    if (kind === undefined) throw new Error("nobody reaches this server");
    return kind;
  };
  const first = Math.floor(random() * kinds.length);

  const writers: PeerClient[] = [];
  for (let i = 0; i < 3; i++) {
    writers.push(await stage.open(await stage.process(pick(first + i), "writer"), { db: true }));
  }
  const [leader] = writers;
  if (leader === undefined) throw new Error("no writer");
  // Two writers of a counter are added up, two of an item are a conflict.
  const counters = await leader.commit({ create: 3, class_name: "Counter" });
  const items = await leader.commit({ create: 1 });
  const shared = [...counters.created, ...items.created];

  const pollers: PeerClient[] = [];
  for (let i = 0; i < 3; i++) {
    const poller = await stage.open(await stage.process(pick(first + 2 * i + 1), "observer"), {});
    await poller.pollStart(i === 0 ? [] : shared.slice(0, i));
    pollers.push(poller);
  }

  const deadline = Date.now() + seconds * 1000;
  const writing = writers.map(async (writer, i) => {
    let commits = 0;
    let conflicts = 0;
    for (let round = 0; Date.now() < deadline; round++) {
      const result = await writer.write({
        count: 10,
        seed: seed + 1000 * i + round,
        shared,
        stop_after: Math.max(1, (deadline - Date.now()) / 1000),
        // An old server skips a client now and then while another one leaves; if that was an undo, nobody can tell
        // it what was undone, and the proxy has to end it.
        undo: stage.server.installed.peer.family === "new",
      });
      commits += result.commits;
      conflicts += result.conflicts;
    }
    return { commits, conflicts };
  });
  let visits = 0;
  const coming = [0, 1].map(async (who) => {
    while (Date.now() < deadline) {
      const process = await stage.process(pick(Math.floor(random() * kinds.length)), who === 0 ? "observer" : "writer");
      const guest = await stage.open(process, { db: random() < 0.3 });
      for (let i = Math.floor(random() * 6); i >= 0; i--) {
        await guest.lastTransaction();
        await guest.load(shared[0] ?? "");
      }
      if (who === 1 && random() < 0.5) {
        // It votes, and aborts as it leaves.
        const [oid = ""] = await guest.newOids(1);
        await guest.begin();
        await guest.store(oid, 1, { serial: "new" });
        await guest.vote();
      }
      await guest.close();
      visits++;
    }
  });

  let killed = 0;
  const dying = (async (): Promise<void> => {
    while (Date.now() < deadline) {
      await dieInCommit(stage, pick(Math.floor(random() * kinds.length)), random() < 0.6);
      killed++;
    }
  })();

  const done = await Promise.all(writing);
  await Promise.all(coming);
  await dying;
  let polls = 0;
  for (const poller of pollers) {
    const result = await poller.pollStop();
    expect(result.error, `${poller.kind}: polling`).toBeNull();
    polls += result.polls;
    await poller.close();
  }
  // The item's last state may still be on its way to the leader.
  const last = await leader.commit({ modify: counters.created });
  await stage.settled(last.tid);
  for (const writer of writers) await writer.close();
  return {
    seed,
    commits: done.reduce((sum, d) => sum + d.commits, 0),
    conflicts: done.reduce((sum, d) => sum + d.conflicts, 0),
    polls,
    visits,
    killed,
  };
}

/** A process that dies between its vote and its tpc_finish, or with its tpc_finish on the way. */
async function dieInCommit(stage: Stage, kind: Installed, finishing: boolean): Promise<void> {
  const process = await PeerProcess.start(kind, stage.server.dir);
  try {
    const client = await process.open(stage.gateway.port, {});
    const [oid = ""] = await client.newOids(1);
    await client.begin();
    await client.store(oid, 1, { serial: "new" });
    await client.vote();
    if (finishing) client.finish().catch(() => undefined);
  } finally {
    await process.kill();
  }
}
