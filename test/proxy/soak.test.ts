import { describe, expect, it } from "vitest";
import type { EmbeddedClient, Received } from "../../src/embedded/client.ts";
import { ClientCommit, type Changes } from "../../src/embedded/client-commit.ts";
import { RemoteError } from "../../src/embedded/remote-error.ts";
import { asTid, readTid, tidHex, type Tid } from "../../src/wire/ids.ts";
import { itemsOf } from "../../src/wire/value.ts";
import { oid, world } from "./world.ts";

const COMMITS = 40;
/** A machine that is busy with other things does fewer. */
const MOST_MS = 10_000;
const OBJECTS = 12;

/** A small generator (mulberry32): a failing seed can be tried again. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The tids that a message shows. */
function shown(entry: Received): Tid[] {
  if (entry.type !== "reply" || entry.method === "register" || entry.method === "tpc_finish") return [];
  const values = Buffer.isBuffer(entry.value) ? [entry.value] : (itemsOf(entry.value) ?? []);
  if (entry.method === "lastTransaction") return values.map((value) => readTid(value as Buffer));
  if (entry.method !== "loadBefore") return [];
  return values.slice(1).flatMap((value) => (Buffer.isBuffer(value) ? [readTid(value)] : []));
}

interface Truth {
  /** By tid. */
  readonly oids: ReadonlyMap<Tid, readonly string[]>;
  readonly own: ReadonlySet<Tid>;
  readonly from: Tid;
}

/** What a client was told, against what happened. */
function judge(client: EmbeddedClient, { oids, own, from }: Truth): string[] {
  const wrong: string[] = [];
  const told = new Set<Tid>();
  let last = 0n;
  for (const entry of client.received) {
    if (entry.type === "invalidation") {
      if (entry.tid <= last) wrong.push(`${tidHex(entry.tid)} after ${tidHex(asTid(last))}`);
      if (own.has(entry.tid)) wrong.push(`its own ${tidHex(entry.tid)}`);
      last = entry.tid;
      told.add(entry.tid);
      const missing = (oids.get(entry.tid) ?? []).filter((one) => !entry.oids.includes(one));
      if (missing.length > 0) wrong.push(`${tidHex(entry.tid)} without ${missing.join(" ")}`);
      if (!oids.has(entry.tid)) wrong.push(`${tidHex(entry.tid)}, which never was`);
    }
    for (const tid of shown(entry)) {
      for (const [committed, names] of oids) {
        if (committed <= from || committed > tid || own.has(committed) || told.has(committed) || names.length === 0)
          continue;
        wrong.push(
          `${entry.type} of ${"method" in entry ? entry.method : ""} shows ${tidHex(tid)} before ${tidHex(committed)}`,
        );
      }
    }
  }
  return wrong;
}

describe.each(["Z4", "Z5", "M5"] as const)("before a %s server", (protocol) => {
  it.each([1, 2, 3])(
    "nobody is shown a tid before its complete invalidation, whoever comes and goes (seed %i)",
    async (seed) => {
      const random = randomFrom(seed);
      const chance = (share: number): boolean => random() < share;
      const gateway = await world({ protocol, skipClient: () => chance(0.1) });
      const { gate } = gateway.server;
      const end = Date.now() + MOST_MS;
      const { transactions } = gateway.server.storage();
      const running = (): boolean => transactions.length < COMMITS && Date.now() < end;

      // Single connections are slow for a while, now and then.
      const network = (async () => {
        while (running()) {
          const connections = gateway.server.connections.map(({ connection }) => connection);
          const slow = connections[Math.floor(random() * connections.length)];
          const hold = gate.outgoing(({ connection }) => connection === slow, "connection");
          await new Promise((resolve) => setTimeout(resolve, random() * 25));
          hold.open();
        }
      })();

      const clients: { client: EmbeddedClient; own: Set<Tid>; from: Tid }[] = [];
      const enter = async (): Promise<{ client: EmbeddedClient; own: Set<Tid>; from: Tid }> => {
        const client = await gateway.connect();
        const entry = { client, own: new Set<Tid>(), from: await client.lastTransaction() };
        clients.push(entry);
        return entry;
      };

      const writer = async (number: number): Promise<void> => {
        let me = await enter();
        let commit = new ClientCommit(me.client);
        let created = 0;
        while (running()) {
          const any = (): string => oid(1 + Math.floor(random() * OBJECTS));
          const changes: Changes = {
            create: chance(0.6) ? [oid(1000 * number + 100_000 * clients.length + ++created)] : [],
            modify: chance(0.5) ? [any()] : [],
            restore: chance(0.1) ? [any()] : [],
          };
          try {
            commit.serials.clear();
            const tid = await commit.commit(changes);
            // An old server answers an empty transaction with another's tid.
            if (Object.values(changes).flat().length > 0) me.own.add(tid);
          } catch (error) {
            if (!(error instanceof RemoteError)) throw error;
          }
          if (chance(0.05)) {
            if (chance(0.5)) me.client.reset();
            else me.client.destroy();
            me = await enter();
            commit = new ClientCommit(me.client);
          }
        }
      };

      const observer = async (): Promise<void> => {
        let me = await enter();
        while (running()) {
          const asked = [
            me.client.lastTransaction(),
            me.client.loadBefore(oid(1 + Math.floor(random() * OBJECTS)), asTid(2n ** 63n - 1n)),
          ];
          await Promise.allSettled(chance(0.5) ? asked : asked.slice(0, 1));
          await Promise.allSettled(asked);
          if (chance(0.03)) {
            me.client.reset();
            me = await enter();
          }
        }
      };

      const first = await enter();
      await new ClientCommit(first.client).commit({ create: Array.from({ length: OBJECTS }, (_, n) => oid(n + 1)) });
      first.own.add(await first.client.lastTransaction());
      await Promise.all([network, writer(1), writer(2), writer(3), observer(), observer(), observer()]);
      gate.open();

      // At rest everyone who is there knows everything.
      const oids = new Map(
        transactions.map(({ tid, records }) => [tid, records.map((record) => record.oid.toString("hex"))]),
      );
      for (const { client } of clients) if (!client.closed) await client.lastTransaction();
      const wrong = clients.flatMap(({ client, own, from }) => judge(client, { oids, own, from }));
      expect(wrong.slice(0, 5)).toEqual([]);
      for (const { client, own, from } of clients) {
        if (client.closed) continue;
        const told = new Set(client.invalidations.map(({ tid }) => tid));
        const untold = [...oids].filter(
          ([tid, names]) => tid > from && !own.has(tid) && !told.has(tid) && names.length > 0,
        );
        expect(untold.map(([tid]) => tidHex(tid))).toEqual([]);
      }
      expect(transactions.length).toBeGreaterThanOrEqual(COMMITS);
      expect(gateway.proxy.stats()).toMatchObject({ guard: 0, ended: {} });
    },
  );
});
