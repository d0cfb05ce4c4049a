import { describe, expect, it, onTestFinished } from "vitest";
import { createProxy, ListenError } from "../../src/index.ts";
import type { Status } from "../../src/admin/shape.ts";
import { ClientCommit } from "../../src/embedded/client-commit.ts";
import { EmbeddedClient } from "../../src/embedded/client.ts";
import { EmbeddedServer } from "../../src/embedded/server.ts";
import { portOf, Visitor } from "../admin/visitor.ts";
import { numbers } from "../admin/numbers.ts";
import { embeddedServer, oid, world, type Gateway } from "./world.ts";

const ADMIN = { admin: { listen: "127.0.0.1:0" } };

function adminOf(gateway: Gateway): string {
  return String(gateway.told("admin listening")[0]?.["address"]);
}

async function ask(gateway: Gateway, path: string) {
  const visitor = await Visitor.to(adminOf(gateway));
  const answer = await visitor.ask(path);
  visitor.socket.destroy();
  return answer;
}

/** Until they are as expected: what was made a moment ago is told again. */
async function scraped(gateway: Gateway, expected: Readonly<Record<string, number>>): Promise<Map<string, number>> {
  const deadline = Date.now() + 10_000;
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- one by one
    const found = numbers((await ask(gateway, "/metrics")).body);
    const all = Object.entries(expected);
    if (all.every(([name, value]) => found.get(name) === value) || Date.now() > deadline) {
      expect(Object.fromEntries(all.map(([name]) => [name, found.get(name)]))).toEqual(expected);
      return found;
    }
    // oxlint-disable-next-line no-await-in-loop -- one by one
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function status(gateway: Gateway): Promise<Status> {
  return JSON.parse((await ask(gateway, "/status.json")).body) as Status;
}

describe.each(["Z4", "Z5", "M5"] as const)("metrics before an unpatched %s server", (protocol) => {
  it("say what was committed, repaired, added and passed on", async () => {
    const gateway = await world({ protocol }, { isWatched: true, ...ADMIN });
    const writer = await gateway.connect();
    const watcher = await gateway.connect();
    const commit = new ClientCommit(writer);
    await commit.commit({ create: [oid(1), oid(2)] });
    const last = await commit.commit({ create: [oid(3)], modify: [oid(1)] });
    await watcher.invalidation(last);
    await watcher.loadBefore(oid(1), last);
    const server = `127.0.0.1:${gateway.server.port}`;
    const of = (name: string, rest = "") => `zeo_proxy_${name}{server="${server}",storage="1"${rest}}`;
    const isOld = protocol === "Z4";
    const found = await scraped(gateway, {
      [of("commits_total")]: 2,
      [of("foreign_commits_total")]: 0,
      [of("oids_added_total")]: 3,
      [of("repairs_total", ',kind="completed",source="client"')]: isOld ? 1 : 2,
      [of("repairs_total", ',kind="synthesized",source="client"')]: isOld ? 1 : 0,
      [of("repairs_total", ',kind="resumed",source="any"')]: 0,
      [of("repaired_transactions_total", ',source="client"')]: 2,
      [of("finishing_commits")]: 0,
      [of("held_messages")]: 0,
      [of("witness_up")]: 1,
      [of("history_transactions")]: 2,
      [`zeo_proxy_messages_total{upstream="door0",from="client",class="load"}`]: 1,
      [`zeo_proxy_messages_total{upstream="door0",from="client",class="store"}`]: 4,
      [`zeo_proxy_sessions{upstream="door0",state="registered"}`]: 2,
      [`zeo_proxy_clients_accepted_total{upstream="door0"}`]: 2,
      [`zeo_proxy_upstream_up{upstream="door0"}`]: 1,
      [`zeo_proxy_upstream_state{upstream="door0",state="listening"}`]: 1,
      [`zeo_proxy_upstream_state{upstream="door0",state="down"}`]: 0,
      zeo_proxy_guard_refusals_total: 0,
    });
    const { upstreams, storages } = await status(gateway);
    const list = upstreams[0]?.clients.list ?? [];
    expect(list.map(({ storage, protocol: spoken, state }) => [storage, spoken, state])).toEqual([
      ["1", protocol === "Z4" ? "Z4" : protocol, "registered"],
      ["1", protocol === "Z4" ? "Z4" : protocol, "registered"],
    ]);
    expect(storages).toMatchObject([{ server, storage: "1", commits: 2, patched: "no", witness: "up", oidsAdded: 3 }]);
    for (const party of ["client", "server"] as const) {
      const received = list.reduce((sum, client) => sum + client.received[party], 0);
      const sent = list.reduce((sum, client) => sum + client.sent[party], 0);
      expect(received).toBeGreaterThan(100);
      expect(found.get(`zeo_proxy_received_bytes_total{upstream="door0",from="${party}"}`)).toBeLessThanOrEqual(
        received,
      );
      expect(found.get(`zeo_proxy_sent_bytes_total{upstream="door0",to="${party}"}`)).toBeLessThanOrEqual(sent);
    }
    // All that clients have said went to the server; what they were told is longer than what it said.
    expect(found.get('zeo_proxy_sent_bytes_total{upstream="door0",to="server"}')).toBeGreaterThanOrEqual(
      found.get('zeo_proxy_received_bytes_total{upstream="door0",from="client"}') ?? NaN,
    );
    expect(found.get("process_resident_memory_bytes")).toBeGreaterThan(1e7);
    let looks = found.get("zeo_proxy_event_loop_delay_seconds_count");
    while (looks === 0)
      looks = numbers((await ask(gateway, "/metrics")).body).get("zeo_proxy_event_loop_delay_seconds_count");
    expect(looks).toBeGreaterThan(0);
  });
});

describe("metrics", () => {
  it("keep what sessions that are over have read and written", async () => {
    const gateway = await world({}, ADMIN);
    const client = await gateway.connect();
    await new ClientCommit(client).commit({ create: [oid(1)] });
    const bytes = 'zeo_proxy_received_bytes_total{upstream="door0",from="client"}';
    const before = (await scraped(gateway, { 'zeo_proxy_sessions{upstream="door0",state="registered"}': 1 })).get(
      bytes,
    );
    await client.close();
    const after = await scraped(gateway, { 'zeo_proxy_sessions{upstream="door0",state="registered"}': 0 });
    expect(after.get(bytes)).toBeGreaterThanOrEqual(before ?? NaN);
    expect(before).toBeGreaterThan(100);
    expect(after.get('zeo_proxy_sent_bytes_total{upstream="door0",to="server"}')).toBe(after.get(bytes));
  });

  it("say how long a message was held for a commit, and that it is", async () => {
    const gateway = await world({ protocol: "Z5" }, ADMIN);
    const writer = await gateway.connect();
    const watcher = await gateway.connect();
    const of = (name: string) => `zeo_proxy_${name}{server="127.0.0.1:${gateway.server.port}",storage="1"}`;
    const finish = gateway.server.gate.outgoing(({ method, kind }) => kind === "reply" && method === "tpc_finish");
    const committed = new ClientCommit(writer).commit({ create: [oid(1)] });
    await finish.caught();
    // The invalidation waits for what its committer is answered.
    await scraped(gateway, { [of("finishing_commits")]: 1, [of("held_messages")]: 1, [of("hold_seconds_count")]: 0 });
    finish.open();
    await watcher.invalidation(await committed);
    const found = await scraped(gateway, {
      [of("finishing_commits")]: 0,
      [of("held_messages")]: 0,
      [of("hold_seconds_count")]: 1,
    });
    expect(found.get(of("hold_seconds_sum"))).toBeGreaterThan(0);
  });

  it("have no storage that the server has not accepted: a client may say any name", async () => {
    const gateway = await world({}, ADMIN);
    await expect(gateway.connect({ storage: "of a client" })).rejects.toBeInstanceOf(Error);
    const client = await gateway.connect({ register: false });
    await expect(client.register('x"} 1', false)).rejects.toBeInstanceOf(Error);
    await gateway.connect();
    const text = (await ask(gateway, "/metrics")).body;
    expect(text).not.toContain("of a client");
    expect(text).not.toContain('x\\"');
    expect((await status(gateway)).storages.map(({ storage }) => storage)).toEqual(["1"]);
  });
});

describe("health", () => {
  it("is ready while all upstreams listen; else it says which one does not, and why", async () => {
    const gateway = await world({}, { doors: 2, ...ADMIN });
    expect(await ask(gateway, "/readyz")).toMatchObject({ status: 200, body: "ok\n" });
    // Where nobody is connected the next client finds out.
    await Promise.all([gateway.connect(), gateway.connect({ door: 1 })]);
    await gateway.server.close();
    await gateway.until(() => gateway.proxy.stats().upstreams.every(({ state }) => state === "down"), "both down");
    const server = `127.0.0.1:${gateway.server.port}`;
    expect(await ask(gateway, "/readyz")).toMatchObject({
      status: 503,
      body: `upstream door0: the server ${server} is down\nupstream door1: the server ${server} is down\n`,
    });
    expect(await ask(gateway, "/livez")).toMatchObject({ status: 200, body: "ok\n" });
    expect((await status(gateway)).upstreams).toMatchObject([
      { name: "door0", ready: false, reason: `the server ${server} is down`, state: "down" },
      { name: "door1", ready: false },
    ]);
  });

  it("is there to the end of a stop: alive, and not ready", async () => {
    const gateway = await world({ protocol: "Z5" }, ADMIN);
    const writer = await gateway.connect();
    const finish = gateway.server.gate.outgoing(({ method, kind }) => kind === "reply" && method === "tpc_finish");
    const committed = new ClientCommit(writer).commit({ create: [oid(1)] });
    await finish.caught();
    const address = adminOf(gateway);
    const visitor = await Visitor.to(address);
    const stopped = gateway.proxy.stop();
    expect(await visitor.ask("/livez")).toMatchObject({ status: 200 });
    const readiness = await visitor.ask("/readyz");
    expect(readiness).toMatchObject({ status: 503 });
    expect(readiness.body).toContain("the proxy is stopping\n");
    finish.open();
    await committed;
    await stopped;
    await visitor.closed;
    await expect(Visitor.to(address)).rejects.toThrow("ECONNREFUSED");
  });
});

describe("an admin address that is in use", () => {
  it("is a ListenError, and nothing is left open", async () => {
    const server = await embeddedServer();
    const other = new EmbeddedServer();
    await other.start();
    onTestFinished(() => other.close());
    const upstreams = [{ listen: "127.0.0.1:0", server: `127.0.0.1:${server.port}` }];
    const proxy = createProxy({ upstreams, admin: { listen: `127.0.0.1:${other.port}` } });
    const failure = await proxy.start().catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ListenError);
    expect(failure).toMatchObject({
      code: "EADDRINUSE",
      message: `admin: can't listen on 127.0.0.1:${other.port}: the address is in use`,
    });
    const left = proxy.stats().upstreams[0]?.listen ?? "";
    expect(portOf(left)).toBeGreaterThan(0);
    await expect(Visitor.to(left)).rejects.toThrow("ECONNREFUSED");
    await proxy.stop();
  });
});

describe("what would be repaired, where an upstream observes", () => {
  it("is counted apart, by who has committed, until nobody is observed any more", async () => {
    const gateway = await world({ protocol: "Z5" }, { isObserved: true, isWatched: true, ...ADMIN });
    const { port } = gateway.server;
    const [writer, watcher] = [await gateway.connect(), await gateway.connect()];
    const elsewhere = await EmbeddedClient.connect({ port });
    onTestFinished(() => elsewhere.destroy());
    const commit = new ClientCommit(writer);
    await commit.commit({ create: [oid(1), oid(2)] });
    const foreign = await new ClientCommit(elsewhere).commit({ create: [oid(3)], modify: [oid(1)] });
    await watcher.invalidation(foreign);
    const of = (name: string, more = "") => `zeo_proxy_${name}{server="127.0.0.1:${port}",storage="1"${more}}`;
    const observed = {
      [of("observed_commits_total")]: 1,
      [of("observed_foreign_commits_total")]: 1,
      [of("observed_oids_added_total")]: 3,
      [of("observed_setbacks_total")]: 0,
      [of("observed_witness_up")]: 1,
      [of("observed_repaired_transactions_total", ',source="client"')]: 1,
      [of("observed_repaired_transactions_total", ',source="foreign"')]: 1,
      [of("observed_repairs_total", ',kind="completed",source="client"')]: 1,
      [of("observed_repairs_total", ',kind="completed",source="foreign"')]: 2,
    };
    const found = await scraped(gateway, {
      ...observed,
      'zeo_proxy_upstream_repairs{upstream="door0"}': 0,
      'zeo_proxy_observed_sessions{upstream="door0"}': 2,
    });
    expect(found.get(of("commits_total"))).toBeUndefined();
    const { upstreams, storages } = await status(gateway);
    expect(upstreams).toMatchObject([
      { repair: "observe", observed: { clients: 2, ended: {} }, clients: { list: [{ observed: true }, {}] } },
    ]);
    expect(storages).toMatchObject([
      { observed: true, commits: 1, foreign: 1, repaired: { client: 1, foreign: 1 }, oidsAdded: 3 },
    ]);

    gateway.proxy.setRepair("door0", "on");
    await scraped(gateway, {
      'zeo_proxy_upstream_repairs{upstream="door0"}': 1,
      'zeo_proxy_observed_sessions{upstream="door0"}': 0,
    });
    await watcher.invalidation(await commit.commit({ create: [oid(4)], modify: [oid(2)] }));
    const counted = await scraped(gateway, { [of("commits_total")]: 1, [of("oids_added_total")]: 1 });
    // Nobody is observed any more: what was counted of them has ended with their storage and its witness.
    expect(Object.keys(observed).filter((name) => counted.has(name))).toEqual([]);
    expect((await status(gateway)).storages.map((one) => one.observed)).toEqual([false]);
  });

  it("has the sessions that would be ended, by code", async () => {
    const gateway = await world({ protocol: "Z5" }, { isObserved: true, ...ADMIN });
    const writer = await gateway.connect();
    writer.send("tpc_finish", oid(1));
    await scraped(gateway, { 'zeo_proxy_observed_sessions_ended_total{upstream="door0",code="one-way-call"}': 1 });
    expect((await status(gateway)).upstreams[0]).toMatchObject({
      ended: {},
      observed: { ended: { "one-way-call": 1 } },
    });
  });
});
