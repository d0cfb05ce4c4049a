import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { once } from "node:events";
import { afterEach, describe, expect, it } from "vitest";
import { ClientCommit } from "../../src/embedded/client-commit.ts";
import { EmbeddedServer } from "../../src/embedded/server.ts";
import type { Status } from "../../src/admin/shape.ts";
import { numbers } from "../admin/numbers.ts";
import { portOf, Visitor } from "../admin/visitor.ts";
import { copies } from "../net/certificates.ts";
import { zeoProxy, type CommandProcess } from "./command.ts";
import { atEnd, configFile, enter, leave } from "./stage.ts";

afterEach(leave);

const OID = "0000000000000001";
const VERSION = (JSON.parse(readFileSync("package.json", "utf8")) as { version: string }).version;
const ADMIN = "admin: { listen: 127.0.0.1:0 }";

async function adminOf(command: CommandProcess): Promise<string> {
  const { address } = await command.line(({ msg }) => msg === "admin listening", "the admin address");
  return String(address);
}

async function ask(address: string, path: string) {
  const visitor = await Visitor.to(address);
  const answer = await visitor.ask(path);
  visitor.socket.destroy();
  return answer;
}

describe("the command with an admin address", () => {
  it("shows in its metrics what was committed through it", async () => {
    const server = new EmbeddedServer({ protocol: "Z5" });
    const { command, join } = await enter(server, ADMIN);
    const address = await adminOf(command);
    const [writer, watcher] = [await join(), await join()];
    const commit = new ClientCommit(writer);
    await commit.commit({ create: [OID] });
    await watcher.invalidation(await commit.commit({ create: ["0000000000000002"], modify: [OID] }));
    const found = numbers((await ask(address, "/metrics")).body);
    const of = (name: string) => found.get(`zeo_proxy_${name}{server="127.0.0.1:${server.port}",storage="1"}`);
    expect(of("commits_total")).toBe(2);
    expect(of("oids_added_total")).toBe(2);
    expect(found.get('zeo_proxy_sessions{upstream="main",state="registered"}')).toBe(2);
    expect(found.get(`zeo_proxy_build_info{version="${VERSION}",node="${process.version}"}`)).toBe(1);
    expect(await ask(address, "/readyz")).toMatchObject({ status: 200 });
    command.signal("SIGTERM");
    expect((await command.ended()).status).toBe(0);
  });

  it("counts TLS handshakes that come to nothing", async () => {
    const server = new EmbeddedServer({ protocol: "Z5" });
    await server.start();
    atEnd(() => server.close());
    const files = copies();
    atEnd(() => files.remove());
    const tls = `tls: { certificate: ${files.of("proxy.pem")}, key: ${files.of("proxy.key")} }`;
    const upstream = `{ name: main, listen: 127.0.0.1:0, server: 127.0.0.1:${server.port}, ${tls} }`;
    const limits = "limits: { clients: 100, handshake: 500ms }";
    const command = zeoProxy(["run", "--config", configFile(`upstreams: [${upstream}]\n${limits}\n${ADMIN}\n`)]);
    const { address: door } = await command.line(({ msg }) => msg === "listening", "listening");
    const address = await adminOf(command);
    const comes = (): Socket => connect(portOf(String(door)), "127.0.0.1").resume();
    const [silent, wrong] = [comes(), comes()];
    atEnd(() => silent.destroy());
    atEnd(() => wrong.destroy());
    wrong.write("GET / HTTP/1.0\r\n\r\n");
    await Promise.all([once(silent, "close"), once(wrong, "close")]);
    const found = numbers((await ask(address, "/metrics")).body);
    const refused = (reason: string) =>
      found.get(`zeo_proxy_clients_refused_total{upstream="main",reason="${reason}"}`);
    expect([refused("tls-failed"), refused("tls-timeout")]).toEqual([1, 1]);
    expect(found.get('zeo_proxy_clients_accepted_total{upstream="main"}')).toBe(0);
    const status = JSON.parse((await ask(address, "/status.json")).body) as Status;
    expect(status.upstreams[0]?.refused).toMatchObject({ "tls-failed": 1, "tls-timeout": 1 });
    expect(command.lines.filter(({ msg }) => String(msg).startsWith("a client is refused"))).toEqual([]);
  });

  it("serves its clients, and whoever asks, while others open connections and wait", async () => {
    const { command, join } = await enter(new EmbeddedServer({ protocol: "Z5" }), ADMIN);
    const address = await adminOf(command);
    const [writer, watcher] = [await join(), await join()];
    const idle = Array.from({ length: 500 }, () => connect(portOf(address), "127.0.0.1"));
    for (const socket of idle) {
      socket.on("error", () => undefined);
      socket.write("GET /metrics HTTP/1.1\r\nHost: loc");
      atEnd(() => socket.destroy());
    }
    await watcher.invalidation(await new ClientCommit(writer).commit({ create: [OID] }));
    expect(await ask(address, "/livez")).toMatchObject({ status: 200 });
    const found = numbers((await ask(address, "/metrics")).body);
    // Whatever comes: its own, two clients and their servers, and those of 64 who ask.
    expect(found.get("process_open_fds")).toBeLessThan(64 + 60);
  });

  it("ends with status 1 where the address is in use", async () => {
    const server = new EmbeddedServer();
    await server.start();
    atEnd(() => server.close());
    const upstreams = `upstreams: [{ listen: 127.0.0.1:0, server: 127.0.0.1:${server.port} }]`;
    const file = configFile(`${upstreams}\nadmin: { listen: 127.0.0.1:${server.port} }\n`);
    const { status, stderr } = await zeoProxy(["run", "--config", file]).ended();
    expect(stderr).toBe(`zeo-proxy: admin: can't listen on 127.0.0.1:${server.port}: the address is in use\n`);
    expect(status).toBe(1);
  });

  it("ends with status 2 where others can read the token, or it is too short", async () => {
    const server = new EmbeddedServer();
    await server.start();
    atEnd(() => server.close());
    const token = configFile("");
    const upstreams = `upstreams: [{ listen: 127.0.0.1:0, server: 127.0.0.1:${server.port} }]`;
    const run = (text: string, mode: number) => {
      writeFileSync(token, text);
      chmodSync(token, mode);
      const file = configFile(`${upstreams}\nadmin: { listen: 127.0.0.1:0, token-file: ${token} }\n`);
      return zeoProxy(["run", "--config", file]).ended();
    };
    const open = await run("0123456789abcdef0123456789abcdef\n", 0o644);
    expect(open.stderr).toContain("admin.token-file: expected a file that nobody but its owner and its group may use");
    expect(open.stderr).toContain("one problem in the configuration, nothing started");
    expect(open.status).toBe(2);
    const short = await run("0123456789abcdef\n", 0o600);
    expect(short.stderr).toContain("admin.token-file: expected a line of 32 to 1024 visible characters");
    expect(short.stderr).not.toContain("0123456789abcdef");
    expect(short.status).toBe(2);
  });
});
