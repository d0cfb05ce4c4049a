import { afterEach, expect, it } from "vitest";
import { EmbeddedServer } from "../../src/embedded/server.ts";
import { freePort } from "../net/free-port.ts";
import type { CommandProcess, Line } from "./command.ts";
import { commits, joins, leave, reread, served, stopped } from "./stage.ts";
import { zeoProxy } from "./command.ts";
import { configFile } from "./stage.ts";

// SIGUSR1: how everything is, from nothing to more than can be told.

afterEach(leave);

/** Sends the signal; all lines of it, of which the last one is of that sort and the `count`th. */
async function told(command: CommandProcess, last: string, count: number): Promise<(sort: string) => Line[]> {
  const seen = command.lines.length;
  command.signal("SIGUSR1");
  const lines = await command.until(() => {
    const all = command.lines.slice(seen);
    return all.filter(({ msg }) => msg === last).length === count ? all : undefined;
  }, last);
  return (sort) => lines.filter(({ msg }) => msg === `state of ${sort}`);
}

it("while nothing is open and nobody is there tells that", async () => {
  const port = await freePort();
  const file = configFile(
    `upstreams: [{ name: main, listen: "127.0.0.1:${port}", server: "127.0.0.1:9" }]\nlimits: { clients: 100 }\n`,
  );
  const command = zeoProxy(["run", "--config", file]);
  await command.line(({ msg }) => msg === "the server is down: not listening", "the server is down");
  const of = await told(command, "state of an upstream", 1);
  expect(of("the process")).toMatchObject([{ level: "info", state: "running", clients: { count: 0, limit: 100 } }]);
  expect(of("an upstream")).toMatchObject([{ name: "main", state: "down", ready: false, clients: 0 }]);
  expect([of("a storage"), of("a client")]).toEqual([[], []]);
  const lines = await stopped(command);
  expect(lines.filter(({ msg }) => String(msg).startsWith("state: so many more"))).toEqual([]);
});

it("of 120 upstreams and 230 clients tells a hundred each, and how many are left out; and goes on", async () => {
  const server = await served(new EmbeddedServer({ protocol: "Z5" }));
  const upstreams = Array.from(
    { length: 120 },
    (_, n) => `  - { name: "u${n}", listen: "127.0.0.1:0", server: "127.0.0.1:${server.port}", witness: "off" }\n`,
  );
  const { command, hangUp } = await reread(`upstreams:\n${upstreams.join("")}limits: { clients: 300 }\n`, 120);
  const port = (n: number): number => {
    const line = command.lines.find(({ msg, upstream }) => msg === "listening" && upstream === `u${n}`);
    return Number(String(line?.["address"]).split(":")[1]);
  };
  const clients = [];
  for (let n = 0; n < 115; n++) {
    // oxlint-disable-next-line no-await-in-loop -- some at a time
    clients.push(...(await Promise.all([joins(port(n)), joins(port(n))])));
  }
  const [writer, watcher] = clients;
  if (writer === undefined || watcher === undefined) throw new Error("nobody has come");
  const of = await told(command, "state: so many more are left out", 1);
  expect(of("the process")).toMatchObject([{ clients: { count: 230 } }]);
  expect([of("an upstream").length, of("a client").length]).toEqual([100, 100]);
  const [more] = command.lines.filter(({ msg }) => msg === "state: so many more are left out");
  expect(more).toMatchObject({ upstreams: 20, storages: 0, clients: 130 });
  await commits(writer, 1, watcher);
  // And while a reload is at work, which changes nothing here.
  const [done] = await Promise.all([hangUp(), told(command, "state: so many more are left out", 1)]);
  expect(done).toMatchObject({ opened: [], reopened: [], closed: [] });
  await commits(writer, 2, watcher);
  await stopped(command);
});
