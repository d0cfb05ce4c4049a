import dns from "node:dns";
import { afterEach, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { EmbeddedClient } from "../../src/embedded/client.ts";
import build from "../commands/setup.ts";
import { leave } from "../commands/stage.ts";
import { embeddedServer, registered, scripted, world, type Gateway } from "../proxy/world.ts";
import { canCount, FEW_DESCRIPTORS, idle, limited, until } from "./limited.ts";
import { named } from "./named.ts";

// What is amiss on this machine is no outage of the server. It is named once, and its end once; who is connected is not
// disturbed, others wait or are refused; and it passes by itself.

const DOWN = "the server is down: not listening";
const TROUBLE = "this machine can't make connections: not listening";
const OVER = "this machine can make connections again";

const upstream = (gateway: Gateway) => gateway.proxy.stats().upstreams[0];

afterEach(leave);

describe.runIf(canCount)("a process without descriptors", () => {
  beforeAll(build, 120_000);

  it.each([FEW_DESCRIPTORS, FEW_DESCRIPTORS + 1])(
    "that may have %i says so once, serves who is connected, and others when some have left",
    async (descriptors) => {
      const server = await embeddedServer();
      const { command, port } = await limited(
        descriptors,
        `upstreams: [{ listen: 127.0.0.1:0, server: 127.0.0.1:${server.port} }]\n`,
      );
      const few = await command.line(({ msg }) => String(msg).startsWith("the limit of open files"), "a warning");
      expect(few).toMatchObject({ level: "warn", clients: 10_000, allowed: descriptors });
      const established = await EmbeddedClient.connect({ port });
      onTestFinished(() => established.destroy());
      // As many as can be, and some more: they are refused, or closed.
      const others = await Promise.allSettled(Array.from({ length: 100 }, () => idle(port)));
      const trouble = await command.line(({ msg }) => msg === TROUBLE, "what is amiss");
      expect(trouble).toMatchObject({ level: "error", reason: "EMFILE" });
      // It lasts: what is tried meanwhile says nothing more.
      for (let n = 0; n < 30; n++) {
        await established.lastTransaction();
        await idle(port).catch(() => undefined);
      }
      const said = (msg: string): number => command.lines.filter((line) => line["msg"] === msg).length;
      expect([said(TROUBLE), said(OVER), said(DOWN), said("listening")]).toEqual([1, 0, 0, 1]);
      for (const other of others) if (other.status === "fulfilled") other.value.destroy();
      let client: EmbeddedClient | undefined;
      while (client === undefined)
        client = await EmbeddedClient.connect({ port, timeoutMs: 500 }).catch(() => undefined);
      onTestFinished(() => client?.destroy());
      await client.lastTransaction();
      await established.lastTransaction();
      await command.line(({ msg }) => msg === OVER, "its end");
      expect([said(TROUBLE), said(OVER), said(DOWN), said("listening")]).toEqual([1, 1, 0, 1]);
    },
    60_000,
  );
});

describe("a name service that fails for a moment", () => {
  it("is named once, and who comes meanwhile is served when it answers", async () => {
    const server = await embeddedServer();
    const gateway = await named([{ server: `localhost:${server.port}` }]);
    const established = await gateway.connect();
    const lookup = vi.spyOn(dns, "lookup").mockImplementation(((_: string, ...rest: unknown[]) => {
      const done = rest.at(-1) as (error: Error) => void;
      process.nextTick(done, Object.assign(new Error("getaddrinfo EAI_AGAIN"), { code: "EAI_AGAIN" }));
    }) as unknown as typeof dns.lookup);
    onTestFinished(() => lookup.mockRestore());
    const client = EmbeddedClient.connect({ port: gateway.port() });
    await gateway.until(() => gateway.told(TROUBLE).length === 1, "what is amiss");
    expect(upstream(gateway)?.state).toBe("trouble");
    await until(() => lookup.mock.calls.length > 3, "it is tried again");
    await established.lastTransaction();
    lookup.mockRestore();
    const served = await client;
    onTestFinished(() => served.destroy());
    await served.lastTransaction();
    expect(gateway.told(TROUBLE)).toMatchObject([{ reason: "EAI_AGAIN" }]);
    expect(gateway.told(DOWN)).toEqual([]);
  });
});

describe("one dial that fails while others are connected", () => {
  it("is no outage: its client is served when the next one succeeds", async () => {
    const gateway = await scripted();
    const { port } = gateway.server;
    const other = await registered(gateway);
    gateway.server.close();
    const client = await gateway.peer();
    await gateway.server.reopen(port);
    expect((await client.frame()).toString()).toBe("Z5");
    other.client.call(5, "ping");
    await other.server.expect("ping");
    expect(gateway.told(DOWN)).toEqual([]);
    expect(gateway.told("listening")).toHaveLength(1);
  });

  it("is the first sign of one that is told of when the last of them has gone", async () => {
    const gateway = await scripted();
    const other = await registered(gateway);
    gateway.server.close();
    await gateway.peer();
    other.server.socket.destroy();
    await gateway.event("down");
    expect(gateway.told(DOWN)).toMatchObject([{ reason: "ECONNREFUSED" }]);
  });
});

describe("a process that is full", () => {
  it("says so once, and once when it has room, however many come and go meanwhile", async () => {
    const gateway = await world({}, { limits: { clients: 1 } });
    for (let round = 0; round < 5; round++) {
      const client = await gateway.connect();
      await client.close();
      await gateway.until(() => upstream(gateway)?.state === "listening", "it listens again");
    }
    const [FULL, ROOM] = ["limits.clients is reached: not listening", "there is room for clients again"];
    expect(gateway.told(FULL)).toMatchObject([{ level: "warn", clients: 1 }]);
    await gateway.until(() => gateway.told(ROOM).length > 0, "its end is told", 15_000);
    expect([gateway.told(FULL).length, gateway.told(ROOM).length]).toEqual([1, 1]);
    const atInfo = gateway.told("listening").filter(({ level }) => level === "info");
    expect(atInfo).toHaveLength(1);
  });
});
