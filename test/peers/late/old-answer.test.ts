/** An old server whose answer to a load was computed before a commit, and is written behind its invalidation (ZEO issue 209). */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describe, expect, onTestFinished, test } from "vitest";
import { ClientCommit, numberRecord } from "../../../src/embedded/client-commit.ts";
import { EmbeddedClient } from "../../../src/embedded/client.ts";
import { EmbeddedServer } from "../../../src/embedded/server.ts";
import { openGateway, type Gateway, type Via } from "../gateway.ts";
import { install, PYTHON_SCRIPTS, type Installed } from "../install.ts";
import { peerNamed } from "../peers.ts";
import { startPython } from "../processes.ts";
import { LOOPBACK } from "../sockets.ts";

const OID = "0000000000000065";
const OTHER = "0000000000000066";

/** What the commit with this number has written. */
const data = (n: number): string => numberRecord(n).toString("hex");

/** A real client of ZEO 5 in front of an embedded server of ZEO 4, which answers when the test says so. */
async function scene(installed: Installed, via: Via) {
  const folder = await mkdtemp(join(tmpdir(), "zeo-proxy-old-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const server = new EmbeddedServer({ protocol: "Z4" });
  await server.start();
  onTestFinished(() => server.close());
  const gateway: Gateway = await openGateway(via, server.port, LOOPBACK, "off");
  onTestFinished(() => gateway.stop());
  const writer = await EmbeddedClient.connect({ port: gateway.port, protocol: "Z4" });
  onTestFinished(() => writer.close());
  const commit = new ClientCommit(writer);
  const python = startPython(installed, [join(PYTHON_SCRIPTS, "old_answer.py"), String(gateway.port)], { cwd: folder });
  onTestFinished(() => python.stop());
  const lines = createInterface({ input: python.child.stdout })[Symbol.asyncIterator]();
  const said = async (): Promise<unknown> => (await lines.next()).value ?? python.errors();
  const reads = (oid: string): Promise<unknown> => {
    python.child.stdin.write(`${oid}\n`);
    return said();
  };
  await commit.commit({ create: [OTHER] });
  expect(await said()).toBe("up");
  return { commit, gateway, reads, server };
}

const loads = ({ method, kind }: { method: string; kind: string }): boolean =>
  method === "loadBefore" && (kind === "reply" || kind === "exception");

describe.each(["zeo521-py37", "zeo530-py39"])("%s on the Z4 server", (name) => {
  // Without the proxy it is stale.
  test.each(["relay", "proxy"] as const)(
    "behind a %s, what it keeps of an answer that crosses a commit",
    async (via) => {
      const result = await install(peerNamed(name));
      if (result.type === "missing") throw new Error(result.why);
      const { commit, reads, server } = await scene(result.installed, via);
      await commit.commit({ create: [OID] });
      const answer = server.gate.outgoing(loads);
      const first = reads(OID);
      await answer.caught();
      await commit.commit({ modify: [OID] });
      answer.open();
      await first;
      expect(await reads(OID)).toBe(data(via === "proxy" ? 3 : 2));
    },
  );

  test("it is asked once more for an object that was created meanwhile", async (context) => {
    const result = await install(peerNamed(name));
    if (result.type === "missing") return context.skip(`${name}: ${result.why}`);
    const { commit, gateway, reads, server } = await scene(result.installed, "proxy");
    const answer = server.gate.outgoing(loads);
    const first = reads(OID);
    await answer.caught();
    await commit.commit({ create: [OID] });
    answer.open();
    expect(await first).toBe(data(2));
    expect(gateway.ended).toEqual([]);
  });
});
