/** A standby that has what the primary had takes its place: clients go on with their caches, and miss nothing. */

import { describe, expect, onTestFinished, test } from "vitest";
import { freePort } from "../../net/free-port.ts";
import { createProxy } from "../../../src/index.ts";
import { PeerProcess } from "../client.ts";
import { install } from "../install.ts";
import { peerNamed } from "../peers.ts";
import { startServer } from "../server.ts";
import { LOOPBACK } from "../sockets.ts";

/** Only a hang takes so long. */
const HANG_MS = 60_000;

describe.each(["zeo4-py36", "zeo521-py37"])("before %s", (name) => {
  test("a standby takes the primary's place", async (context) => {
    const result = await install(peerNamed(name));
    if (result.type === "missing") return context.skip(`${name}: ${result.why}`);
    const { installed } = result;
    const primary = await startServer(installed);
    onTestFinished(() => primary.stop());
    const standbyPort = await freePort();
    const servers = [primary.port, standbyPort].map((port) => `${LOOPBACK}:${port}`);
    const proxy = createProxy({ upstreams: [{ listen: `${LOOPBACK}:0`, servers }], limits: { failover: "500ms" } });
    const ended: string[] = [];
    proxy.on("ended", ({ code }) => ended.push(code));
    await proxy.start();
    onTestFinished(() => proxy.stop());
    const { listen = "" } = proxy.stats().upstreams[0] ?? {};
    const port = Number(listen.slice(listen.lastIndexOf(":") + 1));

    const [active, idle] = [
      await PeerProcess.start(installed, primary.dir),
      await PeerProcess.start(installed, primary.dir),
    ];
    onTestFinished(() => active.stop());
    onTestFinished(() => idle.stop());
    const writer = await active.open(port, { db: true });
    const observer = await idle.open(port, { db: true, cache: "observer" });
    const first = await writer.commit({ create: 5 });
    expect(await observer.waitTold(first.tid, HANG_MS)).toBe(true);
    for (const oid of first.created) await observer.load(oid);

    await primary.kill();
    const standby = await startServer(installed, { port: standbyPort, copyOf: primary.dir });
    onTestFinished(() => standby.stop());
    // Before or behind the proxy's coming: the observer is told of it, or it is named when it comes.
    const direct = await active.open(standbyPort, { db: true });
    const beside = await direct.commit({ modify: first.created.slice(0, 2), create: 1 });
    await direct.close();
    await expect
      .poll(() => proxy.stats().upstreams[0], { timeout: HANG_MS })
      .toMatchObject({
        server: `${LOOPBACK}:${standbyPort}`,
        state: "listening",
      });

    const later = await active.open(port, { db: true });
    const second = await later.commit({ modify: first.created.slice(2), create: 2 });
    expect(await observer.waitTold(second.tid, HANG_MS)).toBe(true);
    const events = await observer.told();
    // It comes back with all that it had, and is answered.
    expect(events).toContainEqual(["verify", 2, first.tid, 6]);
    expect(events.map(([what]) => what)).not.toContain("stale cache");
    const named = (tid: string): Set<string> =>
      new Set(
        events.flatMap((one) => {
          if (one[0] === "invalidation" && one[2] === tid) return one[3];
          return one[0] === "resumed" && one[2] >= tid ? one[3] : [];
        }),
      );
    const truth = new Map((await standby.truth("1")).map(({ tid, oids }) => [tid, oids]));
    for (const { tid } of [first, beside, second])
      expect([...named(tid)]).toEqual(expect.arrayContaining([...(truth.get(tid) ?? ["none"])]));
    expect(ended).toEqual([]);
    expect(proxy.stats()).toMatchObject({ guard: 0, tooOld: 0 });
  });
});
