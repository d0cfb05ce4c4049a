/** ZEO's own `ssl`, and Unix sockets, on either side of the proxy: what the server leaves out is told all the same. */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { createProxy, type ConfigInput } from "../../../src/index.ts";
import { copies } from "../../net/certificates.ts";
import { PeerProcess, type OpenOptions, type PeerClient } from "../client.ts";
import { install } from "../install.ts";
import { peerNamed } from "../peers.ts";
import { startServer, type ServerOptions } from "../server.ts";
import { LOOPBACK } from "../sockets.ts";

/** ZEO 5.2.1 leaves created objects out; ZEO 6 does not, and its clients are served all the same. */
const SERVERS = ["zeo521-py37", "zeo62-py312"];

const WAYS = [
  ["tls", "plain"],
  ["plain", "tls"],
  ["tls", "tls"],
  ["unix", "unix"],
] as const;
type Way = (typeof WAYS)[number][number];

describe.each(SERVERS)("%s", (name) => {
  test.each(WAYS)("clients: %s, server: %s; all is repaired", async (clients, server) => {
    const result = await install(peerNamed(name));
    if (result.type === "missing") throw new Error(result.why);
    const { installed } = result;
    const folder = await mkdtemp(join(tmpdir(), "zeo-proxy-transport-"));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const files = copies();
    onTestFinished(() => files.remove());
    const ca = files.of("ca.pem");
    const pair = (of: string) => ({ certificate: files.of(`${of}.pem`), key: files.of(`${of}.key`) });

    const serverOptions: Readonly<Record<Way, ServerOptions>> = {
      plain: {},
      tls: { ssl: { ...pair("zeo"), authenticate: ca } },
      unix: { socket: "zeo.sock" },
    };
    const zeo = await startServer(installed, serverOptions[server]);
    onTestFinished(() => zeo.stop());
    const upstream: ConfigInput["upstreams"][number] = {
      listen: clients === "unix" ? join(folder, "proxy.sock") : `${LOOPBACK}:0`,
      server: server === "unix" ? join(zeo.dir, "zeo.sock") : `${LOOPBACK}:${zeo.port}`,
      ...(clients === "tls" && { tls: { ...pair("proxy"), ca, clients: "required" as const } }),
      ...(server === "tls" && { "server-tls": { ca, ...pair("client"), name: "zeo.example" } }),
    };
    const proxy = createProxy({ upstreams: [upstream] });
    const ended: string[] = [];
    proxy.on("ended", ({ code }) => ended.push(code));
    await proxy.start();
    onTestFinished(() => proxy.stop());
    const listen = proxy.stats().upstreams[0]?.listen ?? "";

    const peers = await PeerProcess.start(installed, folder);
    onTestFinished(() => peers.stop());
    /** A client of either side. */
    const open = (way: Way, port: number, path: string, host: string): Promise<PeerClient> => {
      const tls = { ca, ...pair("client"), name: host };
      const options: OpenOptions = way === "tls" ? { tls } : way === "unix" ? { path } : {};
      return peers.open(port, { db: true, ...options });
    };
    const port = Number(listen.slice(listen.lastIndexOf(":") + 1));
    const through = (): Promise<PeerClient> => open(clients, port, listen, "proxy.example");
    const writer = await through();
    const observer = await through();
    const direct = await open(server, zeo.port, join(zeo.dir, "zeo.sock"), "zeo.example");

    // Behind one that passes through here, and behind one that only the witness reads.
    for (const who of [writer, direct]) {
      const made = await who.commit({ create: 3 });
      const changed = await who.commit({ modify: made.created.slice(1), create: 2 });
      expect(await observer.waitTold(changed.tid, 8_000)).toBe(true);
      const told = new Map(
        (await observer.told()).flatMap((event) =>
          event[0] === "invalidation" ? [[event[2], event[3]] as const] : [],
        ),
      );
      const truth = new Map((await zeo.truth("1")).map(({ tid, oids }) => [tid, oids]));
      for (const { tid } of [made, changed]) expect([...(told.get(tid) ?? [])].sort()).toEqual(truth.get(tid));
    }
    const stats = proxy.stats();
    expect(stats.storages).toMatchObject([{ storage: "1", witness: "up", foreign: 2, read: 2 }]);
    expect(stats).toMatchObject({ guard: 0, upstreams: [{ unrepaired: {}, clients: 2 }] });
    if (installed.peer.announces === "without-created") expect(stats.completed).toBeGreaterThan(0);
    expect(ended).toEqual([]);
    for (const client of [writer, observer, direct]) await client.close();
  });
});
