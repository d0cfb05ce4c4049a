import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { once } from "node:events";
import type { AddressInfo, Server, Socket } from "node:net";
import { describe, expect, it } from "vitest";
import { ClientCommit } from "../../src/embedded/client-commit.ts";
import { pickleCodec } from "../../src/wire/pickle-codec.ts";
import type { Tid } from "../../src/wire/ids.ts";
import { frameOf, type Peer } from "./peer.ts";
import { bytes8, oid, passes, registered, scripted, telling, tellings, world, type Pair } from "./world.ts";

const MIB = 1024 * 1024;

/** Writes until the socket takes no more for a while: everything on the way is full. */
async function fill(peer: Peer, payload: Buffer, most: number): Promise<number> {
  let written = 0;
  while (written < most) {
    if (!peer.socket.write(payload)) {
      const drained = once(peer.socket, "drain").then(() => true);
      const stuck = new Promise<boolean>((resolve) => setTimeout(() => resolve(false), 300));
      if (!(await Promise.race([drained, stuck]))) return written;
    }
    written += payload.length;
  }
  return written;
}

describe("back-pressure", () => {
  const chunk = frameOf(pickleCodec.encode("pickle3", 0, 1, "receiveBlobChunk", Buffer.alloc(256 * 1024, 1)));

  it("of a client that does not read reaches its server, and costs no memory", async () => {
    const gateway = await scripted();
    const { client, server } = await registered(gateway);
    const other = await registered(gateway);
    client.socket.pause();
    const written = await fill(server, chunk, 256 * MIB);
    expect(written).toBeLessThan(64 * MIB);
    await passes(other.server, other.client, other.server.encode(0, 1, "info", new Map()));
    client.socket.resume();
    await once(server.socket, "drain");
    expect(gateway.ended).toEqual([]);
  });

  it("of a server that does not read reaches its client", async () => {
    const gateway = await scripted();
    const { client, server } = await registered(gateway);
    server.socket.pause();
    const store = frameOf(pickleCodec.encode("pickle3", 0, 1, "storeBlobChunk", Buffer.alloc(256 * 1024, 1)));
    expect(await fill(client, store, 256 * MIB)).toBeLessThan(64 * MIB);
    server.socket.resume();
    await once(client.socket, "drain");
    expect(gateway.ended).toEqual([]);
  });
});

describe("a server connection whose first message waits for others' commits", () => {
  it("is left unread meanwhile, and nothing is lost", async () => {
    const gateway = await scripted();
    const [a, b] = [await registered(gateway), await registered(gateway)];
    a.client.tell("tpc_begin", 9, "", "", new Map(), null, " ");
    a.client.tell("storea", bytes8(1n), Buffer.alloc(8), Buffer.from("x"), 9);
    a.client.call(9, "tpc_finish", 9);
    for (const method of ["tpc_begin", "storea", "tpc_finish"]) await a.server.expect(method);
    b.server.tell("invalidateTransaction", bytes8(2000n), []);
    const info = frameOf(pickleCodec.encode("pickle3", 0, 1, "receiveBlobChunk", Buffer.alloc(256 * 1024, 1)));
    const written = await fill(b.server, info, 256 * MIB);
    expect(written).toBeLessThan(64 * MIB);
    expect(b.client.waiting).toHaveLength(0);
    a.server.reply(9, bytes8(2000n));
    await b.client.expect("invalidateTransaction");
    for (let bytes = 0; bytes < written; bytes += info.length) await b.client.expect("receiveBlobChunk");
    expect(gateway.ended).toEqual([]);
  });
});

describe("a client that stops reading while it is owed something", () => {
  it("is told when it reads again, and keeps nobody waiting", async () => {
    const gateway = await scripted();
    const [slow, other, third] = [await registered(gateway), await registered(gateway), await registered(gateway)];
    slow.client.socket.pause();
    let tid = 2000n;
    for (let n = 0; n < 20; n++) await commitsAndTells(other, [slow, third], ++tid, MANY);
    slow.client.socket.resume();
    for (let told = 2001n; told <= tid; told++) {
      const { payload, envelope } = await slow.client.expect("invalidateTransaction");
      const { tid: shown, oids } = slow.client.codec.invalidation(payload, envelope);
      expect(shown).toBe(told);
      expect(oids).toHaveLength(MANY.length + 8);
    }
    await passes(slow.server, slow.client, slow.server.encode(0, 1, "info", new Map()));
    expect(gateway.ended).toEqual([]);
  });
});

const MANY = Buffer.concat(Array.from({ length: 20_000 }, (_, i) => bytes8(BigInt(i + 100))));

/** One commit that creates object 1, of which the server tells the others; the first of them need not read. */
async function commitsAndTells(committer: Pair, [slow, quick]: [Pair, Pair], tid: bigint, oids: Buffer): Promise<void> {
  const { client, server } = committer;
  const id = Number(tid);
  client.tell("tpc_begin", id, "", "", new Map(), null, " ");
  client.tell("storea", bytes8(1n), Buffer.alloc(8), Buffer.from("x"), id);
  client.call(id, "tpc_finish", id);
  for (const method of ["tpc_begin", "storea", "tpc_finish"]) await server.expect(method);
  server.reply(id, bytes8(tid));
  const message = pickleCodec.encodeInvalidation("pickle3", "plain", tid as Tid, oids);
  slow.server.send(message);
  quick.server.send(message);
  await client.expect(".reply");
  await quick.client.expect("invalidateTransaction");
}

describe("one byte per packet", () => {
  it.each(["Z4", "Z5", "M5"] as const)("each way before a %s server changes nothing", async (protocol) => {
    const gateway = await world({ protocol });
    const watcher = await gateway.connect();
    const writer = await gateway.connect();
    const slowly = bytewise(writer);
    const commit = new ClientCommit(slowly);
    const first = await commit.commit({ create: [oid(1), oid(2)] });
    const second = await commit.commit({ create: [oid(3)], modify: [oid(1)], delete: [oid(2)] });
    await watcher.invalidation(second);
    expect(tellings(watcher)).toEqual([telling(first, 1, 2), telling(second, 1, 2, 3)]);
  });

  it("from the server changes nothing", async () => {
    const gateway = await scripted();
    const { client, server } = await registered(gateway);
    const other = await registered(gateway);
    other.client.tell("tpc_begin", 7, "", "", new Map(), null, " ");
    other.client.tell("storea", bytes8(1n), Buffer.alloc(8), Buffer.from("x"), 7);
    other.client.call(3, "tpc_finish", 7);
    for (const method of ["tpc_begin", "storea", "tpc_finish"]) await other.server.expect(method);
    const frames = [
      frameOf(server.encode(0, 1, "invalidateTransaction", bytes8(3000n), [bytes8(5n)])),
      frameOf(server.encode(0, 1, "info", new Map())),
    ];
    for (const byte of Buffer.concat(frames)) {
      server.write(Buffer.from([byte]));
      await new Promise((resolve) => setImmediate(resolve));
    }
    other.server.reply(3, bytes8(3000n));
    const { payload, envelope } = await client.expect("invalidateTransaction");
    expect(client.codec.invalidation(payload, envelope).oids.equals(Buffer.concat([bytes8(5n), bytes8(1n)]))).toBe(
      true,
    );
    await client.expect("info");
  });
});

describe("a large stream", () => {
  it("of blob chunks each way leaves small commits alone, and is not kept", async () => {
    const gateway = await scripted({}, { limits: { frame: "2GiB" } });
    const { client, server } = await registered(gateway);
    const total = 128 * MIB;
    const before = process.memoryUsage().rss;
    let most = 0;
    const watch = setInterval(() => (most = Math.max(most, process.memoryUsage().rss)), 20);
    // One frame of 128 MiB down, and one up, of which this test keeps nothing either.
    const head = server.codec.encode("pickle3", 77, 0, ".reply", Buffer.alloc(100)).subarray(0, 40);
    const up = client.encode(0, 1, "storeBlobChunk", Buffer.alloc(100)).subarray(0, 40);
    const [down, upward] = [drain(client, total + 4), drain(server, total + 4)];
    const block = Buffer.alloc(MIB, 3);
    const sending = Promise.all([pour(server, head, block, total), pour(client, up, block, total)]);
    let commits = 0;
    const other = await registered(gateway);
    for (; commits < 20; commits++) {
      other.client.tell("tpc_begin", commits, "", "", new Map(), null, " ");
      other.client.call(100 + commits, "vote", commits);
      await other.server.expect("tpc_begin");
      await other.server.expect("vote");
      other.server.reply(100 + commits, []);
      await other.client.expect(".reply");
    }
    await sending;
    await Promise.all([down, upward]);
    clearInterval(watch);
    expect(commits).toBe(20);
    expect((most - before) / MIB).toBeLessThan(100);
    expect(gateway.ended).toEqual([]);
  }, 20_000);

  it("of a client's lets the proxy's own question in between two of its frames", async () => {
    const gateway = await scripted({ greeting: "Z4", dialect: "pickle3-zeo4" });
    const coding = [pickleCodec, "pickle3-zeo4"] as const;
    const { client, server } = await registered(gateway, null, "Z4", ...coding);
    const other = await registered(gateway, null, "Z4", ...coding);
    // Half of a frame is on its way when something becomes due.
    const large = frameOf(client.encode(0, 1, "storeBlobChunk", Buffer.alloc(100_000, 1)));
    client.write(large.subarray(0, 50_000));
    await server.take(50_000);
    other.client.tell("tpc_begin", 7, "", "", new Map(), null, " ");
    other.client.tell("storea", bytes8(1n), Buffer.alloc(8), Buffer.from("x"), 7);
    other.client.call(3, "tpc_finish", 7);
    for (const method of ["tpc_begin", "storea", "tpc_finish"]) await other.server.expect(method);
    other.server.reply(3, bytes8(3000n));
    await other.client.expect(".reply");
    expect(server.waiting).toHaveLength(0);
    // The frame's end and half of the next one come in one piece.
    client.write(Buffer.concat([large.subarray(50_000), large.subarray(0, 50_000)]));
    await server.take(large.length - 50_000);
    const { envelope } = await server.expect("lastTransaction");
    expect((await server.take(50_000)).equals(large.subarray(0, 50_000))).toBe(true);
    server.send(server.codec.encode("pickle3-zeo4", Number(envelope.id), 0, ".reply", bytes8(3000n)));
    await client.expect("invalidateTransaction");
  });
});

describe("sockets", () => {
  it("delay nothing on either side", async () => {
    const sockets: Socket[] = [];
    const note = (message: unknown): void => void sockets.push((message as { socket: Socket }).socket);
    for (const channel of CHANNELS) subscribe(channel, note);
    try {
      const gateway = await scripted();
      const { client, server } = await registered(gateway);
      const ends = [client, server].map(({ socket }) => socket.remotePort);
      const own = sockets.filter((socket) => ends.includes(portOf(socket)));
      expect(own).toHaveLength(2);
      for (const socket of own) expect(noDelay(socket)).toBe(true);
    } finally {
      for (const channel of CHANNELS) unsubscribe(channel, note);
    }
  });
});

const CHANNELS = ["net.client.socket", "net.server.socket"];

/** One that was accepted is remade around its handle: what is left of it knows its server only. */
function portOf(socket: Socket): number | undefined {
  const { server } = socket as { server?: Server };
  return (server?.address() as AddressInfo | undefined)?.port ?? socket.localPort;
}

/** What Node has told the system: there is no way to ask. */
function noDelay(socket: Socket): unknown {
  const symbol = Object.getOwnPropertySymbols(socket).find(({ description }) => description === "kSetNoDelay");
  return symbol === undefined ? undefined : Reflect.get(socket, symbol);
}

/** The same client, whose bytes leave one by one. */
function bytewise<T extends { sendPayload(payload: Buffer): void; sendRaw(bytes: Buffer): void }>(client: T): T {
  client.sendPayload = (payload) => {
    for (const byte of frameOf(payload)) client.sendRaw(Buffer.from([byte]));
  };
  return client;
}

async function pour(peer: Peer, head: Buffer, block: Buffer, total: number): Promise<void> {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(total);
  peer.write(Buffer.concat([length, head]));
  for (let left = total - head.length; left > 0; left -= block.length) {
    const part = left < block.length ? block.subarray(0, left) : block;
    if (!peer.socket.write(part)) await once(peer.socket, "drain");
  }
}

/** Reads so many bytes and forgets them. */
async function drain(peer: Peer, total: number): Promise<void> {
  peer.socket.removeAllListeners("data");
  let got = 0;
  await new Promise<void>((resolve) => {
    peer.socket.on("data", (chunk: Buffer) => {
      got += chunk.length;
      if (got >= total) resolve();
    });
  });
  expect(got).toBe(total);
}
