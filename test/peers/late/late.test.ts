/** A server that tells of a commit behind a later one: a real client hears of it all the same. */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describe, expect, onTestFinished, test } from "vitest";
import type { ServerProtocol } from "../../../src/embedded/behaviour.ts";
import { ClientCommit, numberRecord } from "../../../src/embedded/client-commit.ts";
import { EmbeddedClient } from "../../../src/embedded/client.ts";
import { EmbeddedServer } from "../../../src/embedded/server.ts";
import { openGateway } from "../gateway.ts";
import { LOOPBACK } from "../sockets.ts";
import { install, PYTHON_SCRIPTS } from "../install.ts";
import { peerNamed } from "../peers.ts";
import { startPython } from "../processes.ts";

const OID = "0000000000000065";
const OTHER = "0000000000000066";

const CLIENTS: readonly (readonly [string, ServerProtocol])[] = [
  ["zodb3-py27", "Z4"],
  ["zeo4-py27", "Z4"],
  ["zeo4-py36", "Z4"],
  ["zeo521-py37", "Z4"],
  ["zeo521-py37", "Z5"],
  ["zeo530-py39", "M5"],
  ["zeo62-py312", "M5"],
];

describe.each(CLIENTS)("%s on the %s server", (name, protocol) => {
  test("reads what was told too late, on the same connection", async (context) => {
    const result = await install(peerNamed(name));
    if (result.type === "missing") return context.skip(`${name}: ${result.why}`);
    const folder = await mkdtemp(join(tmpdir(), "zeo-proxy-late-"));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    let isSilent = false;
    const server = new EmbeddedServer({ protocol, skipClient: () => isSilent });
    await server.start();
    onTestFinished(() => server.close());
    const gateway = await openGateway("proxy", server.port, LOOPBACK, "off");
    onTestFinished(() => gateway.stop());

    // It does not pass through the proxy.
    const writer = await EmbeddedClient.connect({ port: server.port, protocol });
    onTestFinished(() => writer.close());
    const commit = new ClientCommit(writer);
    await commit.commit({ create: [OID, OTHER] });
    const before = numberRecord(1).toString("hex");

    const python = startPython(result.installed, [join(PYTHON_SCRIPTS, "late.py"), String(gateway.port), OID], {
      cwd: folder,
    });
    onTestFinished(() => python.stop());
    const lines = createInterface({ input: python.child.stdout })[Symbol.asyncIterator]();
    const said = async (): Promise<unknown> => (await lines.next()).value ?? python.errors();
    expect(await said()).toBe(`has ${before}`);

    const reader = server.connections.at(-1);
    const accepted = gateway.stats()?.upstreams[0]?.accepted;
    isSilent = true;
    const late = await commit.commit({ modify: [OID] });
    isSilent = false;
    await commit.commit({ modify: [OTHER] });
    reader?.tellInvalidation(late, [Buffer.from(OID, "hex")]);
    expect(await said()).toBe(`then ${numberRecord(2).toString("hex")}`);
    expect(gateway.ended).toEqual([]);
    expect(gateway.stats()).toMatchObject({ late: 1, guard: 0, upstreams: [{ accepted }] });
  });
});
