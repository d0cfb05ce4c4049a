import { describe, expect, it, onTestFinished } from "vitest";
import { ClientCommit } from "../../src/embedded/client-commit.ts";
import { EmbeddedClient } from "../../src/embedded/client.ts";
import type { MemoryStorage } from "../../src/embedded/memory-storage.ts";
import { EmbeddedServer, type EmbeddedServerOptions } from "../../src/embedded/server.ts";
import { asTid, NO_TID, type Tid, tidBytes, tidHex } from "../../src/wire/ids.ts";
import { PyGlobal, PyObject, PyTuple } from "../../src/wire/value.ts";
import { hexes, NotedWitness } from "./noted.ts";

/* The witness at the embedded server, over real sockets. */

async function serve(options: EmbeddedServerOptions): Promise<EmbeddedServer> {
  const server = new EmbeddedServer(options);
  await server.start();
  onTestFinished(() => server.close());
  return server;
}

async function committing(server: EmbeddedServer): Promise<ClientCommit> {
  const client = await EmbeddedClient.connect({ port: server.port });
  onTestFinished(() => client.close());
  return new ClientCommit(client);
}

const oid = (n: number): string => n.toString(16).padStart(16, "0");

/** So many transactions, one after the other; each stores the object of its number and of the next one. */
function filled(storage: MemoryStorage, count: number, extension?: PyObject): Tid[] {
  return Array.from({ length: count }, (_, n) => {
    const info = {
      user: Buffer.from("u"),
      description: Buffer.from("d"),
      extension: extension ?? new Map(),
      status: " ",
    };
    const pending = storage.begin(info);
    for (const one of [n, n + 1]) pending.restore(tidBytes(asTid(BigInt(one))), Buffer.from("data"));
    pending.finish(false, () => undefined);
    return pending.tid;
  });
}

describe.each(["Z4", "Z5", "M5"] as const)("a witness of a %s server", (protocol) => {
  it("is up with the last transaction, asks for it, and is told of others'", async () => {
    const server = await serve({ protocol });
    const noted = new NotedWitness(server.port);
    expect(await noted.next("up")).toEqual({ kind: "up", last: NO_TID });
    const commits = await committing(server);
    const created = await commits.commit({ create: [oid(1), oid(2)] });
    const tid = await commits.commit({ modify: [oid(1)], create: [oid(3)] });
    expect(await noted.ask()).toBe(tid);
    if (protocol !== "Z4") expect((await noted.next("told")).args).toEqual({ tid: created, oids: Buffer.alloc(0) });
    const { args } = await noted.next("told");
    expect([args.tid, hexes(args.oids)]).toEqual([tid, [oid(1)]]);
    expect(server.connections[0]?.protocol).toBe(protocol === "M5" ? "Z5" : protocol);
  });

  it("reads ranges: all, some, none", async () => {
    const server = await serve({ protocol });
    const tids = filled(server.storage(), 40);
    const noted = new NotedWitness(server.port);
    const last = tids.at(-1) as Tid;
    expect(await noted.next("up")).toEqual({ kind: "up", last });
    const whole = tids.map((tid, n) => [tidHex(tid), oid(n), oid(n + 1)]);
    expect(await noted.shown({ above: NO_TID, upTo: last })).toEqual(whole);
    expect(await noted.shown({ above: tids[3] as Tid, upTo: tids[5] as Tid })).toEqual(whole.slice(4, 6));
    expect(await noted.shown({ above: last, upTo: last })).toEqual([]);
    const skipped = new Set(tids.filter((_, n) => n % 3 > 0));
    expect(await noted.shown({ above: NO_TID, upTo: last }, (tid) => skipped.has(tid))).toEqual(
      whole.filter((_, n) => n % 3 === 0),
    );
    expect(await noted.shown({ above: NO_TID, upTo: last }, () => true)).toEqual([]);
  });

  it("tells of each transaction of a range as it is read, where that is wanted", async () => {
    const server = await serve({ protocol });
    const tids = filled(server.storage(), 300);
    const greeted: string[] = [];
    const limits = { transactions: Infinity, oidBytes: 1024 };
    const noted = new NotedWitness(server.port, { limits, greeted: ({ name }) => greeted.push(name) });
    await noted.next("up");
    expect(greeted).toEqual([protocol === "M5" ? "Z5" : protocol]);
    const each: unknown[] = [];
    const range = { above: tids[9] as Tid, upTo: tids.at(-1) as Tid };
    const read = await new Promise((resolve) => {
      noted.witness.read(
        range,
        () => false,
        resolve,
        ({ tid, oids }) => each.push([tid, ...hexes(oids)]),
      );
    });
    expect(read).toEqual({ kind: "read", found: [] });
    expect(each).toEqual(tids.map((tid, n) => [tid, oid(n), oid(n + 1)]).slice(10));
  });

  it("reads what was created, deleted, restored and undone", async () => {
    const server = await serve({ protocol });
    const commits = await committing(server);
    const created = await commits.commit({ create: [oid(1), oid(2)] });
    const deleted = await commits.commit({ delete: [oid(2)] });
    const restored = await commits.commit({ restore: [oid(2), oid(2)] });
    const noted = new NotedWitness(server.port);
    await noted.next("up");
    expect(await noted.shown({ above: NO_TID, upTo: restored })).toEqual([
      [tidHex(created), oid(1), oid(2)],
      [tidHex(deleted), oid(2)],
      [tidHex(restored), oid(2), oid(2)],
    ]);
  });

  it("reads by extensions that hold arbitrary objects", async () => {
    const server = await serve({ protocol: protocol === "M5" ? "Z5" : protocol });
    const evil = new PyObject(new PyGlobal("os", "system"), new PyTuple([Buffer.from("true")]));
    const [tid] = filled(server.storage(), 1, evil) as [Tid];
    const noted = new NotedWitness(server.port);
    await noted.next("up");
    expect(await noted.shown({ above: NO_TID, upTo: tid })).toEqual([[tidHex(tid), oid(0), oid(1)]]);
  });

  it("reads thousands of transactions", { timeout: 60_000 }, async () => {
    const server = await serve({ protocol });
    const tids = filled(server.storage(), 3_000);
    const noted = new NotedWitness(server.port);
    const { last } = await noted.next("up");
    const read = await noted.read({ above: NO_TID, upTo: last });
    expect(read.kind === "read" && read.found.length).toBe(tids.length);
  });

  it("does not find a storage that there isn't", async () => {
    const server = await serve({ protocol });
    const noted = new NotedWitness(server.port, { storage: "other" });
    expect(await noted.next("unable")).toEqual({ kind: "unable", reason: "no-storage" });
  });

  it("is down when the server goes, and up again when it is back", async () => {
    const server = await serve({ protocol });
    const noted = new NotedWitness(server.port);
    await noted.next("up");
    await server.close();
    await noted.next("down");
    await server.start();
    await noted.next("up");
  });
});
