import { createHash } from "node:crypto";
import { once } from "node:events";
import { describe, expect, it } from "vitest";
import type { Tid } from "../../src/wire/ids.ts";
import { pickleCodec } from "../../src/wire/pickle-codec.ts";
import { frameOf, within, type Peer } from "../proxy/peer.ts";
import { bytes8, passes, registered, scripted, type Gateway, type Pair } from "../proxy/world.ts";
import { Kept } from "./kept.ts";

// What all clients together make the process keep has a bound. Beyond it whoever has most of it goes first, with a code; the
// others do not notice.

const KIB = 1024;
const MIB = 1024 * KIB;

type World = Awaited<ReturnType<typeof scripted>>;

async function pairs(gateway: World, count: number): Promise<Pair[]> {
  const all: Pair[] = [];
  while (all.length < count) all.push(await registered(gateway));
  return all;
}

/** Those that were ended, all of them for the memory. */
function endedOf(gateway: Gateway, all: readonly Pair[]): Pair[] {
  expect(new Set(gateway.ended.map(({ code }) => code))).toEqual(new Set(["memory-exhausted"]));
  const ports = gateway.ended.map(({ client }) => Number(client.split(":").at(-1)));
  expect(ports.length).toBe(new Set(ports).size);
  return all.filter(({ client }) => ports.includes(client.socket.localPort ?? 0));
}

async function serves({ client, server }: Pair): Promise<void> {
  await passes(client, server, client.encode(99, 0, "ping"));
  await passes(server, client, server.codec.encode("pickle3", 99, 0, ".reply", null));
}

/** An invalidation of about so many bytes. */
function invalidation(bytes: number): Buffer {
  const oids = Buffer.concat(Array.from({ length: bytes / 12 }, (_, n) => bytes8(BigInt(n + 1))));
  return frameOf(pickleCodec.encodeInvalidation("pickle3", "plain", 5000n as Tid, oids));
}

describe("beyond limits.memory", () => {
  it("clients that leave large calls unfinished: the heaviest go, the others are served", async () => {
    const kept = new Kept();
    const gateway = await scripted({}, { limits: { memory: "4MiB" } });
    const [good, ...all] = await pairs(gateway, 37);
    const [light, heavy] = [all.slice(0, 20), all.slice(20)];
    const call = (bytes: number): Buffer =>
      frameOf(
        good?.client.encode(0, 1, "tpc_begin", 9, "", "x".repeat(bytes), new Map(), null, " ") ?? Buffer.alloc(0),
      );
    for (const [some, bytes] of [
      [light, 100 * KIB],
      [heavy, 400 * KIB],
    ] as const) {
      for (const { client } of some) client.write(call(bytes).subarray(0, -20));
    }
    await gateway.until(() => gateway.ended.length >= 4, "the heaviest are ended");
    if (good !== undefined) await serves(good);
    const ended = endedOf(gateway, all);
    for (const pair of ended) expect(heavy).toContain(pair);
    expect(ended.length).toBeLessThan(heavy.length);
    for (const { client, server } of ended) await Promise.all([client.end(), server.end()]);
    // Who is left gets through.
    for (const { client, server } of light) {
      client.write(call(100 * KIB).subarray(-20));
      await server.expect("tpc_begin");
    }
    for (const { client } of heavy) if (!client.ended) client.write(call(400 * KIB).subarray(-20));
    // One chunk, at most, was there beside the bound.
    expect(kept.most).toBeLessThan(5 * MIB);
    await gateway.until(() => kept.now === 0, "nothing is kept any more");
  });

  it("servers that leave large invalidations unfinished: the heaviest go, the others are told", async () => {
    const kept = new Kept();
    const gateway = await scripted({}, { limits: { memory: "24MiB" } });
    const all = await pairs(gateway, 10);
    const [light, heavy] = [all.slice(0, 6), all.slice(6)];
    const [small, large] = [invalidation(MIB), invalidation(10 * MIB)];
    for (const { server } of light) server.write(small.subarray(0, -1));
    for (const { server } of heavy) server.write(large.subarray(0, -1));
    await gateway.until(() => gateway.ended.length >= 2, "the heaviest are ended");
    const ended = endedOf(gateway, all);
    for (const pair of ended) expect(heavy).toContain(pair);
    for (const { client, server } of ended) await Promise.all([client.end(), server.end()]);
    for (const { client, server } of all.filter((pair) => !ended.includes(pair))) {
      const message = light.some((pair) => pair.server === server) ? small : large;
      server.write(message.subarray(-1));
      expect((await client.frame()).equals(message.subarray(4))).toBe(true);
    }
    // What is kept of a message grows in steps.
    expect(kept.most).toBeLessThan(30 * MIB);
    await gateway.until(() => kept.now === 0, "nothing is kept any more");
  });

  it("clients that do not read inside their commits: the heaviest goes, the others get every byte", async () => {
    const kept = new Kept();
    const gateway = await scripted({}, { limits: { memory: "40MiB" } });
    const [one, two, heavy, watcher] = await pairs(gateway, 4);
    if (one === undefined || two === undefined || heavy === undefined || watcher === undefined) throw new Error();
    for (const { client, server } of [one, two, heavy]) {
      client.tell("tpc_begin", 9, "", "", new Map(), null, " ");
      client.tell("storea", bytes8(1n), bytes8(0n), Buffer.from("x"), 9);
      client.call(9, "tpc_finish", 9);
      for (const method of ["tpc_begin", "storea", "tpc_finish"]) await server.expect(method);
      client.socket.pause();
    }
    // The reply to a commit stands behind all this, so it is read.
    const chunk = frameOf(pickleCodec.encode("pickle3", 0, 1, "receiveBlobChunk", Buffer.alloc(256 * KIB, "blob")));
    for (const { server } of [one, two]) await pour(server, chunk, 12 * MIB);
    expect(gateway.ended).toEqual([]);
    await pour(heavy.server, chunk, 72 * MIB);
    await gateway.until(() => gateway.ended.length > 0, "the heaviest is ended");
    expect(endedOf(gateway, [one, two, heavy])).toEqual([heavy]);
    expect(kept.most).toBeLessThan(41 * MIB);

    // Its commit is followed all the same.
    const committers = [heavy, one, two];
    const told = (tid: bigint): Buffer =>
      frameOf(pickleCodec.encodeInvalidation("pickle3", "plain", tid as Tid, bytes8(1n)));
    for (const [n, { server }] of committers.entries()) {
      const tid = 2001n + BigInt(n);
      server.reply(9, bytes8(tid));
      for (const other of [one, two, watcher]) if (other.server !== server) other.server.write(told(tid));
    }
    for (let tid = 2001n; tid <= 2003n; tid++) {
      expect(frameOf(await watcher.client.frame()).equals(told(tid))).toBe(true);
    }
    const reply = (tid: bigint): Buffer => frameOf(pickleCodec.encode("pickle3", 9, 0, ".reply", bytes8(tid)));
    const chunks = Array.from({ length: Math.ceil((12 * MIB) / chunk.length) }, () => chunk);
    for (const [{ client }, behind] of [
      [one, [told(2001n), reply(2002n), told(2003n)]],
      [two, [told(2001n), told(2002n), reply(2003n)]],
    ] as const) {
      const expected = [...chunks, ...behind];
      expect(await digestOf(client, expected)).toBe(digest(expected));
    }
    expect(gateway.ended).toHaveLength(1);
    await gateway.until(() => kept.now === 0, "nothing is kept any more");
  });
});

async function pour({ socket }: Peer, chunk: Buffer, total: number): Promise<void> {
  for (let written = 0; written < total; written += chunk.length) {
    if (!socket.write(chunk)) await once(socket, "drain");
  }
}

function digest(parts: readonly Buffer[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest("hex");
}

/** Of as many bytes as are expected. */
async function digestOf({ socket }: Peer, expected: readonly Buffer[]): Promise<string> {
  const hash = createHash("sha256");
  let left = expected.reduce((sum, { length }) => sum + length, 0);
  socket.removeAllListeners("data");
  const read = new Promise<void>((resolve) => {
    socket.on("data", (bytes: Buffer) => {
      hash.update(bytes);
      left -= bytes.length;
      if (left <= 0) resolve();
    });
    socket.resume();
  });
  await within(read, "every byte");
  return hash.digest("hex");
}
