/** The tools at real servers: what `watch` shows is what another process reads from the server's file. */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../../src/net/system-clock.ts";
import { probe, type Probe } from "../../../src/tools/probe/probe.ts";
import { TargetTransport } from "../../../src/tools/target-transport.ts";
import type { Target } from "../../../src/tools/target.ts";
import { compare } from "../../../src/tools/watch/compare.ts";
import { parseFilter, type Filter } from "../../../src/tools/watch/filter.ts";
import { Follower } from "../../../src/tools/watch/follower.ts";
import type { Transaction } from "../../../src/tools/watch/transaction.ts";
import { NO_TID, tidHex } from "../../../src/wire/ids.ts";
import { Heard } from "../../tools/patience.ts";
import { Written } from "../../tools/serve.ts";
import { PeerProcess } from "../client.ts";
import { openGateway } from "../gateway.ts";
import { install } from "../install.ts";
import { peerNamed } from "../peers.ts";
import { startServer, type PeerServer } from "../server.ts";
import { LOOPBACK } from "../sockets.ts";

const targetOf = ({ port }: { port: number }): Target => ({ kind: "tcp", address: { host: LOOPBACK, port } });

/** Name, what it announces, the encodings that it takes, is it patched. */
const SERVERS = [
  ["zeo4-py36", "Z4", ["pickle"], "no"],
  ["zeo521-py37", "Z5", ["pickle", "msgpack"], "no"],
  ["zeo62-py312", "Z5", ["pickle", "msgpack"], "yes"],
] as const;

/** Commits so many transactions: creations, changes, both. */
async function commitAll(process_: PeerProcess, port: number, count: number): Promise<void> {
  const client = await process_.open(port, { db: true });
  const made: string[] = [];
  for (let n = 0; n < count; n++) {
    const changed = n % 3 === 0 ? undefined : made[n % made.length];
    const modify = changed === undefined ? [] : [changed];
    const { created } = await client.commit({ create: n % 3 === 2 ? 0 : 2, modify });
    made.push(...created);
  }
  await client.close();
}

async function truthOf(server: PeerServer): Promise<unknown> {
  return (await server.truth("1")).map(({ tid, oids }) => [tid, [...new Set(oids)].sort()]);
}

describe.each(SERVERS)("the tools at %s", (name, announced, encodings, patched) => {
  test("show everything, and what the server leaves out", async (context) => {
    const result = await install(peerNamed(name));
    if (result.type === "missing") return context.skip(`${name}: ${result.why}`);
    const server = await startServer(result.installed);
    onTestFinished(() => server.stop());
    const folder = await mkdtemp(join(tmpdir(), "zeo-proxy-tools-"));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const python = await PeerProcess.start(result.installed, folder);
    onTestFinished(() => python.stop());
    await commitAll(python, server.port, 12);

    const seen = new Heard<Transaction>();
    const ups: string[] = [];
    const nothing = (): void => undefined;
    const follower = new Follower({
      transport: new TargetTransport(targetOf(server)),
      clock: systemClock,
      storage: "1",
      since: NO_TID,
      pollMs: 100,
      timeoutMs: 30_000,
      told: {
        phase: nothing,
        up: (_, { name: protocol }) => ups.push(protocol),
        transaction: (one) => seen.add(one),
        caughtUp: nothing,
        down: nothing,
        unable: nothing,
        unread: nothing,
        setBack: nothing,
      },
    });
    onTestFinished(() => follower.stop());
    await commitAll(python, server.port, 12);
    await server.restart();
    await commitAll(python, server.port, 6);
    const truth = (await truthOf(server)) as [string, string[]][];
    await seen.until(({ tid }) => tidHex(tid) === truth.at(-1)?.[0]);
    expect(seen.all.map(({ tid, oids }) => [tidHex(tid), [...oids].sort()])).toEqual(truth);
    expect(ups.length).toBeGreaterThanOrEqual(2);
    follower.stop();

    // Live, with the proxy beside it.
    const gateway = await openGateway("proxy", server.port, LOOPBACK);
    onTestFinished(() => gateway.stop());
    const output = new Written();
    const compared = compare(
      {
        proxy: targetOf(gateway),
        server: targetOf(server),
        storage: "1",
        filter: parseFilter([]) as Filter,
        oids: false,
        json: true,
        count: 6,
        wait: false,
        pollMs: 100,
        timeoutMs: 30_000,
      },
      output,
      new Promise(() => undefined),
    );
    await output.printed.until(() => output.values.filter(({ event }) => event === "up").length === 2);
    await commitAll(python, gateway.port, 6);
    expect(await compared).toBe("done");
    const { proxy, server: direct } = output.values.at(-1) as Record<"proxy" | "server", Record<string, number>>;
    expect(proxy).toMatchObject({ told: 6, named: proxy["followedObjects"] });
    if (patched === "yes") expect(direct["named"]).toBe(direct["followedObjects"]);
    else expect(direct["named"]).toBeLessThan(direct["followedObjects"] as number);

    // Without writing an unpatched one shows that it is; a patched one shows nothing.
    const look = (port: number, write: boolean): Promise<Probe> =>
      probe({ target: targetOf({ port }), storages: ["1", "none"], write, timeoutMs: 30_000 });
    const found = await look(server.port, false);
    expect(found).toMatchObject({
      look: { kind: "zeo", announced, tls: undefined },
      encodings,
      storages: [{ ok: true, patched: { patched: patched === "no" ? "no" : "unknown" } }, { ok: false }],
      problems: ['storage "none": the server does not have it'],
    });
    expect(await look(server.port, true)).toMatchObject({ storages: [{ patched: { patched } }, {}] });
    expect(await look(gateway.port, true)).toMatchObject({ storages: [{ patched: { patched: "yes" } }, {}] });
  });
});
