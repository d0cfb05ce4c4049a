import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import type { ServerProtocol } from "../../src/embedded/behaviour.ts";
import { EmbeddedServer } from "../../src/embedded/server.ts";
import { PeerError, PeerProcess } from "../peers/client.ts";
import type { ClientEvent, PeerClient } from "../peers/client.ts";
import { CACHE, install } from "../peers/install.ts";
import type { Installed } from "../peers/install.ts";
import { peerNamed } from "../peers/peers.ts";

const MODE = process.env["ZEO_PEERS"];

/** Which real client is tried with which announced protocol. */
const CLIENTS: readonly (readonly [string, ServerProtocol])[] = [
  ["zodb3-py27", "Z4"],
  ["zeo4-py27", "Z4"],
  ["zeo4-py36", "Z4"],
  ["zeo521-py37", "Z4"],
  ["zeo522-py38", "Z4"],
  ["zeo530-py39", "Z4"],
  ["zeo521-py27", "Z5"],
  ["zeo521-py37", "Z5"],
  ["zeo522-py38", "Z5"],
  ["zeo530-py39", "Z5"],
  ["zeo62-py312", "Z5"],
  ["zeo521-py27", "M5"],
  ["zeo521-py37", "M5"],
  ["zeo530-py39", "M5"],
  ["zeo62-py312", "M5"],
];

const WAIT_MS = 5000;

/** What is installed is used; with `ZEO_PEERS=required` the rest is installed, and must be there. */
function available(name: string): boolean {
  if (MODE === "off") return false;
  return MODE === "required" || existsSync(join(CACHE, name, "complete"));
}

async function find(name: string): Promise<Installed> {
  const result = await install(peerNamed(name));
  if (result.type === "missing") throw new Error(`${name}: ${result.why}`);
  return result.installed;
}

function invalidationsIn(events: readonly ClientEvent[]): [string, readonly string[]][] {
  return events.flatMap((event) =>
    event[0] === "invalidation" ? [[event[2], event[3]] as [string, readonly string[]]] : [],
  );
}

for (const [name, protocol] of CLIENTS) {
  describe.skipIf(!available(name))(`a real ${name} client on the ${protocol} server`, { timeout: 60_000 }, () => {
    let installed: Installed;
    let folder: string;
    const cleanups: (() => Promise<void>)[] = [];
    const problems: string[] = [];

    beforeAll(async () => {
      installed = await find(name);
    }, 600_000);

    afterEach(async () => {
      for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
      problems.length = 0;
    });

    async function world(options: object = {}): Promise<{ server: EmbeddedServer; peer: PeerProcess }> {
      folder = await mkdtemp(join(tmpdir(), "zeo-proxy-embedded-"));
      cleanups.push(() => rm(folder, { recursive: true, force: true }));
      const server = new EmbeddedServer({
        protocol,
        onProblem: (_connection, text) => problems.push(text),
        ...options,
      });
      await server.start();
      cleanups.push(() => server.close());
      const peer = await PeerProcess.start(installed, folder);
      cleanups.push(() => peer.stop());
      return { server, peer };
    }

    it("opens a database, commits, and sees another client's commits as an unpatched server tells them", async () => {
      const { server, peer } = await world();
      const a = await peer.open(server.port, { db: true });
      const b = await peer.open(server.port, { db: true });
      // The root object, made by ZODB.DB.
      expect(server.storage().length).toBe(1);
      const before = (await b.told()).length;
      const created = await a.commit({ create: 2 });
      const [first, second] = created.created as [string, string];
      const mixed = await a.commit({ create: 1, modify: [first] });
      expect(await b.waitTold(mixed.tid, WAIT_MS)).toBe(true);
      expect(await b.read(first)).toEqual({ value: 1, serial: mixed.tid });
      expect(await b.read(second)).toMatchObject({ serial: created.tid });
      const told = invalidationsIn((await b.told()).slice(before));
      expect(told).toEqual(
        protocol === "Z4"
          ? [[mixed.tid, [first]]]
          : [
              [created.tid, []],
              [mixed.tid, [first]],
            ],
      );
      expect(await b.lastTransaction()).toBe(mixed.tid);
      expect(problems).toEqual([]);
    });

    it("gets a ConflictError for a stale store and goes on", async () => {
      const { server, peer } = await world();
      const a = await peer.open(server.port, { db: true });
      const b = await peer.open(server.port);
      const { created } = await a.commit({ create: 1 });
      const oid = created[0] as string;
      const stale = (await b.load(oid))?.serial as string;
      await a.commit({ modify: [oid] });
      await b.begin();
      const refused = async (): Promise<void> => {
        await b.store(oid, 9, { serial: stale });
        await b.vote();
      };
      await expect(refused()).rejects.toMatchObject({ type: "ConflictError" });
      await b.abort();
      const again = await a.commit({ modify: [oid] });
      expect(await b.waitTold(again.tid, WAIT_MS)).toBe(true);
      expect(await b.load(oid)).toMatchObject({ serial: again.tid });
      expect(problems).toEqual([]);
    });

    it("checks, deletes, restores, undoes and commits nothing", async () => {
      const { server, peer } = await world();
      const a = await peer.open(server.port, { db: true });
      const b = await peer.open(server.port);
      const { created } = await a.commit({ create: 2 });
      const [kept, gone] = created as [string, string];
      const modified = await a.commit({ modify: [kept] });
      await step(b, () => b.check(kept));
      await step(b, () => b.deleteObject(gone));
      await step(b, async () => undefined);
      expect(await b.load(gone)).toBeNull();
      const undone = await step(b, () => b.undo(modified.tid));
      expect(await a.waitTold(undone, WAIT_MS)).toBe(true);
      expect(await a.read(kept)).toEqual({ value: 0, serial: undone });
      expect(problems).toEqual([]);
    });

    it("refuses packing and blobs with an exception, and goes on", async () => {
      const { server, peer } = await world();
      const a = await peer.open(server.port, { db: true, blob_dir: join(folder, "blobs") });
      await expect(a.pack()).rejects.toMatchObject({ name: "PeerError" });
      const told = await a.commit({ create: 1 });
      await expect(a.commit({ blobs: 1 })).rejects.toMatchObject({ name: "PeerError" });
      await a.commit({ modify: told.created });
      expect(await a.read(told.created[0] as string)).toMatchObject({ value: 1 });
    });

    it("comes back with its cache and asks what it missed", async () => {
      const { server, peer } = await world();
      const a = await peer.open(server.port, { db: true });
      const { created } = await a.commit({ create: 2 });
      const oid = created[0] as string;
      await a.commit({ modify: [oid] });
      const cache = { cache: folder, name: "resumed" };
      const before = await peer.open(server.port, { db: true, ...cache });
      await before.read(oid);
      await before.close();
      const missed = await a.commit({ modify: [oid] });
      const after = await peer.open(server.port, { db: true, ...cache });
      expect((await after.told()).filter((event) => event[0] === "resumed")).toMatchObject([
        ["resumed", expect.anything(), missed.tid, [oid]],
      ]);
      expect(await after.read(oid)).toEqual({ value: 2, serial: missed.tid });
      expect(problems).toEqual([]);
    });

    it("connects again when the server was away, and catches up", async () => {
      const { server, peer } = await world();
      const a = await peer.open(server.port, { db: true });
      const { created } = await a.commit({ create: 1 });
      const oid = created[0] as string;
      const b = await peer.open(server.port, { db: true });
      await b.read(oid);
      await server.close();
      await server.start();
      await registrations(server, 2);
      await Promise.all([a, b].map(ready));
      const { tid } = await a.commit({ modify: [oid] });
      expect(await b.waitTold(tid, 20_000)).toBe(true);
      expect(await b.read(oid)).toEqual({ value: 1, serial: tid });
      expect(problems).toEqual([]);
    });

    it("verifies its whole cache, or drops it, when it was away too long", async () => {
      const { server, peer } = await world({ queueSize: 2 });
      const a = await peer.open(server.port, { db: true });
      const { created } = await a.commit({ create: 2 });
      const oid = created[0] as string;
      const cache = { cache: folder, name: "resumed" };
      const before = await peer.open(server.port, { db: true, ...cache });
      await before.read(oid);
      await before.close();
      for (let i = 0; i < 4; i++) await a.commit({ modify: [oid] });
      const after = await peer.open(server.port, { db: true, ...cache });
      expect(await after.read(oid)).toMatchObject({ value: 4 });
      expect(problems).toEqual([]);
    });

    it("registers read-only where it must not write", async () => {
      const { server, peer } = await world();
      const a = await peer.open(server.port, { db: true });
      const { created } = await a.commit({ create: 1 });
      server.configure({ readOnly: true });
      const reader = await peer.open(server.port, { read_only: true });
      expect(await reader.load(created[0] as string)).toMatchObject({ value: 0 });
      await expect(reader.begin()).rejects.toMatchObject({ type: "ReadOnlyError" });
    });

    it("writes beside others without losing anything", async () => {
      const { server, peer } = await world();
      // One first: each `ZODB.DB` that finds no root object makes one.
      const first = await peer.open(server.port, { db: true });
      const others = await Promise.all([1, 2].map(() => peer.open(server.port, { db: true })));
      const clients = [first, ...others];
      const shared = (await first.commit({ create: 1 })).created;
      await Promise.all(clients.map((client) => increment(client, shared, 10)));
      // Root, the shared object, and what each did.
      expect(server.storage().transactions).toHaveLength(32);
      const last = await first.lastTransaction();
      for (const other of others) expect(await other.lastTransaction()).toBe(last);
      const reader = await peer.open(server.port, { db: true });
      expect(await reader.read(shared[0] as string)).toMatchObject({ value: 30 });
      expect(problems).toEqual([]);
    });
  });
}

/** Adds one to a shared object, so often, and makes an object each time; after a conflict it tries again. */
async function increment(client: PeerClient, shared: readonly string[], times: number): Promise<void> {
  for (let done = 0; done < times;) {
    try {
      await client.commit({ create: 1, modify: shared });
      done += 1;
    } catch (error) {
      if (!(error instanceof PeerError) || !error.type.endsWith("ConflictError")) throw error;
    }
  }
}

/** Waits until so many clients have registered. */
async function registrations(server: EmbeddedServer, count: number): Promise<void> {
  await until(() => Promise.resolve(server.connections.filter(({ storage }) => storage !== undefined).length >= count));
}

/** Waits until the client has looked through its cache, too; calls before that are refused. */
async function ready(client: PeerClient): Promise<void> {
  await until(() =>
    client.about().then(
      ({ connected }) => connected,
      () => false,
    ),
  );
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error("the clients did not come back");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** One transaction by hand. */
async function step(client: PeerClient, change: () => Promise<void>): Promise<string> {
  await client.begin();
  await change();
  await client.vote();
  return client.finish();
}
