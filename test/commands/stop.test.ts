import { afterEach, describe, expect, it } from "vitest";
import { ClientCommit, numberRecord } from "../../src/embedded/client-commit.ts";
import { EmbeddedServer } from "../../src/embedded/server.ts";
import { NO_TID } from "../../src/wire/ids.ts";
import { enter, leave } from "./stage.ts";

afterEach(leave);

const OID = "0000000000000001";

describe("a stop", () => {
  it("lets a finishing commit settle: its client gets the reply, the others the invalidation", async () => {
    const server = new EmbeddedServer({ protocol: "Z5" });
    const { command, join } = await enter(server);
    const writer = await join();
    const watcher = await join();
    const finish = server.gate.outgoing(({ method, kind }) => kind === "reply" && method === "tpc_finish");
    const commit = new ClientCommit(writer).commit({ create: [OID] });
    await finish.caught();
    command.signal("SIGTERM");
    await command.line(({ msg }) => msg === "stopping", "the stop");
    finish.open();
    const tid = await commit;
    expect((await watcher.invalidation(tid)).oids).toEqual([OID]);
    expect((await command.ended()).status).toBe(0);
  });

  it("waits no longer than limits.drain for a commit that doesn't settle", async () => {
    const server = new EmbeddedServer({ protocol: "Z5" });
    const { command, join } = await enter(server, "limits: { drain: 500ms }");
    const writer = await join();
    const finish = server.gate.outgoing(({ method, kind }) => kind === "reply" && method === "tpc_finish");
    const commit = new ClientCommit(writer).commit({ create: [OID] }).catch((error: unknown) => error);
    await finish.caught();
    const before = Date.now();
    command.signal("SIGTERM");
    expect((await command.ended()).status).toBe(0);
    expect(Date.now() - before).toBeGreaterThanOrEqual(400);
    expect(Date.now() - before).toBeLessThan(5000);
    expect(await commit).toBeInstanceOf(Error);
  });

  it("closes a client that has voted and not finished at once", async () => {
    const { command, join } = await enter(new EmbeddedServer({ protocol: "Z5" }));
    const writer = await join();
    const commit = new ClientCommit(writer);
    commit.begin();
    commit.store(OID, NO_TID, numberRecord(1));
    await commit.vote();
    const before = Date.now();
    command.signal("SIGTERM");
    await writer.whenClosed();
    expect((await command.ended()).status).toBe(0);
    expect(Date.now() - before).toBeLessThan(5000);
  });
});
