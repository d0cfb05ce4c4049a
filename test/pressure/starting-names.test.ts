import dns from "node:dns";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { ClientCommit } from "../../src/embedded/client-commit.ts";
import { ConfigError } from "../../src/config/problem.ts";
import { createProxy } from "../../src/index.ts";
import { embeddedServer, oid, telling, tellings } from "../proxy/world.ts";
import { named, starting } from "./named.ts";

// What is not there yet when the proxy starts is waited for, and said: a server's name, a listening address or its name. It
// keeps no other upstream from being served. What can never be a name is an error.

const DOWN = "the server is down: not listening";
const BACK = "the server is back";
const BLOCKED = "the listening address can't be had: trying again";

/** A name service that knows one name, as soon as it is told. `pending`: it does not answer at all before. */
function nameService(name: string, pending = false): { learn: () => void } {
  const real = dns.lookup;
  let isKnown = false;
  const lookup = vi.spyOn(dns, "lookup").mockImplementation(((host: string, ...rest: unknown[]) => {
    const done = rest.at(-1) as (error: Error | null, ...found: unknown[]) => void;
    if (host !== name) return (real as (...args: unknown[]) => void)(host, ...rest);
    if (isKnown) return (real as (...args: unknown[]) => void)("127.0.0.1", ...rest);
    if (!pending) process.nextTick(done, Object.assign(new Error(`ENOTFOUND ${name}`), { code: "ENOTFOUND" }));
    return undefined;
  }) as unknown as typeof dns.lookup);
  onTestFinished(() => lookup.mockRestore());
  return { learn: () => (isKnown = true) };
}

describe("a server's name that does not resolve yet", () => {
  it("is waited for, and said; others are served meanwhile", async () => {
    const names = nameService("zeo.example.test");
    const server = await embeddedServer();
    const gateway = await named([
      { server: `zeo.example.test:${server.port}` },
      { server: `127.0.0.1:${server.port}` },
    ]);
    const states = () => gateway.proxy.stats().upstreams.map(({ state }) => state);
    expect(states()).toEqual(["down", "listening"]);
    expect(gateway.told(DOWN)).toMatchObject([{ upstream: "door0", reason: "ENOTFOUND" }]);
    const other = await gateway.connect({ door: 1 });
    const listening = gateway.event("listening");
    names.learn();
    expect(await listening).toMatchObject({ upstream: "door0" });
    expect(gateway.told(BACK)).toHaveLength(1);
    // They are one server, as is known now: what is committed by one way is told on the other one.
    const client = await gateway.connect({ door: 0 });
    const tid = await new ClientCommit(client).commit({ create: [oid(1)] });
    await other.invalidation(tid);
    expect(tellings(other)).toEqual([telling(tid, 1)]);
    expect(gateway.proxy.stats().storages).toMatchObject([{ commits: 1, foreign: 0 }]);
  });

  it("and a name service that never answers keep nobody else waiting", async () => {
    nameService("zeo.example.test", true);
    const server = await embeddedServer();
    const { gateway, started } = starting([
      { server: "zeo.example.test:8100" },
      { listen: "zeo.example.test:0", server: `127.0.0.1:${server.port}` },
      { server: `127.0.0.1:${server.port}` },
    ]);
    started.catch(() => undefined);
    await gateway.event("listening");
    const client = await gateway.connect({ door: 2 });
    expect(client.closed).toBe(false);
    await gateway.proxy.stop();
  });
});

describe("a listening address that is not there yet", () => {
  it("is waited for, and said once; others are served meanwhile", async () => {
    const server = await embeddedServer();
    const to = `127.0.0.1:${server.port}`;
    // An address of no machine: for documents.
    const gateway = await named([{ listen: "192.0.2.77:9100", server: to }, { server: to }]);
    expect(gateway.proxy.stats().upstreams.map(({ state }) => state)).toEqual(["blocked", "listening"]);
    const client = await gateway.connect({ door: 1 });
    expect(client.closed).toBe(false);
    expect(gateway.told(BLOCKED)).toMatchObject([{ upstream: "door0", reason: "EADDRNOTAVAIL" }]);
  });

  it("and whose name is not known yet is listened on as soon as it is", async () => {
    const names = nameService("proxy.example.test");
    const server = await embeddedServer();
    const gateway = await named([{ listen: "proxy.example.test:0", server: `127.0.0.1:${server.port}` }]);
    expect(gateway.told(BLOCKED)).toMatchObject([{ reason: "ENOTFOUND" }]);
    const listening = gateway.event("listening");
    names.learn();
    await listening;
    const client = await gateway.connect();
    expect(client.closed).toBe(false);
    expect(gateway.told(BLOCKED)).toHaveLength(1);
    expect(gateway.told(DOWN)).toEqual([]);
  });
});

it.each(["zeo..example:8100", "-zeo:8100", "300.1.1.1:8100", "zeo"])(
  "what can never be a name is an error: %s",
  (server) => {
    expect(() => createProxy({ upstreams: [{ listen: "127.0.0.1:0", server }] })).toThrow(ConfigError);
  },
);
