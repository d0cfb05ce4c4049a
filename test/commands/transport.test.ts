import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as connectTls, createServer as createTlsServer } from "node:tls";
import { afterEach, describe, expect, it } from "vitest";
import { ClientCommit } from "../../src/embedded/client-commit.ts";
import { EmbeddedClient } from "../../src/embedded/client.ts";
import { EmbeddedServer } from "../../src/embedded/server.ts";
import { portOf, Visitor } from "../admin/visitor.ts";
import { copies, fixture } from "../net/certificates.ts";
import { expectGood } from "./checked.ts";
import { zeoProxy, type CommandProcess } from "./command.ts";
import { atEnd, configFile, leave, stopped } from "./stage.ts";

afterEach(leave);

const OID = "0000000000000001";
const OTHER = "0000000000000002";
const text = (name: string): Buffer => readFileSync(fixture(name));
const pairOf = (name: string) => ({ cert: text(`${name}.pem`), key: text(`${name}.key`) });

type Way = "plain" | "tls" | "unix";

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), "zeo-proxy-ways-"));
  atEnd(() => rmSync(made, { recursive: true }));
  return made;
}

/** An embedded server, and what stands before it to be reached that way: its address as the configuration has it. */
async function serverBy(way: Way): Promise<string> {
  const server = new EmbeddedServer({ protocol: "Z5" });
  await server.start();
  atEnd(() => server.close());
  if (way === "plain") return `127.0.0.1:${server.port}`;
  const pass = (socket: Socket): void => {
    const beyond = connect(server.port, "127.0.0.1");
    for (const one of [socket, beyond]) one.on("error", () => undefined);
    socket.pipe(beyond).pipe(socket);
    atEnd(() => [socket, beyond].forEach((one) => one.destroy()));
  };
  const before =
    way === "unix"
      ? createServer(pass)
      : createTlsServer({ ...pairOf("zeo"), ca: text("ca.pem"), requestCert: true, rejectUnauthorized: true }, pass);
  const path = join(folder(), "zeo.sock");
  before.listen(way === "unix" ? { path } : { port: 0, host: "127.0.0.1" });
  await once(before, "listening");
  atEnd(() => void before.close());
  return way === "unix" ? path : `127.0.0.1:${(before.address() as { port: number }).port}`;
}

/** The command with one upstream; what stands in its map beside `server`, in YAML's flow style. */
async function command(server: string, upstream: string): Promise<{ command: CommandProcess; address: string }> {
  const file = configFile(
    `upstreams: [{ name: main, server: "${server}", ${upstream} }]\nlimits: { clients: 3000 }\nlog: { level: debug }\n`,
  );
  expectGood(await zeoProxy(["check", file]).ended());
  const started = zeoProxy(["run", "--config", file]);
  const { address } = await started.line(({ msg }) => msg === "listening", "listening");
  return { command: started, address: String(address) };
}

async function client(address: string, way: Way): Promise<EmbeddedClient> {
  const port = Number(address.slice(address.lastIndexOf(":") + 1));
  const dial = {
    plain: undefined,
    unix: () => ({ socket: connect(address), ready: "connect" }) as const,
    tls: () => {
      const identity = { ...pairOf("client"), ca: text("ca.pem"), servername: "proxy.example" };
      return { socket: connectTls({ port, host: "127.0.0.1", ...identity }), ready: "secureConnect" } as const;
    },
  }[way];
  const joined = await EmbeddedClient.connect({ port, ...(dial !== undefined && { dial }) });
  atEnd(() => joined.close());
  return joined;
}

describe("the command", () => {
  it.each([
    ["tls", "plain"],
    ["plain", "tls"],
    ["tls", "tls"],
    ["unix", "unix"],
  ] as const)("with clients by %s and its server by %s repairs", async (clients, server) => {
    const files = copies();
    atEnd(() => files.remove());
    const [ca, key, certificate] = ["ca.pem", "proxy.key", "proxy.pem"].map((name) => files.of(name));
    const shown = { certificate: files.of("client.pem"), key: files.of("client.key") };
    const path = join(folder(), "proxy.sock");
    const here = await command(
      await serverBy(server),
      [
        `listen: "${clients === "unix" ? path : "127.0.0.1:0"}"`,
        ...(clients === "unix" ? ['socket: { mode: "0600" }'] : []),
        ...(clients === "tls"
          ? [`tls: { certificate: ${certificate}, key: ${key}, ca: ${ca}, clients: required }`]
          : []),
        ...(server === "tls"
          ? [`server-tls: { ca: ${ca}, certificate: ${shown.certificate}, key: ${shown.key}, name: zeo.example }`]
          : []),
      ].join(", "),
    );
    if (clients === "unix") expect(statSync(path).mode & 0o777).toBe(0o600);
    const watcher = await client(here.address, clients);
    const writer = new ClientCommit(await client(here.address, clients));
    await writer.commit({ create: [OID] });
    const tid = await writer.commit({ modify: [OID], create: [OTHER] });
    expect((await watcher.invalidation(tid)).oids).toEqual([OID, OTHER]);
    const lines = await stopped(here.command);
    expect(lines.filter(({ level }) => level === "error" || level === "warn")).toEqual([]);
    expect(lines.filter(({ msg }) => msg === "invalidation repaired")).toHaveLength(2);
    if (clients === "unix") expect(() => statSync(path)).toThrow("ENOENT");
  });

  it("serves who goes on with TLS, while very many do not", { timeout: 60_000 }, async () => {
    const files = copies();
    atEnd(() => files.remove());
    const [key, certificate] = [files.of("proxy.key"), files.of("proxy.pem")];
    const here = await command(
      await serverBy("plain"),
      `listen: 127.0.0.1:0, tls: { certificate: ${certificate}, key: ${key} }`,
    );
    const port = Number(here.address.split(":")[1]);
    // At most 1,000 are waited for.
    let closed = 0;
    let many: () => void = () => undefined;
    const givenUp = new Promise<void>((resolve) => (many = resolve));
    const idle = Array.from({ length: 1_500 }, (_, n) => {
      const socket = connect(port, "127.0.0.1").on("error", () => undefined);
      socket.on("close", () => ++closed === 500 && many());
      if (n % 2 === 0) socket.write(Buffer.from("16030102000100", "hex"));
      atEnd(() => socket.destroy());
      return once(socket.resume(), "connect");
    });
    await Promise.all(idle);
    const one = await client(here.address, "tls");
    await new ClientCommit(one).commit({ create: [OID] });
    await givenUp;
    const told = here.command.lines.filter(({ msg }) => msg === "TLS with a client failed");
    expect(told).toMatchObject([{ level: "warn", reason: "too-many-handshakes", since: 1 }]);
  });

  it("names the client that a PROXY header names, and lets in who may come", async () => {
    const server = await serverBy("plain");
    const { address, command: process_ } = await command(
      server,
      "listen: 127.0.0.1:0, accept-proxy: [127.0.0.1], allow: [192.0.2.0/24], deny: [192.0.2.66]",
    );
    const port = Number(address.split(":")[1]);
    const said = (header: string): Socket => {
      const socket = connect(port, "127.0.0.1").on("error", () => undefined);
      atEnd(() => socket.destroy());
      socket.write(header, "latin1");
      return socket;
    };
    const [greeting] = (await once(said("PROXY TCP4 192.0.2.7 192.0.2.1 5 9100\r\n"), "data")) as [Buffer];
    expect(greeting.toString("latin1")).toBe("\0\0\0\x02Z5");
    const connected = await process_.line(({ msg }) => msg === "client connected", "the client");
    expect(connected["client"]).toBe("192.0.2.7:5");
    for (const [header, reason] of [
      ["PROXY TCP4 192.0.2.66 192.0.2.1 5 9100\r\n", "denied"],
      ["PROXY TCP4 1.2.3.4\u001b[31m 192.0.2.1 5 9100\r\n", "bad-proxy-header"],
      ['{"level":"fatal"}\n', "no-proxy-header"],
    ] as const) {
      const socket = said(header).resume();
      // oxlint-disable-next-line no-await-in-loop -- one by one
      await once(socket, "close");
      // oxlint-disable-next-line no-await-in-loop -- one by one
      await process_.line((line) => line["reason"] === reason, reason);
    }
    const lines = await stopped(process_);
    expect(process_.stdout).not.toContain("\\u001b");
    expect(lines.filter(({ level }) => level === "fatal")).toEqual([]);
  });

  it("keeps those of one address to their share, whom a binary PROXY header names", async () => {
    const upstream = "listen: 127.0.0.1:0, accept-proxy: true, clients-per-address: 2";
    const { address, command: process_ } = await command(await serverBy("plain"), upstream);
    /** Version 2, TCP over IPv4. */
    const said = async (host: string): Promise<string> => {
      const socket = connect(portOf(address), "127.0.0.1").on("error", () => undefined);
      atEnd(() => socket.destroy());
      socket.write(Buffer.from(`0d0a0d0a000d0a515549540a2111000c${host}c00002010005238c`, "hex"));
      return await Promise.race([
        once(socket, "data").then(([data]) => (data as Buffer).toString("latin1")),
        once(socket, "end").then(() => "nothing"),
      ]);
    };
    const [one, other] = ["c0000207", "c0000208"];
    expect([await said(one), await said(one), await said(one)]).toEqual(["\0\0\0\x02Z5", "\0\0\0\x02Z5", "nothing"]);
    expect(await said(other)).toBe("\0\0\0\x02Z5");
    const refused = await process_.line(({ reason }) => reason === "address-full", "who is too many");
    expect(refused["client"]).toBe("192.0.2.7:5");
  });

  it("takes over the sockets that a killed one has left", async () => {
    const [path, admin] = [join(folder(), "proxy.sock"), join(folder(), "admin.sock")];
    const server = await serverBy("plain");
    const upstream = `{ name: main, listen: ${path}, server: "${server}" }`;
    const file = configFile(`upstreams: [${upstream}]\nlimits: { clients: 100 }\nadmin: { listen: ${admin} }\n`);
    const start = async (): Promise<CommandProcess> => {
      const started = zeoProxy(["run", "--config", file]);
      await started.line(({ msg }) => msg === "listening", "listening");
      return started;
    };
    const first = await start();
    first.signal("SIGKILL");
    await first.ended();
    for (const left of [path, admin]) expect(statSync(left).isSocket()).toBe(true);
    const second = await start();
    await new ClientCommit(await client(path, "unix")).commit({ create: [OID] });
    expect(await (await Visitor.to(admin)).ask("/livez")).toMatchObject({ status: 200 });
    await stopped(second);
    for (const left of [path, admin]) expect(() => statSync(left)).toThrow("ENOENT");
  });

  it("writes one line for all the storages that there are not, whatever they are called", async () => {
    const { address, command: process_ } = await command(await serverBy("plain"), "listen: 127.0.0.1:0");
    const port = Number(address.split(":")[1]);
    for (const name of ['x\n{"level":"fatal"}', "\u001b[2J", "y".repeat(300), "\u2028z"]) {
      // oxlint-disable-next-line no-await-in-loop -- one by one
      await expect(EmbeddedClient.connect({ port, storage: name })).rejects.toThrow("ValueError");
    }
    const lines = await stopped(process_);
    expect(lines.filter(({ reason }) => reason === "no-storage")).toHaveLength(1);
    expect(lines.filter(({ level }) => level === "fatal")).toEqual([]);
    expect(process_.stdout).not.toMatch(/\\u001b|\u001b|\u2028/);
  });
});

it("a folder that is not there is said to be missing", async () => {
  const path = join(folder(), "none", "proxy.sock");
  const { status, stderr } = await zeoProxy(["run", "--listen", path, "--server", "127.0.0.1:1"]).ended();
  expect(stderr).toContain(`can't listen on ${path}: its folder is not there\n`);
  expect(status).toBe(1);
});

describe("init", () => {
  it.each(["tls", "unix"] as const)("writes what leads to a server by %s", async (way) => {
    const files = copies();
    atEnd(() => files.remove());
    const server = await serverBy(way);
    const file = join(folder(), "zeo-proxy.yaml");
    const args = ["init", "--server", server, "--listen", "127.0.0.1:9100", "--output", file];
    if (way === "tls") {
      const without = await zeoProxy(args).ended();
      expect(without).toMatchObject({ status: 1, stdout: "" });
      expect(without.stderr).toContain("it speaks TLS");
      args.push("--tls-ca", files.of("ca.pem"), "--tls-name", "zeo.example");
      args.push("--tls-certificate", files.of("client.pem"), "--tls-key", files.of("client.key"));
    }
    expect(await zeoProxy(args).ended()).toMatchObject({ status: 0, stderr: "" });
    // With a port that is certainly free.
    writeFileSync(file, readFileSync(file, "utf8").replace("127.0.0.1:9100", "127.0.0.1:0"));
    expectGood(await zeoProxy(["check", file]).ended());
    const started = zeoProxy(["run", "--config", file]);
    const { address } = await started.line(({ msg }) => msg === "listening", "listening");
    await new ClientCommit(await client(String(address), "plain")).commit({ create: [OID] });
  });
});
