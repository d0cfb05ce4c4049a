import { describe, expect, it, onTestFinished, type TestContext } from "vitest";
import { ClientCommit } from "../../src/embedded/client-commit.ts";
import { EmbeddedClient } from "../../src/embedded/client.ts";
import { asTid, NO_TID, type Tid, tidHex } from "../../src/wire/ids.ts";
import { hexes, NotedWitness } from "./noted.ts";
import { FILE_STORAGE, type RealOptions, realServer, type RealServer } from "./real-server.ts";

/* The witness at real servers. Nothing that it does may be an error in a server's log. */

const PEERS = ["zodb3-py27", "zeo4-py27", "zeo4-py36", "zeo521-py27", "zeo521-py37", "zeo530-py39", "zeo62-py312"];
const OLD = ["zodb3-py27", "zeo4-py27"];

const MANY = ["zodb3-py27", "zeo4-py36", "zeo62-py312"];

const MAPPING = "<mappingstorage 1>\n</mappingstorage>";
const DEMO = "<demostorage 1>\n <filestorage base>\n path DIR/1.fs\n </filestorage>\n</demostorage>";

async function serve(context: TestContext, peer: string, options: RealOptions): Promise<RealServer> {
  const server = await realServer(peer, options);
  if (typeof server === "string") return context.skip(server);
  return server;
}

async function committing(server: RealServer, peer: string): Promise<ClientCommit> {
  const dialect = peer.endsWith("py27") ? { dialect: "pickle1" as const } : {};
  const client = await EmbeddedClient.connect({ port: server.port, ...dialect });
  onTestFinished(() => client.close());
  return new ClientCommit(client);
}

const tidOf = (line: readonly string[] | undefined): Tid => asTid(BigInt(`0x${line?.[0] ?? ""}`));
const oid = (n: number): string => n.toString(16).padStart(16, "0");

describe.each(PEERS)("a witness of %s", (peer) => {
  it.for([
    ["a FileStorage", FILE_STORAGE, ["sorts"]],
    ["a packed one", FILE_STORAGE, ["sorts", "pack"]],
    ["a DemoStorage", DEMO, ["sorts"]],
  ] as const)("reads all sorts of transactions of %s", async ([, storage, stock], context) => {
    const server = await serve(context, peer, { storage, stock });
    const noted = new NotedWitness(server.port);
    const { last } = await noted.next("up");
    expect(last).toBe(tidOf(server.stock.at(-1)));
    expect(await noted.shown({ above: NO_TID, upTo: last })).toEqual(server.stock);
    const [from, to] = [tidOf(server.stock[2]), tidOf(server.stock[5])];
    expect(await noted.shown({ above: from, upTo: to })).toEqual(server.stock.slice(3, 6));
    expect(await noted.shown({ above: asTid(to - 1n), upTo: to })).toEqual(server.stock.slice(5, 6));
    const skipped = new Set(server.stock.filter((_line, n) => n % 2 > 0).map(tidOf));
    const rest = server.stock.filter((_line, n) => n % 2 === 0);
    expect(await noted.shown({ above: NO_TID, upTo: last }, (tid) => skipped.has(tid))).toEqual(rest);
    expect(await noted.ask()).toBe(last);
    expect(server.log()).toBe("");
  });

  it("reads thousands of transactions", { timeout: 180_000 }, async (context) => {
    const count = MANY.includes(peer) ? "10000" : "1000";
    const server = await serve(context, peer, { storage: FILE_STORAGE, stock: ["many", count] });
    const noted = new NotedWitness(server.port, { limits: { rangeMs: 150_000 } });
    const { last } = await noted.next("up");
    expect(await noted.shown({ above: NO_TID, upTo: last })).toEqual(server.stock);
    expect(await noted.shown({ above: NO_TID, upTo: last }, () => true)).toEqual([]);
    expect(server.log()).toBe("");
  });

  it("reads a DemoStorage from its base on into its changes", async (context) => {
    const server = await serve(context, peer, { storage: DEMO, stock: ["many", "40"] });
    const noted = new NotedWitness(server.port);
    await noted.next("up");
    const commits = await committing(server, peer);
    const above: string[][] = [];
    for (let n = 0; n < 20; n++)
      above.push([tidHex(await commits.commit({ create: [oid(200_000 + n)] })), oid(200_000 + n)]);
    const upTo = tidOf(above.at(-1));
    // A server with sockets that do not delay is asked for several things at once, which this storage does not bear.
    for (let again = 0; again < 2; again++) {
      expect(await noted.shown({ above: NO_TID, upTo })).toEqual([...server.stock, ...above]);
    }
    expect(server.log().split("Traceback").length).toBeLessThan(20);
  });

  it.for([
    ["a FileStorage", FILE_STORAGE],
    ["a MappingStorage", MAPPING],
    ["a DemoStorage", DEMO],
  ] as const)("reads what it is told of by %s", async ([, storage], context) => {
    const server = await serve(context, peer, { storage });
    const noted = new NotedWitness(server.port);
    expect(await noted.next("up")).toEqual({ kind: "up", last: NO_TID });
    const commits = await committing(server, peer);
    let above = NO_TID;
    for (let n = 1; n < 20; n++) {
      const tid = await commits.commit({ create: [oid(n), oid(100 + n)], modify: n > 1 ? [oid(1)] : [] });
      if (n > 1) {
        let { args } = await noted.next("told");
        if (args.tid < tid) ({ args } = await noted.next("told"));
        expect(args.tid).toBe(tid);
        expect(hexes(args.oids)).toContain(oid(1));
        // The two that are in memory have no order.
        const read = (await noted.shown({ above, upTo: tid })) as string[][];
        expect(read.map((line) => line.toSorted())).toEqual([[oid(1), oid(n), oid(100 + n), tidHex(tid)]]);
      }
      above = tid;
    }
    expect(server.log()).toBe("");
  });

  it("comes again after a restart, and does not find a storage that there isn't", async (context) => {
    const server = await serve(context, peer, { storage: FILE_STORAGE });
    const noted = new NotedWitness(server.port);
    const other = new NotedWitness(server.port, { storage: "other" });
    await noted.next("up");
    expect(await other.next("unable")).toEqual({ kind: "unable", reason: "no-storage" });
    await server.restart();
    await noted.next("down");
    await noted.next("up");
  });
});

describe.each(OLD)("a witness of %s with authentication", (peer) => {
  it("is unable", async (context) => {
    const zeo = "authentication-protocol digest\n authentication-database DIR/pw\n authentication-realm R";
    const server = await serve(context, peer, { storage: FILE_STORAGE, zeo, files: { pw: "realm R\n" } });
    const noted = new NotedWitness(server.port);
    expect(await noted.next("unable")).toEqual({ kind: "unable", reason: "authentication" });
    expect(server.log()).not.toContain("Traceback");
  });
});
