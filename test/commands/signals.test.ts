import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { afterEach, describe, expect, it, test } from "vitest";
import { ClientCommit } from "../../src/embedded/client-commit.ts";
import { EmbeddedClient } from "../../src/embedded/client.ts";
import { EmbeddedServer } from "../../src/embedded/server.ts";
import { freePort } from "../net/free-port.ts";
import { CommandProcess, zeoProxy } from "./command.ts";
import { hasTaken, waitUntil } from "./process.ts";
import { atEnd, enter, leave } from "./stage.ts";

// What the command does with the signals that the system, or Node, has a default for.

afterEach(leave);

const OID = "0000000000000001";

/** The ports on which a process listens, as the system has them. */
function listening(pid: number): number[] {
  const LISTEN = "0A";
  const own = new Set(readdirSync(`/proc/${pid}/fd`).flatMap((fd) => socketOf(`/proc/${pid}/fd/${fd}`)));
  return ["tcp", "tcp6"].flatMap((table) => {
    const [, ...rows] = readFileSync(`/proc/${pid}/net/${table}`, "utf8").trimEnd().split("\n");
    const sockets = rows.map((row) => row.trim().split(/\s+/));
    return sockets
      .filter(([, , , state, , , , , , inode = ""]) => state === LISTEN && own.has(`socket:[${inode}]`))
      .map(([, local = ""]) => Number.parseInt(local.split(":")[1] ?? "", 16));
  });
}

/** What an open descriptor leads to; nothing where it was closed meanwhile. */
function socketOf(path: string): string[] {
  try {
    return [readlinkSync(path)];
  } catch {
    return [];
  }
}

function isAlive(pid: number): boolean {
  return existsSync(`/proc/${pid}/fd`) && !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
}

describe.each([
  ["SIGHUP", "the configuration is in force", { level: "info", changed: [] }],
  ["SIGUSR1", "state of a storage", { level: "info" }],
  ["SIGUSR2", "a signal that does nothing", { level: "warn", signal: "SIGUSR2", use: "not used" }],
] as const)("%s", (signal, message, fields) => {
  it("ends nothing, opens nothing and disturbs no client; a line says what it has done", async () => {
    const { command, port, join } = await enter(new EmbeddedServer({ protocol: "Z5" }));
    const [writer, watcher] = [await join(), await join()];
    command.signal(signal);
    const line = await command.line(({ msg }) => msg === message, "the line");
    expect(line).toMatchObject(fields);
    expect(listening(command.child.pid ?? 0)).toEqual([port]);
    const tid = await new ClientCommit(writer).commit({ create: [OID] });
    expect((await watcher.invalidation(tid)).oids).toEqual([OID]);
    command.signal("SIGTERM");
    expect(await command.ended()).toMatchObject({ status: 0, stderr: "" });
  });
});

it("SIGHUP where there is no file to read is nothing but a line", async () => {
  const command = zeoProxy(RUN);
  await started(command);
  command.signal("SIGHUP");
  const line = await command.line(({ msg }) => msg === "a signal that does nothing", "the line");
  expect(line).toMatchObject({ level: "warn", signal: "SIGHUP", use: expect.stringContaining("--config") as string });
  command.signal("SIGTERM");
  expect((await command.ended()).status).toBe(0);
});

const RUN = ["run", "--listen", "127.0.0.1:0", "--server", "127.0.0.1:1"];

/** The command has started: there is no server, and it says so. */
const started = (command: CommandProcess) =>
  command.line(({ msg }) => String(msg).startsWith("the server is down"), "the start");

const pause = (ms: number) => new Promise((done) => setTimeout(done, ms));

describe("SIGUSR1 while the command is being loaded", () => {
  // From when Node itself has taken the signal (before that the system's default ends any process).
  test.each([0, 15, 40, 80])("opens no debugger, not for a moment, and ends nothing: %d ms later", async (ms) => {
    // As npm installs it: a link, which the system executes.
    const folder = mkdtempSync(`${tmpdir()}/zeo-proxy-bin-`);
    atEnd(() => rmSync(folder, { recursive: true }));
    symlinkSync(`${process.cwd()}/bin/zeo-proxy`, `${folder}/zeo-proxy`);
    // Its own address is had for a moment, to see that it can be.
    const own = await freePort();
    const args = ["run", "--listen", `127.0.0.1:${own}`, "--server", "127.0.0.1:1"];
    const command = new CommandProcess(`${folder}/zeo-proxy`, args);
    const pid = command.child.pid ?? 0;
    await waitUntil(() => hasTaken(pid, 10), "Node takes SIGUSR1");
    await pause(ms);
    command.signal("SIGUSR1");
    const opened = new Set<number>();
    let isOver = false;
    const start = started(command).finally(() => (isOver = true));
    await waitUntil(() => {
      for (const port of listening(pid)) if (port !== own) opened.add(port);
      return isOver;
    }, "the start");
    await start;
    expect([...opened]).toEqual([]);
    const refused = () => command.stderr.includes("Starting inspector on ff02::1:0 failed") || undefined;
    if (ms === 0) await command.until(refused, "that Node has tried");
    command.signal("SIGTERM");
    expect((await command.ended()).status).toBe(0);
  });

  it("is ignored before Node takes it", async () => {
    const folder = mkdtempSync(`${tmpdir()}/zeo-proxy-bin-`);
    atEnd(() => rmSync(folder, { recursive: true }));
    // What is started as Node shows what it has inherited.
    writeFileSync(`${folder}/node`, "#!/bin/sh\nexec grep SigIgn: /proc/self/status\n", { mode: 0o755 });
    const env = { PATH: `${folder}:${process.env["PATH"]}` };
    const { stdout } = await new CommandProcess("bin/zeo-proxy", RUN, env).ended();
    const ignored = BigInt(`0x${/[0-9a-f]{16}/.exec(stdout)?.[0] ?? "0"}`);
    expect((ignored >> 9n) & 1n).toBe(1n);
  });

  // Whoever starts the file with a Node without the option.
  test.each([0, 15, 40])("leaves no debugger open, and ends nothing: %d ms later, with another Node", async (ms) => {
    const command = new CommandProcess(process.execPath, ["--inspect-port=0", "bin/zeo-proxy", ...RUN]);
    const pid = command.child.pid ?? 0;
    await waitUntil(() => hasTaken(pid, 10), "Node takes SIGUSR1");
    await pause(ms);
    command.signal("SIGUSR1");
    await started(command);
    expect(listening(pid)).toEqual([]);
    command.signal("SIGTERM");
    expect((await command.ended()).status).toBe(0);
  });

  it("ends a process to whose debugger somebody has attached: to close it would wait for ever", async () => {
    // Time to attach: what is imported first keeps the command from being loaded.
    const slow = "data:text/javascript,const end=Date.now()+1500;while(Date.now()<end);";
    const command = new CommandProcess(process.execPath, [
      "--inspect-port=0",
      `--import=${slow}`,
      "bin/zeo-proxy",
      ...RUN,
    ]);
    await waitUntil(() => hasTaken(command.child.pid ?? 0, 10), "Node takes SIGUSR1");
    command.signal("SIGUSR1");
    const url = await command.until(() => /ws:\/\/(\S+)\n/.exec(command.stderr)?.[1], "the debugger");
    const { hostname: host, port, pathname } = new URL(`http://${url}`);
    const debug = connect({ host, port: Number(port) });
    atEnd(() => debug.destroy());
    debug.on("error", () => undefined);
    const upgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13";
    debug.write(`GET ${pathname} HTTP/1.1\r\nHost: ${host}:${port}\r\n${upgrade}\r\n`);
    debug.write(`Sec-WebSocket-Key: ${Buffer.alloc(16).toString("base64")}\r\n\r\n`);
    const [answer] = (await once(debug, "data")) as [Buffer];
    expect(answer.toString("latin1")).toContain("101 Switching Protocols");
    const { signal, stdout, stderr } = await command.ended();
    expect({ signal, stdout }).toEqual({ signal: "SIGKILL", stdout: "" });
    expect(stderr).toContain("zeo-proxy: somebody is attached to the debugger that a SIGUSR1 has opened");
  });

  it("leaves one open that was asked for", async () => {
    const command = new CommandProcess(process.execPath, ["--inspect=127.0.0.1:0", "bin/zeo-proxy", ...RUN]);
    await started(command);
    expect(listening(command.child.pid ?? 0)).toHaveLength(1);
    command.signal("SIGTERM");
    await command.ended();
  });
});

describe("SIGQUIT", () => {
  it("stops as SIGTERM does: a finishing commit settles", async () => {
    const server = new EmbeddedServer({ protocol: "Z5" });
    const { command, join } = await enter(server);
    const [writer, watcher] = [await join(), await join()];
    const finish = server.gate.outgoing(({ method, kind }) => kind === "reply" && method === "tpc_finish");
    const commit = new ClientCommit(writer).commit({ create: [OID] });
    await finish.caught();
    command.signal("SIGQUIT");
    await command.line(({ msg, signal }) => msg === "stopping" && signal === "SIGQUIT", "the stop");
    finish.open();
    expect((await watcher.invalidation(await commit)).oids).toEqual([OID]);
    expect(await command.ended()).toMatchObject({ status: 0, signal: null });
  });
});

describe("a second signal", () => {
  test.each([
    ["SIGTERM", "SIGTERM", 143],
    ["SIGTERM", "SIGINT", 130],
    ["SIGINT", "SIGQUIT", 131],
  ] as const)("(%s, then %s) ends at once with %d, and a line says so", async (first, second, status) => {
    const server = new EmbeddedServer({ protocol: "Z5" });
    const { command, join } = await enter(server, "limits: { drain: 1h }");
    const writer = await join();
    const finish = server.gate.outgoing(({ method, kind }) => kind === "reply" && method === "tpc_finish");
    const commit = new ClientCommit(writer).commit({ create: [OID] }).catch(() => undefined);
    await finish.caught();
    command.signal(first);
    await command.line(({ msg }) => msg === "stopping", "the stop");
    command.signal("SIGHUP");
    await command.line(({ msg }) => msg === "a signal that does nothing", "that SIGHUP is none");
    command.signal(second);
    expect((await command.ended()).status).toBe(status);
    expect(command.lines.at(-1)).toMatchObject({
      level: "warn",
      signal: second,
      msg: "a second signal: the process ends at once",
    });
    await commit;
  });
});

describe("the demo", () => {
  async function open(): Promise<{ demo: CommandProcess; port: number }> {
    const demo = zeoProxy(["demo", "--listen", "127.0.0.1:0", "--server-port", "0"]);
    const port = await demo.until(() => {
      if (!demo.stdout.includes("Both ports stay open")) return undefined;
      return Number(/before it on 127\.0\.0\.1:(\d+)/.exec(demo.stdout)?.[1]);
    }, "the end of the table");
    return { demo, port };
  }

  test.each(["SIGHUP", "SIGUSR1", "SIGUSR2"] as const)("is not ended by %s, nor is anything opened", async (signal) => {
    const { demo, port } = await open();
    demo.signal(signal);
    const told = `zeo-proxy: a signal that does nothing: ${signal}, `;
    await demo.until(() => (demo.stderr.includes(told) ? true : undefined), "the line");
    expect(listening(demo.child.pid ?? 0)).toHaveLength(2);
    const client = await EmbeddedClient.connect({ port });
    await client.close();
    demo.signal("SIGTERM");
    expect((await demo.ended()).status).toBe(0);
  });

  it("is ended by SIGQUIT, in order", async () => {
    const { demo } = await open();
    demo.signal("SIGQUIT");
    expect(await demo.ended()).toMatchObject({ status: 0, signal: null, stderr: "" });
  });

  it("is ended when its terminal is closed: nobody would look on, and its ports were taken for good", async () => {
    const inner = `exec ${process.execPath} bin/zeo-proxy demo --listen 127.0.0.1:0 --server-port 0`;
    // Its own session leader: the terminal's end is the whole session's.
    const terminal = spawn("script", ["--quiet", "--return", "--command", `echo $$ >&3; ${inner}`, "/dev/null"], {
      stdio: ["pipe", "pipe", "ignore", "pipe"],
    });
    atEnd(() => terminal.kill("SIGKILL"));
    const [first] = (await once(terminal.stdio[3] as NodeJS.ReadableStream, "data")) as [Buffer];
    const pid = Number(first.toString());
    atEnd(() => isAlive(pid) && process.kill(pid, "SIGKILL"));
    let shown = "";
    for await (const chunk of terminal.stdout as AsyncIterable<Buffer>) {
      shown += chunk.toString();
      if (shown.includes("Both ports stay open")) break;
    }
    expect(isAlive(pid)).toBe(true);
    terminal.kill("SIGKILL");
    await waitUntil(() => !isAlive(pid), "its end");
  });
});
