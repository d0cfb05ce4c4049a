import { describe, expect, it } from "vitest";
import { ClientCommit } from "../../src/embedded/client-commit.ts";
import type { EmbeddedClient } from "../../src/embedded/client.ts";
import { asTid, type Tid } from "../../src/wire/ids.ts";
import type { Peer } from "../proxy/peer.ts";
import {
  embeddedServer,
  gatewayTo,
  oid,
  registered,
  scripted,
  telling,
  tellings,
  type Gateway,
} from "../proxy/world.ts";
import type { EmbeddedServer } from "../../src/embedded/server.ts";
import { Kept } from "./kept.ts";
import { Throttle } from "./throttle.ts";

// A client that reads slowly is slow, and is not cut off: whatever the size of what it reads, and whatever is committed
// meanwhile. The server writes its invalidations behind all of that, so what is not read yet stays where it is: at the server.

const KIB = 1024;
const MIB = 1024 * KIB;
/** Only a hang takes so long. */
const HANG_MS = 60_000;
/**
 * What a connection keeps beside what its sockets hold: a few chunks that were read when it turned out to be slow, and before
 * an old server each of the thousands of loads that wait.
 */
const FEW_BYTES = 3 * MIB;
const FAR = asTid(0x7fffffffffffffffn);

interface Site {
  readonly server: EmbeddedServer;
  readonly gateway: Gateway;
  readonly kept: Kept;
  /** Connected last, through the throttle. */
  readonly slow: EmbeddedClient;
  readonly throttle: Throttle;
  readonly watcher: EmbeddedClient;
  readonly commit: ClientCommit;
}

interface Limits {
  readonly stalled?: string;
  readonly history?: string;
  readonly memory?: string;
}

async function site(
  protocol: "Z4" | "Z5" | "M5",
  { stalled = "60s", history = "64MiB", memory = "512MiB" }: Limits = {},
): Promise<Site> {
  const server = await embeddedServer({ protocol });
  const kept = new Kept();
  const gateway = await gatewayTo(server.port, { limits: { stalled, history, memory } });
  const [writer, watcher] = [await gateway.connect(), await gateway.connect()];
  const commit = new ClientCommit(writer);
  await commit.commit({ create: [oid(1)] });
  const throttle = await Throttle.start(gateway.port());
  const slow = await gateway.connect({ port: throttle.port, timeoutMs: HANG_MS });
  return { server, gateway, kept, slow, throttle, watcher, commit };
}

/**
 * The slow client reads most of `bytes`, a portion at a time; behind each of them somebody commits.
 * @returns what everyone must be told, in order
 */
async function readSlowly({ throttle, watcher, commit }: Site, bytes: number, portion: number): Promise<Told[]> {
  const told: Told[] = [];
  for (let read = 0; read < bytes - 2 * portion; read += portion) {
    await throttle.pass(portion);
    const created = told.length + 2;
    // Of every second one an old server says nothing.
    const modifies = told.length % 2 === 0;
    const tid = await commit.commit({ create: [oid(created)], modify: modifies ? [oid(1)] : [] });
    await watcher.invalidation(tid);
    told.push(telling(tid, ...(modifies ? [1, created] : [created])));
  }
  throttle.open();
  return told;
}

type Told = ReturnType<typeof telling>;

/** Nobody was ended, all was told in order, and nothing was kept but what the sockets hold. */
async function expectUnharmed({ gateway, kept, slow, watcher, commit }: Site, told: readonly Told[]): Promise<void> {
  const last = await commit.commit({ modify: [oid(1)] });
  for (const client of [slow, watcher]) {
    await client.invalidation(last, HANG_MS);
    expect(tellings(client).slice(-told.length - 1)).toEqual([...told, telling(last, 1)]);
    expect(client.closed).toBe(false);
  }
  expect(gateway.ended).toEqual([]);
  expect(gateway.proxy.stats()).toMatchObject({ ended: {}, tooOld: 0 });
  expect(kept.most).toBeGreaterThan(0);
  expect(kept.most).toBeLessThan(FEW_BYTES);
  await gateway.until(() => kept.now === 0, "nothing is kept any more");
}

describe.each(["Z4", "Z5", "M5"] as const)("before a %s server a client that reads slowly", (protocol) => {
  it.each(["64MiB", "2KiB"])(
    "gets all of a blob, and is told of every commit meanwhile: limits.history %s",
    async (history) => {
      const one = await site(protocol, { history });
      const [chunks, size] = [320, 64 * KIB];
      const chunk = (n: number): Buffer => Buffer.alloc(size, `chunk ${n} `);
      one.throttle.shut();
      for (let n = 0; n < chunks; n++)
        one.server.connections.at(-1)?.sendOneWay("one-way", "receiveBlobChunk", [chunk(n)]);
      const told = await readSlowly(one, chunks * size, MIB);
      expect(told.length).toBeGreaterThan(10);
      await expectUnharmed(one, told);
      const got = one.slow.received.flatMap((entry) =>
        entry.type === "one-way" && entry.method === "receiveBlobChunk" ? [entry.args[0]] : [],
      );
      expect(got).toHaveLength(chunks);
      expect(got.filter((bytes, n) => Buffer.isBuffer(bytes) && bytes.equals(chunk(n)))).toHaveLength(chunks);
    },
    60_000,
  );

  it("gets an object of 70 MiB, and is told of every commit meanwhile", async () => {
    const one = await site(protocol);
    const data = Buffer.alloc(70 * MIB, "a large object ");
    await one.commit.commit({ create: [oid(1_000)], data });
    one.throttle.shut();
    const loaded = one.slow.loadBefore(oid(1_000), FAR);
    const told = await readSlowly(one, data.length, 5 * MIB);
    expect(told.length).toBeGreaterThan(10);
    await expectUnharmed(one, told);
    expect((await loaded)?.data.equals(data)).toBe(true);
  }, 60_000);

  it("gets thousands of small objects, and is told of every commit meanwhile", async () => {
    const one = await site(protocol);
    const [count, size] = [4_000, 4 * KIB];
    const data = (n: number): Buffer => Buffer.alloc(size, `object ${n} `);
    const oids = Array.from({ length: count }, (_, n) => oid(10_000 + n));
    const records = new Map(oids.map((id, n) => [id, data(n)]));
    const before: Tid = await one.commit.commit({ create: oids, records });
    one.throttle.shut();
    const loads = oids.map((id) => one.slow.loadBefore(id, FAR));
    const told = await readSlowly(one, count * size, MIB);
    expect(told.length).toBeGreaterThan(10);
    await expectUnharmed(one, told);
    const loaded = await Promise.all(loads);
    expect(loaded.filter((object, n) => object?.serial === before && object.data.equals(data(n)))).toHaveLength(count);
  }, 60_000);

  it("and then takes nothing is ended after limits.stalled, and others are undisturbed", async () => {
    const one = await site(protocol, { stalled: "500ms" });
    const { gateway, watcher, commit } = one;
    one.throttle.shut();
    for (let n = 0; n < 384; n++) {
      one.server.connections.at(-1)?.sendOneWay("one-way", "receiveBlobChunk", [Buffer.alloc(64 * KIB, n)]);
    }
    await one.throttle.pass(MIB);
    const ended = gateway.event("ended");
    const tids: Tid[] = [];
    let isOver = false;
    void ended.finally(() => (isOver = true)).catch(() => undefined);
    while (!isOver) {
      tids.push(await commit.commit({ modify: [oid(1)] }));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect((await ended).code).toBe("client-too-slow");
    tids.push(await commit.commit({ modify: [oid(1)] }));
    for (const tid of tids) await watcher.invalidation(tid);
    expect(tellings(watcher).slice(-tids.length)).toEqual(tids.map((tid) => telling(tid, 1)));
    expect(gateway.ended).toHaveLength(1);
    one.throttle.open();
    await one.slow.whenClosed();
    await gateway.until(() => one.kept.now === 0, "nothing is kept any more");
  }, 60_000);
});

it("a client that reads slowly is ended where more is committed meanwhile than limits.memory lets be kept, and others are undisturbed", async () => {
  const one = await site("Z5", { history: "64KiB", memory: "1MiB" });
  const { gateway, watcher, commit } = one;
  one.throttle.shut();
  for (let n = 0; n < 384; n++) {
    one.server.connections.at(-1)?.sendOneWay("one-way", "receiveBlobChunk", [Buffer.alloc(64 * KIB, n)]);
  }
  await one.throttle.pass(MIB);
  const oids = Array.from({ length: 10_000 }, (_, n) => oid(10_000 + n));
  await commit.commit({ create: oids });
  let commits = 0;
  while (gateway.ended.length === 0) {
    const tid = await commit.commit({ modify: oids });
    await watcher.invalidation(tid);
    expect(++commits).toBeLessThan(20);
  }
  expect(gateway.ended.map(({ code }) => code)).toEqual(["too-far-behind"]);
  expect(commits).toBeGreaterThan(8);
  expect(watcher.closed).toBe(false);
  one.throttle.open();
  await one.slow.whenClosed();
  await gateway.until(() => one.kept.now === 0, "nothing is kept any more");
}, 60_000);

describe.runIf(process.platform === "linux")(
  "a client that takes so little that the network takes nothing for a while",
  () => {
    const STALLED_MS = 3_000;
    /** So much each tenth of a second: in `limits.stalled` less than the system makes room for at once. */
    const [portion, everyMs] = [16 * KIB, 100];

    /** Reads so, for so long. */
    async function sips({ socket }: Peer, ms: number): Promise<number> {
      let taken = 0;
      for (const until = Date.now() + ms; Date.now() < until && !socket.destroyed;) {
        taken += (socket.read(portion) as Buffer | null)?.length ?? 0;
        await new Promise((resolve) => setTimeout(resolve, everyMs));
      }
      return taken;
    }

    it("is slow, and not stalled", async () => {
      const gateway = await scripted({}, { limits: { stalled: `${STALLED_MS}ms` } });
      const { client, server } = await registered(gateway);
      client.socket.removeAllListeners("data");
      client.socket.on("readable", () => undefined);
      server.tell("receiveBlobChunk", Buffer.alloc(32 * MIB));
      expect(await sips(client, 4 * STALLED_MS)).toBeGreaterThan(portion);
      expect(gateway.ended).toEqual([]);
      expect(client.socket.destroyed).toBe(false);
    }, 60_000);
  },
);
