import { connect } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { ClientCommit } from "../../src/embedded/client-commit.ts";
import { EmbeddedClient } from "../../src/embedded/client.ts";
import { MemoryStorage } from "../../src/embedded/memory-storage.ts";
import { EmbeddedServer } from "../../src/embedded/server.ts";
import { tidHex, tidTimeMs } from "../../src/wire/ids.ts";
import type { Line } from "./command.ts";
import { atEnd, enter, leave, stopped } from "./stage.ts";

afterEach(leave);

const isRepair = ({ msg }: Line) => msg === "invalidation repaired";
const oid = (number: number) => number.toString(16).padStart(16, "0");

describe("a repaired transaction", () => {
  it("is one line, whatever the number of clients", async () => {
    const { command, join } = await enter(new EmbeddedServer({ protocol: "Z5" }), "log: { oids: 2 }");
    const commits = new ClientCommit(await join());
    const watchers = [await join(), await join(), await join()];
    await commits.commit({ create: [oid(1)] });
    const tid = await commits.commit({ modify: [oid(1)], create: [oid(2), oid(3), oid(4)] });
    await Promise.all(watchers.map((watcher) => watcher.invalidation(tid)));
    const lines = (await stopped(command)).filter((line) => isRepair(line) && line["tid"] === tidHex(tid));
    expect(lines).toEqual([
      {
        level: "info",
        at: expect.any(String) as string,
        upstream: "main",
        storage: "1",
        client: expect.stringMatching(/^127\.0\.0\.1:\d+$/) as string,
        source: "client",
        tid: tidHex(tid),
        time: new Date(tidTimeMs(tid)).toISOString(),
        repair: "completed",
        created: 3,
        restored: 0,
        deleted: 0,
        oids: [oid(2), oid(3)],
        completed: 3,
        synthesized: 0,
        msg: "invalidation repaired",
      },
    ]);
  });

  it("that the server said nothing of is synthesized", async () => {
    const { command, join } = await enter(new EmbeddedServer({ protocol: "Z4" }), "log: { oids: 0 }");
    const commits = new ClientCommit(await join());
    const watcher = await join();
    const tid = await commits.commit({ create: [oid(1), oid(2)] });
    await watcher.invalidation(tid);
    const lines = (await stopped(command)).filter(isRepair);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({
      tid: tidHex(tid),
      repair: "synthesized",
      created: 2,
      oids: [],
      completed: 0,
      synthesized: 1,
    });
  });

  it("with no client to tell is no line, nor is one that needed no repair", async () => {
    const { command, join } = await enter(new EmbeddedServer({ protocol: "Z5" }));
    const commits = new ClientCommit(await join());
    await commits.commit({ create: [oid(1)] });
    const watcher = await join();
    await watcher.invalidation(await commits.commit({ modify: [oid(1)] }));
    expect((await stopped(command)).filter(isRepair)).toEqual([]);
  });
});

describe("log.repairs: summary", () => {
  it("is one line for all, written before the last one", async () => {
    const { command, join } = await enter(new EmbeddedServer({ protocol: "Z5" }), "log: { repairs: summary }");
    const commits = new ClientCommit(await join());
    const watcher = await join();
    await commits.commit({ create: [oid(1)] });
    await watcher.invalidation(await commits.commit({ modify: [oid(1)], create: [oid(2)] }));
    const lines = await stopped(command);
    expect(lines.map(({ msg }) => msg)).toEqual(["listening", "stopping", "invalidations repaired", "stopped"]);
    expect(lines[2]).toMatchObject({ level: "info", upstream: "main", storage: "1", transactions: 2, created: 2 });
  });
});

describe("a repaired getInvalidations", () => {
  it("is one line with from and tid", async () => {
    const { command, join } = await enter(new EmbeddedServer({ protocol: "Z5" }));
    const commits = new ClientCommit(await join());
    const from = await commits.commit({ create: [oid(1)] });
    const tid = await commits.commit({ modify: [oid(1)], create: [oid(2)] });
    const late = await join();
    expect(await late.getInvalidations(from)).toEqual({ tid, oids: [oid(1), oid(2)] });
    const lines = (await stopped(command)).filter(({ repair }) => repair === "resumed");
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({
      level: "info",
      upstream: "main",
      storage: "1",
      from: tidHex(from),
      tid: tidHex(tid),
    });
  });
});

describe("connections", () => {
  it("are at debug, with counts and a duration at their end", async () => {
    const { command, join } = await enter(new EmbeddedServer({ protocol: "Z5" }), "log: { level: debug }");
    const client = await join();
    await client.close();
    const line = await command.line(({ msg }) => msg === "client disconnected", "the end");
    expect(line).toMatchObject({ level: "debug", upstream: "main", storage: "1", protocol: "Z5" });
    for (const key of ["fromClient", "fromServer", "durationMs"]) expect(line[key], key).toEqual(expect.any(Number));
    expect(line["client"]).toMatch(/^127\.0\.0\.1:\d+$/);
  });

  it("are not at info", async () => {
    const { command, join } = await enter(new EmbeddedServer({ protocol: "Z5" }));
    await (await join()).close();
    expect((await stopped(command)).map(({ msg }) => msg)).toEqual(["listening", "stopping", "stopped"]);
  });
});

describe("a client that can't be repaired", () => {
  /** What TLS begins with. */
  const hello = Buffer.from([0x16, 3, 1, 0, 5, 1, 0, 0, 1, 3]);

  async function speak(port: number): Promise<void> {
    const socket = connect(port, "127.0.0.1").on("error", () => undefined);
    atEnd(() => socket.destroy());
    const closed = new Promise((resolve) => socket.once("close", resolve));
    socket.resume().write(hello);
    await closed;
  }

  it("is warned of once an hour for its upstream and reason", async () => {
    const { command, port } = await enter(new EmbeddedServer({ protocol: "Z5" }));
    await speak(port);
    await speak(port);
    const lines = (await stopped(command)).filter(({ level }) => level === "warn");
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({ upstream: "main", reason: "tls", total: 1 });
  });
});

describe("a storage's name", () => {
  it("is escaped, since a client sends it", async () => {
    const storage = "1\u001b[2J\u009b";
    const server = new EmbeddedServer({ storages: { [storage]: new MemoryStorage() } });
    const { command, port } = await enter(server, "log: { level: debug }");
    const client = await EmbeddedClient.connect({ port, storage });
    await client.close();
    const line = await command.line(({ msg }) => msg === "client disconnected", "the end");
    expect(line["storage"]).toBe("1\\x1b[2J\\x9b");
    expect(command.stdout).not.toMatch(/\\u001b|\u009b/);
  });
});
