/** ZEO's own `ssl`, and Unix sockets, on either side of the command: what the server leaves out is told all the same. */

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import type { ConfigInput, Status } from "../../../src/index.ts";
import { zeoProxy } from "../../commands/command.ts";
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
    const file = join(folder, "zeo-proxy.yaml");
    // JSON is YAML.
    await writeFile(
      file,
      JSON.stringify({ upstreams: [upstream], limits: { clients: 100 }, admin: { listen: `${LOOPBACK}:0` } }),
    );
    const proxy = zeoProxy(["run", "--config", file]);
    onTestFinished(() => void proxy.child.kill("SIGKILL"));
    const { address } = await proxy.line(({ msg }) => msg === "listening", "its address");
    const { address: admin } = await proxy.line(({ msg }) => msg === "admin listening", "its admin address");
    const listen = String(address);

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
    const answer = await fetch(`http://${String(admin)}/status.json`);
    const status = (await answer.json()) as Status;
    expect(status.storages).toMatchObject([{ storage: "1", witness: "up", foreign: 2, foreignRead: 2 }]);
    expect(status.proxy.guard).toBe(0);
    expect(status.upstreams).toMatchObject([{ unrepaired: {}, ended: {}, clients: { count: 2 } }]);
    if (installed.peer.announces === "without-created") {
      expect(proxy.lines.filter(({ repair }) => repair === "completed").length).toBeGreaterThan(0);
    }
    for (const client of [writer, observer, direct]) await client.close();
    proxy.signal("SIGTERM");
    expect(await proxy.ended()).toMatchObject({ status: 0, stderr: "" });
    expect(proxy.lines.filter(({ level }) => level !== "info")).toEqual([]);
  });
});
