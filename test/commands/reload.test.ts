import { writeFileSync } from "node:fs";
import { afterEach, describe, expect, it } from "vitest";
import { ClientCommit } from "../../src/embedded/client-commit.ts";
import { EmbeddedClient } from "../../src/embedded/client.ts";
import { EmbeddedServer } from "../../src/embedded/server.ts";
import { freePort } from "../net/free-port.ts";
import { zeoProxy, type CommandProcess, type Line } from "./command.ts";
import { hasCaught, waitUntil } from "./process.ts";
import { atEnd, configFile, leave, stopped } from "./stage.ts";

// SIGHUP, through the real command.

afterEach(leave);

const OIDS = ["0000000000000001", "0000000000000002", "0000000000000003"] as const;
const SIGHUP = 1;
const DONE = "the configuration is in force";

interface Site {
  readonly server: EmbeddedServer;
  readonly command: CommandProcess;
  /** Ports of two upstreams; the first configuration has one of them. */
  readonly ports: { readonly main: number; readonly other: number };
  /** The configuration with these upstreams, and these lines besides. */
  readonly write: (upstreams: readonly ("main" | "other")[], rest?: string) => void;
  readonly writeText: (text: string) => void;
  /** Sends the signal; the first line of that sort behind it. */
  readonly hangUp: (msg?: string) => Promise<Line>;
}

async function site(args: readonly string[] = [], first: readonly ("main" | "other")[] = ["main"]): Promise<Site> {
  const server = new EmbeddedServer({ protocol: "Z5" });
  await server.start();
  atEnd(() => server.close());
  const ports = { main: await freePort(), other: await freePort() };
  const text = (upstreams: readonly ("main" | "other")[], rest: string): string => {
    const lines = upstreams.map(
      (name) => `  - { name: ${name}, listen: "127.0.0.1:${ports[name]}", server: "127.0.0.1:${server.port}" }`,
    );
    return ["upstreams:", ...lines, rest.includes("limits:") ? "" : "limits: { clients: 100 }", rest, ""].join("\n");
  };
  const file = configFile(text(first, ""));
  const command = zeoProxy(["run", "--config", file, ...args]);
  let listening = 0;
  const isLast = ({ msg }: Line): boolean => msg === "listening" && ++listening === first.length;
  await command.line(isLast, "listening");
  const hangUp = (msg = DONE): Promise<Line> => {
    const seen = command.lines.length;
    command.signal("SIGHUP");
    return command.until(() => command.lines.slice(seen).find((line) => line["msg"] === msg), msg);
  };
  const writeText = (now: string): void => writeFileSync(file, now);
  return {
    server,
    command,
    ports,
    write: (upstreams, rest = "") => writeText(text(upstreams, rest)),
    writeText,
    hangUp,
  };
}

async function join(port: number): Promise<EmbeddedClient> {
  const client = await EmbeddedClient.connect({ port });
  atEnd(() => client.close());
  return client;
}

async function commits(writer: EmbeddedClient, oid: string, watcher: EmbeddedClient): Promise<void> {
  const tid = await new ClientCommit(writer).commit({ create: [oid] });
  expect((await watcher.invalidation(tid)).oids).toEqual([oid]);
}

describe("SIGHUP", () => {
  it("opens and closes upstreams; clients of the others stay connected, and are told of everything", async () => {
    const { command, ports, write, hangUp } = await site();
    const [writer, watcher] = [await join(ports.main), await join(ports.main)];
    await commits(writer, OIDS[0], watcher);
    write(["main", "other"]);
    expect(await hangUp()).toMatchObject({ level: "info", opened: ["other"], closed: [], reopened: [] });
    const visitor = await join(ports.other);
    await commits(visitor, OIDS[1], watcher);
    write(["main"]);
    expect(await hangUp()).toMatchObject({ opened: [], closed: ["other"] });
    await visitor.whenClosed();
    await expect(join(ports.other)).rejects.toThrow("ECONNREFUSED");
    await commits(writer, OIDS[2], watcher);
    const lines = await stopped(command);
    expect(lines.filter(({ level }) => level === "warn" || level === "error")).toEqual([]);
  });

  it("of a file that is wrong changes nothing, and tells each problem with its place", async () => {
    const { command, ports, write, writeText, hangUp } = await site();
    const [writer, watcher] = [await join(ports.main), await join(ports.main)];
    writeText('upstreams:\n  - listen: "127.0.0.1:1"\n    colour: red\nlimits: { memory: 64, drain: soon }\n');
    const line = await hangUp("the configuration is wrong: nothing is changed");
    expect(line).toMatchObject({ level: "error", count: 4 });
    const problems = line["problems"] as string[];
    expect(problems).toHaveLength(4);
    for (const problem of problems) expect(problem).toMatch(/zeo-proxy\.yaml:\d+:\d+: (upstreams\[0\]|limits)/);
    await commits(writer, OIDS[0], watcher);
    write(["main", "other"]);
    await hangUp();
    await commits(await join(ports.other), OIDS[1], watcher);
    await stopped(command);
  });

  it("with an address that is in use changes nothing, and tells why", async () => {
    const { command, server, ports, writeText, hangUp } = await site();
    const [writer, watcher] = [await join(ports.main), await join(ports.main)];
    // The server's own.
    writeText(
      `upstreams:\n  - { name: bad, listen: "127.0.0.1:${server.port}", server: "127.0.0.1:1" }\nlog: { level: debug }\n`,
    );
    const line = await hangUp("a new address can't be had: nothing is changed");
    expect(line).toMatchObject({ level: "error", reason: "EADDRINUSE" });
    expect(line["error"]).toContain("upstream bad: can't listen on");
    await commits(writer, OIDS[0], watcher);
    const lines = await stopped(command);
    expect(lines.filter(({ level }) => level === "debug")).toEqual([]);
  });

  it("changes the log's level at once, tells what needs a restart, and leaves what the command line says", async () => {
    const { command, ports, write, hangUp } = await site(["--log-oids", "0"]);
    write(["main"], "log: { level: debug, format: pretty, oids: 5 }");
    const warned = command.line(({ msg }) => msg === "what was changed there needs a restart", "the warning");
    expect(await hangUp()).toMatchObject({ changed: ["log.level"] });
    expect(await warned).toMatchObject({ level: "warn", options: ["log.format"] });
    const [writer, watcher] = [await join(ports.main), await join(ports.main)];
    await command.line(({ msg }) => msg === "client connected", "a line of the new level");
    await commits(writer, OIDS[0], watcher);
    expect(await command.line(({ msg }) => msg === "invalidation repaired", "the repair")).toMatchObject({ oids: [] });
    await stopped(command);
  });

  it("closes an upstream with a vote in progress at once, and lets a commit on its way settle", async () => {
    const { server, command, ports, write, hangUp } = await site([], ["main", "other"]);
    const [writer, watcher] = [await join(ports.other), await join(ports.main)];
    const finish = server.gate.outgoing(({ method, kind }) => kind === "reply" && method === "tpc_finish");
    const commit = new ClientCommit(writer).commit({ create: [OIDS[0]] });
    await finish.caught();
    // It votes behind the other one's commit, or is not granted the lock before: either way it has not finished.
    const voter = await join(ports.other);
    const votes = new ClientCommit(voter);
    votes.begin();
    votes.store(OIDS[1], 0n as never, Buffer.from("x"));
    const voted = votes.vote().catch(() => undefined);
    write(["main"]);
    const done = hangUp();
    await command.line(({ msg }) => msg === "the configuration is read again", "that it is at work");
    finish.open();
    expect((await watcher.invalidation(await commit)).oids).toEqual([OIDS[0]]);
    expect(await done).toMatchObject({ closed: ["other"] });
    await Promise.all([writer.whenClosed(), voter.whenClosed(), voted]);
    await commits(await join(ports.main), OIDS[2], watcher);
    await stopped(command);
  });

  it("while another one is at work waits; several that wait are one", async () => {
    const { server, command, ports, write, hangUp } = await site([], ["main", "other"]);
    const writer = await join(ports.other);
    const finish = server.gate.outgoing(({ method, kind }) => kind === "reply" && method === "tpc_finish");
    const commit = new ClientCommit(writer).commit({ create: [OIDS[0]] });
    await finish.caught();
    write(["main"]);
    const first = hangUp();
    const isRead = ({ msg }: Line): boolean => msg === "the configuration is read again";
    await command.line(isRead, "that it is at work");
    write(["main", "other"]);
    for (let n = 0; n < 3; n++) command.signal("SIGHUP");
    expect(command.lines.filter(isRead)).toHaveLength(1);
    finish.open();
    await commit;
    expect(await first).toMatchObject({ closed: ["other"] });
    await command.line(({ opened }) => Array.isArray(opened) && opened.includes("other"), "the second one");
    await join(ports.other);
    const lines = await stopped(command);
    // A signal that comes late is one more.
    expect(lines.filter(isRead).length).toBeLessThanOrEqual(4);
  });

  it("while the proxy starts waits for that, and reads the file as it is then", async () => {
    const { command, write, ports } = await site();
    await stopped(command);
    write(["main"]);
    const file = command.child.spawnargs.at(-1) ?? "";
    const again = zeoProxy(["run", "--config", file]);
    // From when the system does not end the process for it.
    await waitUntil(() => hasCaught(again.child.pid ?? 0, SIGHUP), "Node takes SIGHUP");
    write(["main", "other"]);
    again.signal("SIGHUP");
    // By a reload, or because it had not read it yet.
    await again.line(({ msg, upstream }) => msg === "listening" && upstream === "other", "the other one listens");
    await join(ports.other);
    await stopped(again);
  });

  it("while the proxy stops is nothing but a line", async () => {
    const { server, command, ports, write } = await site();
    const writer = await join(ports.main);
    const finish = server.gate.outgoing(({ method, kind }) => kind === "reply" && method === "tpc_finish");
    const commit = new ClientCommit(writer).commit({ create: [OIDS[0]] });
    await finish.caught();
    command.signal("SIGTERM");
    await command.line(({ msg }) => msg === "stopping", "the stop");
    write(["main", "other"]);
    command.signal("SIGHUP");
    const line = await command.line(({ msg }) => msg === "a signal that does nothing", "the line");
    expect(line).toMatchObject({ level: "warn", signal: "SIGHUP" });
    finish.open();
    await commit;
    expect((await command.ended()).status).toBe(0);
  });

  it("does not keep a stop from its end, and says no more of a reload that it has ended", async () => {
    const { server, command, ports, write } = await site([], ["main", "other"]);
    const writer = await join(ports.other);
    const finish = server.gate.outgoing(({ method, kind }) => kind === "reply" && method === "tpc_finish");
    const commit = new ClientCommit(writer).commit({ create: [OIDS[0]] });
    await finish.caught();
    write(["main"]);
    command.signal("SIGHUP");
    await command.line(({ msg }) => msg === "the configuration is read again", "that it is at work");
    command.signal("SIGTERM");
    await command.line(({ msg }) => msg === "stopping", "the stop");
    finish.open();
    await commit;
    expect((await command.ended()).status).toBe(0);
    expect(command.lines.map(({ msg }) => msg)).not.toContain(DONE);
    expect(command.lines.filter(({ level }) => level === "error")).toEqual([]);
  });
});

describe("SIGUSR1", () => {
  it("tells what is going on, in bounded lines, and disturbs nobody", async () => {
    const { server, command, ports } = await site();
    const [writer, watcher] = [await join(ports.main), await join(ports.main)];
    const finish = server.gate.outgoing(({ method, kind }) => kind === "reply" && method === "tpc_finish");
    const commit = new ClientCommit(writer).commit({ create: [OIDS[0]] });
    await finish.caught();
    const seen = command.lines.length;
    command.signal("SIGUSR1");
    const told = await command.until(() => {
      const lines = command.lines.slice(seen);
      return lines.filter(({ msg }) => msg === "state of a client").length === 2 ? lines : undefined;
    }, "the state");
    const of = (sort: string): Line[] => told.filter(({ msg }) => msg === `state of ${sort}`);
    expect(of("the process")).toMatchObject([{ level: "info", clients: { count: 2, limit: 100 }, guard: 0 }]);
    expect(of("an upstream")).toMatchObject([{ name: "main", state: "listening", clients: 2 }]);
    expect(of("a storage")).toMatchObject([{ storage: "1", finishing: 1, witness: "up" }]);
    expect(of("a client")).toMatchObject([{ state: "registered" }, { state: "registered" }]);
    finish.open();
    expect((await watcher.invalidation(await commit)).oids).toEqual([OIDS[0]]);
    await stopped(command);
  });
});
