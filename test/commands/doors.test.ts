import { once } from "node:events";
import { chmodSync, lstatSync, mkdtempSync, rmSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { EmbeddedServer } from "../../src/embedded/server.ts";
import { portOf, Visitor } from "../admin/visitor.ts";
import { copies } from "../net/certificates.ts";
import { zeoProxy, type CommandProcess } from "./command.ts";
import { atEnd, configFile, leave, stopped } from "./stage.ts";

// Who comes in, and by which of its addresses.

afterEach(leave);

/** The configuration of one upstream before a server; `options`: beside `server`, in YAML's flow style. */
async function configured(options: string, more = ""): Promise<string> {
  const server = new EmbeddedServer({ protocol: "Z5" });
  await server.start();
  atEnd(() => server.close());
  const upstream = `{ name: main, server: 127.0.0.1:${server.port}, ${options} }`;
  return configFile(`upstreams: [${upstream}]\nlimits: { clients: 100 }\n${more}\n`);
}

/** `nodeOptions`: of its process. */
async function running(
  file: string,
  nodeOptions = "",
): Promise<{ readonly command: CommandProcess; readonly address: string }> {
  const env = { NODE_OPTIONS: `${process.env["NODE_OPTIONS"] ?? ""} ${nodeOptions}`.trim() };
  const command = zeoProxy(["run", "--config", file], env);
  const { address } = await command.line(({ msg }) => msg === "listening", "listening");
  return { command, address: String(address) };
}

/** Connects, and waits for the greeting; `nothing` where it is closed before. */
async function greeting(to: { host: string; port: number } | { path: string }): Promise<[said: string, Socket]> {
  const socket = connect(to).on("error", () => undefined);
  atEnd(() => socket.destroy());
  const said = await Promise.race([
    once(socket, "data").then(([data]) => (data as Buffer).toString("latin1")),
    once(socket, "close").then(() => "nothing"),
  ]);
  return [said, socket];
}

const GREETED = "\0\0\0\x02Z5";

describe("clients", () => {
  it("are so many at most, and who leaves makes room", async () => {
    const { address, command } = await running(await configured("listen: 127.0.0.1:0, clients: 2"));
    const to = { host: "127.0.0.1", port: portOf(address) };
    const [first, one] = await greeting(to);
    const [second] = await greeting(to);
    const [third] = await greeting(to);
    expect([first, second, third]).toEqual([GREETED, GREETED, "nothing"]);
    const refused = await command.line(({ reason }) => reason === "upstream-full", "who is too many");
    expect(refused).toMatchObject({ level: "warn", upstream: "main" });
    one.destroy();
    // Its end comes over another connection than the next one: that may be before it.
    for (;;) {
      // oxlint-disable-next-line no-await-in-loop -- one by one
      const [said] = await greeting(to);
      if (said === GREETED) break;
    }
    await stopped(command);
  });
});

describe("tls.key", () => {
  it.each([[["check"]], [["run", "--config"]]])("that everybody can read is refused by %j", async (words) => {
    const files = copies();
    atEnd(() => files.remove());
    const [certificate, key] = [files.of("proxy.pem"), files.of("proxy.key")];
    chmodSync(key, 0o604);
    const file = await configured(`listen: 127.0.0.1:0, tls: { certificate: ${certificate}, key: ${key} }`);
    const { status, stdout, stderr } = await zeoProxy([...words, file]).ended();
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(stderr).toMatch(
      /upstreams\[0\]\.tls\.key: expected a key that not everybody can read, got mode 0604: chmod o= /,
    );
  });
});

describe("a socket", () => {
  // Only root may give one away.
  it.skipIf(process.getuid?.() !== 0)("has the owner, the group and the mode that it is to have", async () => {
    const folder = mkdtempSync(join(tmpdir(), "zeo-proxy-doors-"));
    atEnd(() => rmSync(folder, { recursive: true }));
    const path = join(folder, "proxy.sock");
    const socket = 'socket: { mode: "0620", owner: 65533, group: 65532 }';
    const { command } = await running(await configured(`listen: ${path}, ${socket}`));
    const { mode, uid, gid } = lstatSync(path);
    expect({ mode: mode & 0o777, uid, gid }).toEqual({ mode: 0o620, uid: 65_533, gid: 65_532 });
    expect((await greeting({ path }))[0]).toBe(GREETED);
    await stopped(command);
  });
});

/** Has this machine IPv6 on its loopback? */
async function hasIpv6(): Promise<boolean> {
  const probe = createServer().listen({ host: "::1", port: 0 });
  return await Promise.race([
    once(probe, "listening").then(() => true),
    once(probe, "error").then(() => false),
  ]).finally(() => probe.close());
}

const BOTH = `--import=${new URL("fixtures/both-families.mjs", import.meta.url).href}`;

describe.skipIf(!(await hasIpv6()))("localhost, of both families,", () => {
  it("is listened on at each of its addresses, by the upstream and by the admin server", async () => {
    const file = await configured("listen: localhost:0", 'admin: { listen: "localhost:0" }');
    const { command, address } = await running(file, BOTH);
    const { address: admin } = await command.line(({ msg }) => msg === "admin listening", "the admin address");
    expect([address, admin]).toEqual([expect.stringMatching(/^localhost:\d+$/), expect.stringMatching(/^localhost:/)]);
    for (const host of ["127.0.0.1", "::1"]) {
      // oxlint-disable-next-line no-await-in-loop -- one by one
      expect((await greeting({ host, port: portOf(address) }))[0]).toBe(GREETED);
      // oxlint-disable-next-line no-await-in-loop -- one by one
      const answer = await (await Visitor.to(`${host}:${portOf(String(admin))}`)).ask("/livez");
      expect(answer).toMatchObject({ status: 200 });
    }
    await stopped(command);
  });

  it("is dialled at the other one where nobody is at the first", async () => {
    const server = new EmbeddedServer({ protocol: "Z5" });
    await server.start();
    atEnd(() => server.close());
    const file = configFile(
      `upstreams: [{ name: main, listen: "[::1]:0", server: "localhost:${server.port}" }]\nlimits: { clients: 100 }\n`,
    );
    const { command, address } = await running(file, BOTH);
    expect((await greeting({ host: "::1", port: portOf(address) }))[0]).toBe(GREETED);
    await stopped(command);
  });
});
