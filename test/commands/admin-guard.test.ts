import { chmodSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { ClientCommit } from "../../src/embedded/client-commit.ts";
import { EmbeddedServer } from "../../src/embedded/server.ts";
import { portOf, Visitor } from "../admin/visitor.ts";
import { copies } from "../net/certificates.ts";
import type { CommandProcess } from "./command.ts";
import { atEnd, configFile, enter, leave } from "./stage.ts";

afterEach(leave);

const OID = "0000000000000001";
const OTHER = "0000000000000002";
const TOKEN = "0123456789abcdef0123456789abcdef";
const PLAIN = "admin: { listen: 127.0.0.1:0 }";

async function adminOf(command: CommandProcess): Promise<string> {
  const { address } = await command.line(({ msg }) => msg === "admin listening", "the admin address");
  return String(address);
}

describe("the command's admin address", () => {
  it("answers to its own names, and to who reads only", async () => {
    const { command } = await enter(new EmbeddedServer(), PLAIN);
    const address = await adminOf(command);
    const ask = async (path: string, host: string, method = "GET") =>
      (await (await Visitor.to(address)).ask(path, { Host: host }, method)).status;
    for (const path of ["/", "/metrics", "/status.json", "/events", "/nothing"]) {
      // oxlint-disable-next-line no-await-in-loop -- one by one
      expect(await ask(path, "evil.example")).toBe(421);
      // oxlint-disable-next-line no-await-in-loop -- one by one
      expect(await ask(path, "localhost", "POST")).toBe(405);
    }
    expect(await ask("/metrics", "localhost")).toBe(200);
    expect(await ask("/metrics", "localhost", "HEAD")).toBe(200);
    const garbage = await Visitor.to(address);
    garbage.say("\u0000\u001b[2J{}\r\n\r\n");
    expect(await garbage.closed).toMatch(/^HTTP\/1\.1 400 /);
    expect(command.lines.filter(({ level }) => level !== "info")).toEqual([]);
  });

  it("lives while its server is down, and is not ready, for a reason", async () => {
    const server = new EmbeddedServer();
    const { command, join } = await enter(server, PLAIN);
    const address = await adminOf(command);
    const ask = async (path: string) => await (await Visitor.to(address)).ask(path);
    await join();
    expect(await ask("/readyz")).toMatchObject({ status: 200, body: "ok\n" });
    await server.close();
    await command.line(({ msg }) => msg === "the server is down: not listening", "the outage");
    expect(await ask("/livez")).toMatchObject({ status: 200 });
    expect(await ask("/readyz")).toMatchObject({
      status: 503,
      body: `upstream main: the server 127.0.0.1:${server.port} is down\n`,
    });
  });

  it("shows nothing without the token, where others can come", async () => {
    const files = copies();
    atEnd(() => files.remove());
    const token = configFile(`${TOKEN}\n`);
    chmodSync(token, 0o600);
    const tls = `{ certificate: ${files.of("proxy.pem")}, key: ${files.of("proxy.key")} }`;
    const { command } = await enter(
      new EmbeddedServer(),
      `admin: { listen: "0.0.0.0:0", token-file: ${token}, tls: ${tls} }`,
    );
    const port = portOf(await adminOf(command));
    const status = async (headers: Record<string, string>) =>
      (await (await Visitor.tls(port)).ask("/metrics", { Host: "127.0.0.1", ...headers })).status;
    expect(await status({})).toBe(401);
    expect(await status({ Authorization: `Bearer ${TOKEN}x` })).toBe(401);
    expect(await status({ Authorization: `Bearer ${TOKEN}`, Host: "evil.example" })).toBe(421);
    expect(await status({ Authorization: `Bearer ${TOKEN}` })).toBe(200);
    expect(command.stdout).not.toContain(TOKEN);
  });

  it("tells the page of a commit as it happens", async () => {
    const { command, join } = await enter(new EmbeddedServer({ protocol: "Z5" }), PLAIN);
    const address = await adminOf(command);
    const page = await (await Visitor.to(address)).ask("/");
    expect(page).toMatchObject({ status: 200, headers: { "content-type": "text/html; charset=utf-8" } });
    expect(page.headers["content-security-policy"]).toMatch(/^default-src 'none'; script-src 'self';/);
    const reader = await Visitor.to(address);
    reader.say("GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n");
    const [writer, watcher] = [await join(), await join()];
    const tid = await new ClientCommit(writer).commit({ create: [OID] });
    await watcher.invalidation(tid);
    const told = new Promise<void>((resolve) => {
      reader.socket.on("data", () => reader.heard.includes("event: rows") && resolve());
      if (reader.heard.includes("event: rows")) resolve();
    });
    await told;
    expect(reader.heard).toContain("event: hello");
    expect(reader.heard).toContain(tid.toString(16).padStart(16, "0"));
  });

  it("costs its clients nothing where many ask, and take nothing of the answers", { timeout: 60_000 }, async () => {
    const { command, join } = await enter(new EmbeddedServer({ protocol: "Z5" }), PLAIN);
    const address = await adminOf(command);
    const slow = ["/metrics", "/events", "/status.json", "/"].flatMap((path) =>
      Array.from({ length: 100 }, (): Socket => {
        const socket = connect(portOf(address), "127.0.0.1").on("error", () => undefined);
        atEnd(() => socket.destroy());
        socket.pause().write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
        return socket;
      }),
    );
    const [writer, watcher] = [await join(), await join()];
    const commits = new ClientCommit(writer);
    await commits.commit({ create: [OID] });
    for (let n = 0; n < 200; n++) {
      // oxlint-disable-next-line no-await-in-loop -- one behind the other
      const tid = await commits.commit({ modify: [OID], create: n === 0 ? [OTHER] : [] });
      // oxlint-disable-next-line no-await-in-loop -- one behind the other
      await watcher.invalidation(tid);
    }
    expect(await (await Visitor.to(address)).ask("/livez")).toMatchObject({ status: 200 });
    for (const socket of slow) socket.destroy();
  });
});
