/** A server whose storage is another server's (ZEO's own fan-out), with a proxy before each of them. */

import { expect, onTestFinished, test } from "vitest";
import { PeerProcess, type PeerClient } from "../client.ts";
import { openGateway } from "../gateway.ts";
import { install, type Installed } from "../install.ts";
import { judge } from "../judge.ts";
import { peerNamed } from "../peers.ts";
import { startServer, type ServerOptions } from "../server.ts";
import { TOLD_TIMEOUT_MS } from "../stage.ts";

async function serverAndProxy(installed: Installed, options: ServerOptions) {
  const server = await startServer(installed, options);
  onTestFinished(() => server.stop());
  const gateway = await openGateway("proxy", server.port);
  onTestFinished(() => gateway.stop());
  return { server, gateway };
}

test.each(["zeo521-py37", "zeo4-py36"])(
  "%s: who is behind the fan-out, and who is before it, is told of everything",
  async (name) => {
    const result = await install(peerNamed(name));
    if (result.type === "missing") {
      console.log(`${name} is skipped: ${result.why}`);
      return;
    }
    const { installed } = result;
    const base = await serverAndProxy(installed, {});
    const fanOut = await serverAndProxy(installed, { clientOf: base.gateway.port });
    const process = await PeerProcess.start(installed, base.server.dir);
    onTestFinished(() => process.stop());
    const open = (port: number): Promise<PeerClient> => process.open(port, { db: true });
    const before = [await open(base.gateway.port), await open(base.gateway.port)];
    const behind = [await open(fanOut.gateway.port), await open(fanOut.gateway.port)];
    const all = [...before, ...behind];
    for (let round = 0; round < 3; round++) {
      for (const writer of all) {
        const { created, tid } = await writer.commit({ create: 2 });
        const told = async (upTo: string): Promise<void> => {
          for (const client of all) {
            if (client === writer) continue;
            expect(await client.waitTold(upTo, TOLD_TIMEOUT_MS), `round ${round}, ${upTo}`).toBe(true);
          }
        };
        await told(tid);
        const changed = await writer.commit({ create: 1, modify: created });
        await told(changed.tid);
      }
    }
    const transactions = await base.server.truth("1");
    for (const [n, client] of all.entries()) {
      const verdict = judge(await client.told(), { transactions, empty: new Set() }, { toTheEnd: true });
      expect(verdict.problems, `client ${n}`).toEqual([]);
    }
    for (const { gateway } of [base, fanOut]) {
      expect(gateway.ended).toEqual([]);
      expect(gateway.stats()?.guard).toBe(0);
    }
  },
);
