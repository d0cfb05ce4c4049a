import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { Socket } from "node:net";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, it, test } from "vitest";
import { EmbeddedServer } from "../../src/embedded/server.ts";
import { freePort } from "../net/free-port.ts";
import type { Line } from "./command.ts";
import { CommandProcess, killRest, zeoProxy } from "./command.ts";

const folder = mkdtempSync(join(tmpdir(), "zeo-proxy-run-"));
afterAll(() => rmSync(folder, { recursive: true }));

const closing: (() => unknown)[] = [];
afterEach(async () => {
  killRest();
  await Promise.all(closing.splice(0).map((close) => close()));
});

async function zeoServer(port = 0): Promise<EmbeddedServer> {
  const server = new EmbeddedServer({ port });
  await server.start();
  closing.push(() => server.close());
  return server;
}

function run(args: readonly string[]): CommandProcess {
  return zeoProxy(["run", ...args]);
}

const isListening = ({ msg }: Line) => msg === "listening";

/** A client that has read the server's greeting; its end is awaited in `ended`. */
async function greeted(address: unknown): Promise<{ socket: Socket; greeting: string; ended: Promise<unknown> }> {
  const [host, port] = String(address).split(":");
  const socket = connect(Number(port), host);
  closing.push(() => socket.destroy());
  socket.on("error", () => undefined);
  const ended = once(socket, "close");
  const [first] = (await once(socket, "data")) as [Buffer];
  return { socket, greeting: first.subarray(4).toString("latin1"), ended };
}

describe("a start", () => {
  it("logs the port that was chosen for port 0, and passes clients to the server", async () => {
    const server = await zeoServer();
    const command = run(["--listen", "127.0.0.1:0", "--server", `127.0.0.1:${server.port}`]);
    const line = await command.line(isListening, "listening");
    expect(line).toMatchObject({ level: "info", upstream: `127.0.0.1:${server.port}` });
    expect(line["address"]).toMatch(/^127\.0\.0\.1:[1-9]\d*$/);
    expect((await greeted(line["address"])).greeting).toBe("Z5");
  });

  it("opens every upstream of a file, with its name", async () => {
    const server = await zeoServer();
    const path = join(folder, "two.yaml");
    const upstream = (name: string, listen: string) =>
      `  - { name: ${name}, listen: "${listen}", server: 127.0.0.1:${server.port} }\n`;
    writeFileSync(
      path,
      `upstreams:\n${upstream("one", "127.0.0.1:0")}${upstream("two", "[::1]:0")}log: { level: debug }\n`,
    );
    const command = run(["--config", path]);
    const two = await command.line((line) => isListening(line) && line["upstream"] === "two", "the second");
    expect(two["address"]).toMatch(/^\[::1\]:[1-9]\d*$/);
    const one = await command.line((line) => isListening(line) && line["upstream"] === "one", "the first");
    await greeted(one["address"]);
    await command.line(({ level, msg }) => level === "debug" && msg === "client connected", "the connection at debug");
  });

  it("takes the log's options from the command line rather than from the file", async () => {
    const server = await zeoServer();
    const path = join(folder, "log.yaml");
    writeFileSync(
      path,
      `upstreams: [{ listen: 127.0.0.1:0, server: 127.0.0.1:${server.port} }]\nlog: { level: silent, format: json }\n`,
    );
    const command = run(["--config", path, "--log-level", "info", "--log-format", "pretty"]);
    await command.until(() => (/INFO: listening/.test(command.stdout) ? true : undefined), "a readable line");
  });

  it("is readable on a terminal where the format is auto", async () => {
    const server = await zeoServer();
    const inner = `${process.execPath} bin/zeo-proxy run --listen 127.0.0.1:0 --server 127.0.0.1:${server.port}`;
    const command = new CommandProcess("script", ["--quiet", "--return", "--command", `exec ${inner}`, "/dev/null"]);
    await command.until(
      () => (/\u001b\[32mINFO\u001b\[39m: .*listening/.test(command.stdout) ? true : undefined),
      "colours",
    );
    command.signal("SIGTERM");
    await command.ended();
  });

  it("at a port in use is one line and status 1", async () => {
    const server = await zeoServer();
    const other = await zeoServer();
    const { status, stdout, stderr } = await run([
      "--listen",
      `127.0.0.1:${other.port}`,
      "--server",
      `127.0.0.1:${server.port}`,
    ]).ended();
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(stderr).toBe(
      `zeo-proxy: upstream 127.0.0.1:${server.port}: can't listen on 127.0.0.1:${other.port}: the address is in use\n`,
    );
  });

  it("with a port in use opens no other one", async () => {
    const server = await zeoServer();
    const free = await freePort();
    const path = join(folder, "in-use.yaml");
    const upstream = (name: string, port: number) =>
      `  - { name: ${name}, listen: 127.0.0.1:${port}, server: 127.0.0.1:${server.port} }\n`;
    writeFileSync(path, `upstreams:\n${upstream("free", free)}${upstream("taken", (await zeoServer()).port)}`);
    const { status, stdout, stderr } = await run(["--config", path]).ended();
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(stderr).toMatch(/^zeo-proxy: upstream taken: can't listen on [^\n]*\n$/);
  });

  test.each([
    [
      "--server",
      ["--listen", "127.0.0.1:0", "--server", "no-such-host.invalid:8100"],
      /^(?:the server is down|this machine)/,
    ],
    [
      "--listen",
      ["--listen", "no-such-host.invalid:0", "--server", "127.0.0.1:8100"],
      /^the listening address can't be had/,
    ],
  ])("with a name of %s that can't be resolved waits for it, and says so", async (_, args, expected) => {
    const command = run(args);
    const { reason } = await command.line(({ msg }) => expected.test(String(msg)), "that it waits");
    expect(reason).toMatch(/^(?:ENOTFOUND|EAI_AGAIN)$/);
    command.signal("SIGTERM");
    expect((await command.ended()).status).toBe(0);
  });

  it("with a server that is down is no error: it listens, at the same port, when the server answers", async () => {
    const [listen, port] = [await freePort(), await freePort()];
    const command = run(["--listen", `127.0.0.1:${listen}`, "--server", `127.0.0.1:${port}`]);
    await command.line(({ msg }) => String(msg).startsWith("the server is down"), "the outage");
    const refused = connect(listen, "127.0.0.1");
    const [error] = (await once(refused, "error")) as [NodeJS.ErrnoException];
    expect(error.code).toBe("ECONNREFUSED");
    await zeoServer(port);
    const line = await command.line(isListening, "listening");
    expect(line["address"]).toBe(`127.0.0.1:${listen}`);
    expect((await greeted(line["address"])).greeting).toBe("Z5");
    expect(command.lines.filter(({ msg }) => String(msg).startsWith("the server is down"))).toHaveLength(1);
  });
});

describe("an outage", () => {
  it("is one line, and one when it is over; port 0 keeps its port", async () => {
    const first = await zeoServer();
    const { port } = first;
    const command = run(["--listen", "127.0.0.1:0", "--server", `127.0.0.1:${port}`]);
    const { address } = await command.line(isListening, "listening");
    const client = await greeted(address);
    await first.close();
    await client.ended;
    // The one that comes next finds out, and waits for the server.
    const next = greeted(address);
    await command.line(({ msg }) => String(msg).startsWith("the server is down"), "the outage");
    await zeoServer(port);
    await command.line(({ msg }) => msg === "the server is back", "its end");
    expect((await next).greeting).toBe("Z5");
    await command.until(() => (command.lines.filter(isListening).length === 2 ? true : undefined), "listening again");
    expect(command.lines.filter(isListening).map((line) => line["address"])).toEqual([address, address]);
    expect((await greeted(address)).greeting).toBe("Z5");
    expect(command.lines.filter(({ msg }) => String(msg).startsWith("the server is down"))).toHaveLength(1);
  });
});

describe("a signal", () => {
  test.each(["SIGTERM", "SIGINT"] as const)("%s without clients ends with status 0", async (signal) => {
    const server = await zeoServer();
    const command = run(["--listen", "127.0.0.1:0", "--server", `127.0.0.1:${server.port}`]);
    const { address } = await command.line(isListening, "listening");
    command.signal(signal);
    const { status, stderr } = await command.ended();
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(command.lines.slice(-2).map(({ msg }) => msg)).toEqual(["stopping", "stopped"]);
    const [host, port] = String(address).split(":");
    const [error] = (await once(connect(Number(port), host), "error")) as [NodeJS.ErrnoException];
    expect(error.code).toBe("ECONNREFUSED");
  });

  it("with clients closes them and ends with status 0, well before the drain's end", async () => {
    const server = await zeoServer();
    const command = run(["--listen", "127.0.0.1:0", "--server", `127.0.0.1:${server.port}`]);
    const { address } = await command.line(isListening, "listening");
    const silent = await greeted(address);
    const answering = await greeted(address);
    answering.socket.write(Buffer.concat([Buffer.from([0, 0, 0, 2]), Buffer.from("Z5")]));
    const before = Date.now();
    command.signal("SIGTERM");
    await Promise.all([silent.ended, answering.ended]);
    expect((await command.ended()).status).toBe(0);
    expect(Date.now() - before).toBeLessThan(5000);
  });

  it("while the server is down ends with status 0", async () => {
    const command = run(["--listen", "127.0.0.1:0", "--server", `127.0.0.1:${await freePort()}`]);
    await command.line(({ msg }) => String(msg).startsWith("the server is down"), "the outage");
    command.signal("SIGTERM");
    expect((await command.ended()).status).toBe(0);
  });
});
