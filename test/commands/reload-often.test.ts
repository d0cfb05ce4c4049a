import { renameSync, rmSync, writeFileSync } from "node:fs";
import { afterEach, expect, it } from "vitest";
import { ClientCommit } from "../../src/embedded/client-commit.ts";
import type { EmbeddedClient } from "../../src/embedded/client.ts";
import { EmbeddedServer } from "../../src/embedded/server.ts";
import { freePort } from "../net/free-port.ts";
import { zeoProxy, type Line } from "./command.ts";
import { hasCaught, waitUntil } from "./process.ts";
import { commits, IN_FORCE, joins, leave, reread, served, stopped } from "./stage.ts";

// SIGHUP, again and again, and at moments at which it is not convenient.

afterEach(leave);

const SIGHUP = 1;
const READ = "the configuration is read again";
const WRONG = "the configuration is wrong: nothing is changed";

interface Site {
  readonly server: EmbeddedServer;
  readonly ports: { readonly main: number; readonly other: number };
  readonly text: (upstreams: readonly ("main" | "other")[], rest?: string, repair?: string) => string;
}

async function site(): Promise<Site> {
  const server = await served(new EmbeddedServer({ protocol: "Z5" }));
  const ports = { main: await freePort(), other: await freePort() };
  const text: Site["text"] = (upstreams, rest = "limits: { clients: 300 }", repair = "on") => {
    const lines = upstreams.map(
      (name) =>
        `  - { name: ${name}, listen: "127.0.0.1:${ports[name]}", server: "127.0.0.1:${server.port}", repair: ${repair} }`,
    );
    return ["upstreams:", ...lines, rest, ""].join("\n");
  };
  return { server, ports, text };
}

/** In one step: who reads it meanwhile sees the one or the other. */
function replace(file: string, text: string): void {
  writeFileSync(`${file}.new`, text);
  renameSync(`${file}.new`, file);
}

it("fifty in a row, before 200 clients: nobody is disconnected, commits go on, and the last content holds", async () => {
  const { ports, text } = await site();
  const { command, file } = await reread(text(["main"]));
  const clients: EmbeddedClient[] = [];
  for (let n = 0; n < 8; n++) {
    // oxlint-disable-next-line no-await-in-loop -- some at a time
    clients.push(...(await Promise.all(Array.from({ length: 25 }, () => joins(ports.main)))));
  }
  const [writer, watcher] = clients as [EmbeddedClient, EmbeddedClient];
  let isOver = false;
  let made = 0;
  const goesOn = (async () => {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    while (!isOver) await commits(writer, ++made, watcher);
  })();
  for (let n = 0; n < 50; n++) {
    replace(file, text(n % 2 === 0 ? ["main", "other"] : ["main"], `limits: { clients: ${300 + n} }`));
    command.signal("SIGHUP");
    // As the system gives it, one by one or several as one.
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await new Promise((resolve) => setImmediate(resolve));
  }
  replace(file, text(["main", "other"], "limits: { clients: 299 }\nlog: { level: debug }"));
  command.signal("SIGHUP");
  await command.line(
    ({ msg, changed }) => msg === IN_FORCE && (changed as string[]).includes("log.level"),
    "the last one",
  );
  isOver = true;
  await goesOn;
  await commits(await joins(ports.other), ++made, watcher);
  for (const told of clients.slice(1)) {
    // oxlint-disable-next-line no-await-in-loop -- all of them
    expect(told.closed ? "closed" : (await told.call("lastTransaction")) !== null).toBe(true);
  }
  const lines = await stopped(command);
  expect(lines.filter(({ level }) => level === "warn" || level === "error")).toEqual([]);
  const done = lines.filter(({ msg }) => msg === IN_FORCE).length;
  expect(done).toBeGreaterThan(0);
  expect(lines.filter(({ msg }) => msg === READ)).toHaveLength(done);
});

it("repaired or observed, to and fro: nobody is disconnected, and whoever has turned is told whole", async () => {
  const { ports, text } = await site();
  const { command, file, hangUp } = await reread(text(["main"]));
  const [writer, watcher] = [await joins(ports.main), await joins(ports.main)];
  const commit = new ClientCommit(writer);
  let made = 0;
  for (const repair of ["observe", "on", "observe", "on"]) {
    writeFileSync(file, text(["main"], "limits: { clients: 300 }", repair));
    // oxlint-disable no-await-in-loop -- one after the other
    expect(await hangUp()).toMatchObject({ reopened: [] });
    // Behind an answer nothing is on the way: it turns, if with the next one.
    const added = async (): Promise<number> => {
      const created = (++made).toString(16).padStart(16, "0");
      return (await watcher.invalidation(await commit.commit({ create: [created] }))).oids.length;
    };
    await expect.poll(added, { timeout: 10_000 }).toBe(repair === "on" ? 1 : 0);
    // oxlint-enable no-await-in-loop
  }
  expect([writer.closed, watcher.closed]).toEqual([false, false]);
  const lines = await stopped(command);
  expect(lines.filter(({ level }) => level === "warn" || level === "error")).toEqual([]);
});

it("a file that is not there changes nothing, and is read when it is there again", async () => {
  const { ports, text } = await site();
  const { command, file, hangUp } = await reread(text(["main"]));
  const [writer, watcher] = [await joins(ports.main), await joins(ports.main)];
  rmSync(file);
  expect(await hangUp(WRONG)).toMatchObject({ level: "error", problems: [expect.stringContaining("no such file")] });
  await commits(writer, 1, watcher);
  writeFileSync(file, "");
  expect(await hangUp(WRONG)).toMatchObject({ level: "error" });
  writeFileSync(file, text(["main", "other"]));
  expect(await hangUp()).toMatchObject({ opened: ["other"] });
  await commits(await joins(ports.other), 2, watcher);
  await stopped(command);
});

it("a second one behind one that waits for a commit has its turn when that is over", async () => {
  const { server, ports, text } = await site();
  const { command, file } = await reread(text(["main", "other"]), 2);
  const [writer, watcher] = [await joins(ports.other), await joins(ports.main)];
  const finish = server.gate.outgoing(({ method, kind }) => kind === "reply" && method === "tpc_finish");
  const commit = new ClientCommit(writer).commit({ create: ["0000000000000001"] }).catch((error: unknown) => error);
  await finish.caught();
  // Longer than the test: what ends it is the commit.
  writeFileSync(file, text(["main"], "limits: { clients: 300, drain: 10m }"));
  command.signal("SIGHUP");
  await command.line(({ msg }) => msg === READ, "the first one");
  writeFileSync(file, text(["main", "other"], "limits: { clients: 301, drain: 10m }"));
  command.signal("SIGHUP");
  // Meanwhile others are served, and may come.
  await joins(ports.main);
  expect(command.lines.filter(({ msg }) => msg === IN_FORCE)).toEqual([]);
  finish.open();
  expect((await watcher.invalidation((await commit) as never)).oids).toEqual(["0000000000000001"]);
  const opened = ({ msg, opened: names }: Line): boolean => msg === IN_FORCE && (names as string[]).includes("other");
  await command.line(opened, "the second one");
  await commits(await joins(ports.other), 2, watcher);
  await stopped(command);
});

it("many while the proxy starts end nothing, and many while it stops change nothing", async () => {
  const { server, ports, text } = await site();
  const { command: first, file } = await reread(text(["main"]));
  await stopped(first);
  const command = zeoProxy(["run", "--config", file]);
  await waitUntil(() => hasCaught(command.child.pid ?? 0, SIGHUP), "it takes SIGHUP");
  replace(file, text(["main", "other"]));
  for (let n = 0; n < 20; n++) command.signal("SIGHUP");
  // By a reload, or because it had not read it yet.
  await command.line(({ msg, upstream }) => msg === "listening" && upstream === "other", "the other one listens");
  const writer = await joins(ports.main);
  const finish = server.gate.outgoing(({ method, kind }) => kind === "reply" && method === "tpc_finish");
  const commit = new ClientCommit(writer).commit({ create: ["0000000000000001"] });
  await finish.caught();
  command.signal("SIGTERM");
  await command.line(({ msg }) => msg === "stopping", "the stop");
  const before = command.lines.filter(({ msg }) => msg === READ).length;
  writeFileSync(file, text(["main"]));
  for (let n = 0; n < 20; n++) command.signal("SIGHUP");
  await command.line(({ msg, signal }) => msg === "a signal that does nothing" && signal === "SIGHUP", "a line");
  finish.open();
  await commit;
  expect(await command.ended()).toMatchObject({ status: 0, stderr: "" });
  expect(command.lines.filter(({ msg }) => msg === READ)).toHaveLength(before);
});
