import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { EmbeddedServer } from "../../src/embedded/server.ts";
import { copies } from "../net/certificates.ts";
import { freePort } from "../net/free-port.ts";
import { zeoProxy, type CommandProcess, type Ending } from "./command.ts";
import { atEnd, configFile, leave } from "./stage.ts";

afterEach(leave);

const TOKEN = "0123456789abcdef0123456789abcdef";

interface Running {
  readonly command: CommandProcess;
  readonly server: EmbeddedServer;
  /** Its configuration, and the files that are named there. */
  readonly file: string;
  readonly token: string;
  readonly files: ReturnType<typeof copies>;
  /** Where it is asked, as `--admin` takes it. */
  readonly admin: string;
}

type Way = "tcp" | "unix" | "tls" | "tls at a path";

/** The command with an admin server that is reached that way; those by TLS want a token. */
async function running(way: Way): Promise<Running> {
  const server = new EmbeddedServer({ protocol: "Z5" });
  await server.start();
  atEnd(() => server.close());
  const files = copies();
  atEnd(() => files.remove());
  const folder = mkdtempSync(join(tmpdir(), "zeo-proxy-asked-"));
  atEnd(() => rmSync(folder, { recursive: true }));
  const token = join(folder, "token");
  writeFileSync(token, `${TOKEN}\n`);
  chmodSync(token, 0o600);
  const isPath = way === "unix" || way === "tls at a path";
  const isSecure = way === "tls" || way === "tls at a path";
  const address = isPath ? join(folder, "admin.sock") : `127.0.0.1:${await freePort()}`;
  const secure = `, token-file: ${token}, tls: { certificate: ${files.of("proxy.pem")}, key: ${files.of("proxy.key")} }`;
  const file = configFile(
    `upstreams: [{ name: main, listen: 127.0.0.1:0, server: 127.0.0.1:${server.port} }]\n` +
      `limits: { clients: 100 }\nadmin: { listen: "${address}"${isSecure ? secure : ""} }\n`,
  );
  const command = zeoProxy(["run", "--config", file]);
  await command.line(({ msg }) => msg === "listening", "listening");
  const admin = way === "tls" ? `https://${address.replace("127.0.0.1", "localhost")}` : address;
  return { command, server, file, token, files, admin };
}

const ask = (...args: string[]): Promise<Ending> => zeoProxy(args).ended();
const GOOD = { status: 0, stdout: "", stderr: "" };

describe.each(["tcp", "unix", "tls", "tls at a path"] as const)("an admin server by %s", (way) => {
  it("is asked by the proxy's own configuration: status, and whether it lives and is ready", async () => {
    const { command, file } = await running(way);
    expect(await ask("status", "--config", file)).toMatchObject({ status: 0, stderr: "" });
    expect(await ask("health", "--config", file)).toMatchObject(GOOD);
    expect(await ask("health", "--config", file, "--ready")).toMatchObject(GOOD);
    command.signal("SIGTERM");
    await command.ended();
    const gone = await ask("health", "--config", file);
    expect(gone).toMatchObject({ status: 1, stdout: "" });
    expect(gone.stderr).toMatch(/^zeo-proxy: \S+: [^\n]*\((?:ECONNREFUSED|ENOENT)\)\n$/);
  });
});

describe("status", () => {
  it("--watch shows a proxy at a Unix socket again and again, past its restart", async () => {
    const { admin, command, file } = await running("unix");
    const watching = zeoProxy(["status", "--admin", admin, "--watch", "20ms", "--json"]);
    const pidOf = (one: CommandProcess): number => one.child.pid ?? 0;
    const shows = (pid: number) =>
      watching.line(({ proxy }) => (proxy as { pid: number } | undefined)?.pid === pid, `process ${pid}`);
    await shows(pidOf(command));
    await shows(pidOf(command));
    command.signal("SIGTERM");
    await command.ended();
    await watching.until(() => (watching.stderr.includes("ENOENT") ? true : undefined), "that it is away");
    await shows(pidOf(zeoProxy(["run", "--config", file])));
    watching.signal("SIGTERM");
    expect((await watching.ended()).status).toBe(0);
  });

  it("over TLS verifies the certificate, and shows the token", async () => {
    const { admin, files, token } = await running("tls");
    const ca = ["--tls-ca", files.of("ca.pem")];
    const told = async (...args: string[]): Promise<string> => {
      const { status, stderr } = await ask("status", "--admin", ...args);
      expect(status).toBe(1);
      return stderr;
    };
    expect(await told(admin, "--token-file", token)).toMatch(/the certificate's authority is not known/);
    const shown = await ask("status", "--admin", admin, ...ca, "--token-file", token);
    expect(shown).toMatchObject({ status: 0, stderr: "" });
    expect(shown.stdout).toMatch(/^main +listening/m);
    const elsewhere = admin.replace("localhost", "127.0.0.2");
    expect(await told(elsewhere, ...ca, "--token-file", token)).toMatch(/ECONNREFUSED/);
  });

  it("is not told to who has no token, or another one", async () => {
    const { admin, file, token } = await running("tls");
    writeFileSync(token, `${"x".repeat(32)}\n`);
    const { status, stderr } = await ask("status", "--config", file);
    const name = admin.replace("https://localhost", "127.0.0.1");
    expect({ status, stderr }).toEqual({ status: 1, stderr: `zeo-proxy: ${name}: it wants a token (--token-file)\n` });
  });
});

describe("health", () => {
  it("lives while the server is down, and is not ready, for a reason", async () => {
    const { command, file, server } = await running("tcp");
    await server.close();
    // Who comes finds it out.
    const { address } = command.lines.find(({ msg }) => msg === "listening") ?? {};
    await ask("probe", String(address));
    await command.line(({ msg }) => msg === "the server is down: not listening", "the outage");
    expect(await ask("health", "--config", file)).toMatchObject(GOOD);
    const { status, stdout, stderr } = await ask("health", "--config", file, "--ready");
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(stderr).toMatch(new RegExp(`: upstream main: the server 127.0.0.1:${server.port} is down\n$`));
  });

  it("is asked of whoever shows the configured certificate, and of nobody else", async () => {
    const { file, files } = await running("tls");
    writeFileSync(files.of("proxy.pem"), readFileSync(files.of("zeo.pem")));
    const { status, stderr } = await ask("health", "--config", file);
    expect(status).toBe(1);
    expect(stderr).toMatch(/: it shows another certificate than the configuration names/);
  });

  it("reads no more of the configuration than it needs", async () => {
    const { file } = await running("tcp");
    writeFileSync(file, readFileSync(file, "utf8").replace(/^upstreams.*$/m, "upstreams: 7"));
    expect(await ask("health", "--config", file)).toMatchObject(GOOD);
  });

  it.each([
    ["upstreams: []\n", "nobody can be asked (a line admin: { listen: 127.0.0.1:9180 }, and a restart of the proxy)\n"],
    ["admin: { listen: 127.0.0.1:0 }\n", "has port 0: say which one it is (--admin)"],
    ["admin: { listen: 0.0.0.0:1 }\n", "admin.listen: expected an address of this machine alone"],
    ["admin: {", "expected"],
  ])("with %j has nobody to ask", async (text, why) => {
    const { status, stdout, stderr } = await ask("health", "--config", configFile(text));
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(stderr).toContain(why);
  });

  it.each(["health", "status"])("is no start that did not come about: %s", async (command) => {
    const { status, stderr } = await ask(command, "--config", "/no/such.yaml");
    expect(status).toBe(2);
    expect(stderr).toMatch(/expected a file that can be read[^\n]*\nzeo-proxy: one problem in the configuration\n$/);
  });
});
