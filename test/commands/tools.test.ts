import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it, test } from "vitest";
import type { Status } from "../../src/admin/shape.ts";
import { ClientCommit } from "../../src/embedded/client-commit.ts";
import { EmbeddedClient } from "../../src/embedded/client.ts";
import { EmbeddedServer } from "../../src/embedded/server.ts";
import { tidHex } from "../../src/wire/ids.ts";
import { numbers } from "../admin/numbers.ts";
import { Visitor } from "../admin/visitor.ts";
import { zeoProxy } from "./command.ts";
import { atEnd, configFile, enter, leave } from "./stage.ts";

afterEach(leave);

const oid = (n: number): string => n.toString(16).padStart(16, "0");

async function serve(protocol: "Z4" | "Z5" | "M5" = "Z5"): Promise<EmbeddedServer> {
  const server = new EmbeddedServer({ protocol });
  await server.start();
  atEnd(() => server.close());
  return server;
}

async function committing({ port }: { port: number }): Promise<ClientCommit> {
  const client = await EmbeddedClient.connect({ port });
  atEnd(() => client.close());
  return new ClientCommit(client);
}

describe.each(["Z4", "Z5", "M5"] as const)("watch at a %s server", (protocol) => {
  it("reads from the start, follows over a restart, and ends with status 0 at a signal", async () => {
    const server = await serve(protocol);
    const before = await committing(server);
    const a = await before.commit({ create: [oid(1)] });
    const command = zeoProxy(["watch", `127.0.0.1:${server.port}`, "--since", "start", "--json"]);
    await command.line(({ event }) => event === "caught-up", "all that is there");
    const b = await before.commit({ create: [oid(2)], modify: [oid(1)] });
    await command.line(({ tid }) => tid === tidHex(b), "the second");
    await server.close();
    await command.line(({ event }) => event === "down", "the end of the server");
    await server.start();
    const c = await (await committing(server)).commit({ create: [oid(3)] });
    await command.line(({ tid }) => tid === tidHex(c), "the third");
    command.signal("SIGTERM");
    expect(await command.ended()).toMatchObject({ status: 0, stderr: "" });
    const seen = command.lines.filter(({ event }) => event === "transaction");
    expect(seen.map(({ tid, oids }) => [tid, [...(oids as string[])].sort()])).toEqual([
      [tidHex(a), [oid(1)]],
      [tidHex(b), [oid(1), oid(2)]],
      [tidHex(c), [oid(3)]],
    ]);
  });

  it("compares the proxy with its server", async () => {
    const server = new EmbeddedServer({ protocol });
    const stage = await enter(server);
    const addresses = [`127.0.0.1:${stage.port}`, `127.0.0.1:${server.port}`];
    const command = zeoProxy(["watch", "--compare", ...addresses, "--json", "--count", "2"]);
    await command.until(
      () => (command.lines.filter(({ event }) => event === "up").length === 2 ? true : undefined),
      "both",
    );
    const commits = new ClientCommit(await stage.join());
    await commits.commit({ create: [oid(1)] });
    await commits.commit({ modify: [oid(1)], create: [oid(2)] });
    expect((await command.ended()).status).toBe(0);
    expect(command.lines.at(-1)).toMatchObject({
      event: "end",
      proxy: { told: 2, followedObjects: 3, named: 3 },
      server: { followedObjects: 3, named: 1 },
    });
  });
});

describe("watch", () => {
  it("ends when nobody reads what it writes", async () => {
    const server = await serve();
    const commits = await committing(server);
    const command = zeoProxy(["watch", `127.0.0.1:${server.port}`]);
    await command.until(() => (command.stderr.includes("connected") ? true : undefined), "the connection");
    command.child.stdout?.destroy();
    await commits.commit({ create: [oid(1)] });
    await commits.commit({ create: [oid(2)] });
    expect((await command.ended()).status).toBe(0);
  });

  it("with status 3 says that the first address has left something out", async () => {
    const server = await serve();
    const address = `127.0.0.1:${server.port}`;
    const command = zeoProxy(["watch", "--compare", address, address, "--count", "1"]);
    await command.until(() => (command.stdout.includes(address) ? true : undefined), "both connections");
    await (await committing(server)).commit({ create: [oid(1)] });
    expect((await command.ended()).status).toBe(3);
  });
});

describe("probe", () => {
  it("has 0 where all is well, 1 where not, and says why", async () => {
    const server = await serve();
    const good = await zeoProxy(["probe", `127.0.0.1:${server.port}`, "--write", "--json"]).ended();
    expect({ status: good.status, stderr: good.stderr }).toEqual({ status: 0, stderr: "" });
    expect(JSON.parse(good.stdout)).toMatchObject({ ok: true, protocol: "Z5", storages: [{ patched: "no" }] });
    const bad = await zeoProxy(["probe", `127.0.0.1:${server.port}`, "--storage", "1,other"]).ended();
    expect(bad.status).toBe(1);
    expect(bad.stdout).toContain('storage "other": the server does not have it');
  });

  it("has a monitor's exit statuses", async () => {
    const server = await serve();
    const address = `127.0.0.1:${server.port}`;
    const check = async (...args: string[]): Promise<[number | null, string]> => {
      const { status, stdout } = await zeoProxy(["probe", "--nagios", ...args]).ended();
      return [status, stdout];
    };
    expect(await check(address)).toEqual([0, expect.stringMatching(/^ZEO OK - [^\n]*\n$/)]);
    expect(await check(address, "--warning", "1ms", "--critical", "1h")).toEqual([
      expect.toSatisfy((status) => status === 0 || status === 1),
      expect.stringMatching(/^ZEO (?:OK|WARNING) - [^\n]*\| rtt=[\d.]+s;0\.001;3600;0\n$/),
    ]);
    await server.close();
    expect(await check(address)).toEqual([2, expect.stringMatching(/^ZEO CRITICAL - [^\n]*ECONNREFUSED[^\n]*\n$/)]);
    expect(await check(address, "--quick")).toEqual([3, "ZEO UNKNOWN - unknown option '--quick'\n"]);
    expect(await check(address, "--warnings", "1s")).toEqual([
      3,
      "ZEO UNKNOWN - unknown option '--warnings' (Did you mean --warning?)\n",
    ]);
    expect(await check()).toEqual([3, "ZEO UNKNOWN - missing required argument 'address'\n"]);
    expect(await check(address, "--json")).toEqual([3, expect.stringMatching(/^ZEO UNKNOWN - .*cannot be used with/)]);
    expect(await check(address, "--tls-ca", "/no/such")).toEqual([3, "ZEO UNKNOWN - can't read /no/such: ENOENT\n"]);
    expect(await check("--help")).toEqual([0, expect.stringMatching(/^Usage: /)]);
  });
});

describe("status", () => {
  it("shows a real proxy as it is: its version, upstreams, storages, and each client", async () => {
    const server = new EmbeddedServer({ protocol: "Z5" });
    const { command, join: enters } = await enter(server, "admin: { listen: 127.0.0.1:0 }");
    const { address: admin } = await command.line(({ msg }) => msg === "admin listening", "the admin address");
    const [writer, watcher] = [await enters(), await enters()];
    const commit = new ClientCommit(writer);
    await commit.commit({ create: [oid(1)] });
    const tid = await commit.commit({ create: [oid(2), oid(3)], modify: [oid(1)] });
    await watcher.invalidation(tid);
    const status = async (...args: string[]): Promise<string> => {
      const { status: exit, stdout, stderr } = await zeoProxy(["status", "--admin", String(admin), ...args]).ended();
      expect({ exit, stderr }).toEqual({ exit: 0, stderr: "" });
      return stdout;
    };
    const text = await status();
    const version = (JSON.parse(readFileSync("package.json", "utf8")) as { version: string }).version;
    expect(text).toMatch(new RegExp(`^zeo-proxy ${version}, up \\d`));
    expect(text).toMatch(
      new RegExp(`^main +listening +on +127.0.0.1:\\d+ +127.0.0.1:${server.port} +2 +2 +0 +0$`, "m"),
    );
    expect(text).toMatch(new RegExp(`^1 +127.0.0.1:${server.port} +up +no +2 +0 +2 +3 +${tidHex(tid)}$`, "m"));
    expect(text).toMatch(/^repaired +2$/m);
    const { upstreams } = JSON.parse(await status("--json")) as Status;
    const list = upstreams[0]?.clients.list ?? [];
    expect(list).toHaveLength(2);
    for (const { address } of list)
      expect(text).toMatch(new RegExp(`^${address} +main +registered +1 +Z5 +\\d+ s `, "m"));
  });

  it("shows of an upstream that observes what would be repaired", async () => {
    const server = await serve();
    const upstream = `{ name: main, listen: 127.0.0.1:0, server: 127.0.0.1:${server.port}, repair: observe }`;
    const lines = `upstreams: [${upstream}]\nlimits: { clients: 100 }\nadmin: { listen: 127.0.0.1:0 }\n`;
    const command = zeoProxy(["run", "--config", configFile(lines)]);
    const { address } = await command.line(({ msg }) => msg === "listening", "listening");
    const { address: admin } = await command.line(({ msg }) => msg === "admin listening", "the admin address");
    const port = Number(String(address).split(":")[1]);
    const [writer, watcher] = [await EmbeddedClient.connect({ port }), await EmbeddedClient.connect({ port })];
    for (const client of [writer, watcher]) atEnd(() => client.close());
    const commit = new ClientCommit(writer);
    const created = await commit.commit({ create: [oid(1)] });
    await watcher.invalidation(created);
    await command.line(({ msg }) => msg === "invalidation would be repaired", "what would be repaired");
    const { stdout } = await zeoProxy(["status", "--admin", String(admin)]).ended();
    expect(stdout).toMatch(/^main +listening +observe /m);
    expect(stdout).toMatch(new RegExp(`^1 +127.0.0.1:${server.port} +up +no +1 +0 +1 +1 +${tidHex(created)}$`, "m"));
    expect(stdout).toMatch(/^would be repaired +1$/m);
    expect(stdout.match(/^127\.0\.0\.1:\d+ +main +observed +1 +Z5 /gm)).toHaveLength(2);
    const found = numbers((await (await Visitor.to(String(admin))).ask("/metrics")).body);
    const of = (name: string, more = "") =>
      found.get(`zeo_proxy_${name}{server="127.0.0.1:${server.port}",storage="1"${more}}`);
    expect(of("observed_repairs_total", ',kind="completed",source="client"')).toBe(1);
    expect(of("observed_repaired_transactions_total", ',source="client"')).toBe(1);
    expect([of("observed_commits_total"), of("observed_oids_added_total"), of("commits_total")]).toEqual([
      1,
      1,
      undefined,
    ]);
    expect(found.get('zeo_proxy_upstream_repairs{upstream="main"}')).toBe(0);
    expect(found.get('zeo_proxy_observed_sessions{upstream="main"}')).toBe(2);
  });

  it("shows what the admin server says; 1 without one", async () => {
    const admin = createServer((_, response) => {
      response.end(JSON.stringify({ proxy: { version: "9" }, upstreams: [{ name: "main", state: "listening" }] }));
    });
    await new Promise<void>((resolve) => admin.listen(0, "127.0.0.1", resolve));
    atEnd(() => admin.close());
    const address = `127.0.0.1:${(admin.address() as { port: number }).port}`;
    const { status, stdout } = await zeoProxy(["status", "--admin", address]).ended();
    expect(status).toBe(0);
    expect(stdout).toMatch(/^zeo-proxy 9\n\n.*\nmain +listening/);
    admin.close();
    admin.closeAllConnections();
    const gone = await zeoProxy(["status", "--admin", address]).ended();
    expect(gone).toMatchObject({ status: 1, stdout: "" });
    expect(gone.stderr).toContain("nobody listens there");
  });
});

describe("init", () => {
  it("writes a file that is good and runs, and never overwrites one", async () => {
    const server = await serve();
    const folder = mkdtempSync(join(tmpdir(), "zeo-proxy-init-"));
    atEnd(() => rmSync(folder, { recursive: true }));
    const file = join(folder, "zeo-proxy.yaml");
    const args = ["init", "--server", `127.0.0.1:${server.port}`, "--listen", "127.0.0.1:9100", "--output", file];
    expect(await zeoProxy(args).ended()).toMatchObject({ status: 0, stderr: "" });
    const text = readFileSync(file, "utf8");
    expect((await zeoProxy(["check", file]).ended()).stdout).toContain(
      `main: 127.0.0.1:9100 before 127.0.0.1:${server.port}`,
    );
    const again = await zeoProxy(args).ended();
    expect(again).toMatchObject({ status: 1, stdout: "" });
    expect(again.stderr).toBe(`zeo-proxy: ${file} is there already (--force overwrites it)\n`);
    expect(readFileSync(file, "utf8")).toBe(text);
    expect((await zeoProxy([...args, "--force", "--json"]).ended()).stdout).toContain('"protocol":"Z5"');
  });

  it("writes nothing where nobody is there, unless it is told to", async () => {
    const server = await serve();
    await server.close();
    const folder = mkdtempSync(join(tmpdir(), "zeo-proxy-init-"));
    atEnd(() => rmSync(folder, { recursive: true }));
    const file = join(folder, "zeo-proxy.yaml");
    const args = ["init", "--server", `127.0.0.1:${server.port}`, "--output", file];
    expect((await zeoProxy(args).ended()).status).toBe(1);
    expect(existsSync(file)).toBe(false);
    expect((await zeoProxy([...args, "--no-probe"]).ended()).status).toBe(0);
    expect((await zeoProxy(["check", file]).ended()).status).toBe(0);
  });

  it("refuses addresses that can't work together", async () => {
    const address = "127.0.0.1:8100";
    const { status, stderr } = await zeoProxy(["init", "-s", address, "-l", address, "-o", "-"]).ended();
    expect(status).toBe(2);
    expect(stderr).toBe(
      "--server: expected a ZEO server, got 127.0.0.1:8100, the upstream's own listening address\n" +
        "zeo-proxy: one problem in the configuration, nothing written\n",
    );
  });
});

test.each([
  [["watch"], "missing required argument 'address'"],
  [["watch", "a"], "expected HOST:PORT, or the absolute path of a Unix socket"],
  [["watch", "a:1", "b:1"], "expected one address"],
  [["watch", "a:1", "--compare"], "expected two addresses"],
  [["watch", "a:1", "b:1", "--compare", "--since", "2h"], "expected no --since"],
  [["watch", "a:1", "--tls", "--tls-of", "proxy"], "--tls-of is for --compare with --tls"],
  [["watch", "a:1", "b:1", "--compare", "--tls-of", "proxy"], "--tls-of is for --compare with --tls"],
  [["watch", "a:1", "b:1", "--compare", "--tls", "--tls-of", "first"], "Allowed choices are both, proxy, server"],
  [["watch", "a:1", "--since", "soon"], "expected a tid (16 hex digits), a time such as"],
  [["watch", "a:1", "--filter", "client"], "expected oids, told, asked, read, or incomplete"],
  [["watch", "a:1", "--count", "0"], "expected a whole number from 1 on"],
  [["watch", "a:1", "--tls-key", "x"], "expected both --tls-certificate and --tls-key"],
  [["watch", "a:1", "--tls-ca", "/no/such/file"], "can't read /no/such/file: ENOENT"],
  [["probe", "a:0"], "expected HOST:PORT, or the absolute path"],
  [["probe", "a:1", "--timeout", "5"], "expected a time such as 500ms or 30s"],
  [["status", "--admin", "a b"], "expected HOST:PORT such as 127.0.0.1:9180"],
  [["init", "--server", "a"], "expected HOST:PORT such as 127.0.0.1:8100"],
  [["completion", "tcsh"], "Allowed choices are bash, zsh, fish"],
])("%j is refused", async (args, message) => {
  const { status, stdout, stderr } = await zeoProxy(args).ended();
  expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
  expect(stderr).toContain(message);
});

test.each([["watch"], ["probe"], ["status"], ["init"], ["completion"], ["man"]])(
  "%s explains itself with examples and exit statuses",
  async (name) => {
    const { status, stdout } = await zeoProxy([name, "--help"]).ended();
    expect(status).toBe(0);
    expect(stdout).toMatch(/Examples:\n[^]*\n {2}\$ .*zeo-proxy /);
    expect(stdout).toContain("Exit status:");
  },
);

test("completion and manual are printed", async () => {
  expect((await zeoProxy(["completion", "bash"]).ended()).stdout).toContain("complete -F _zeo_proxy zeo-proxy");
  expect((await zeoProxy(["man"]).ended()).stdout).toMatch(/^\.TH ZEO-PROXY 1 "" "zeo-proxy \d/);
});
