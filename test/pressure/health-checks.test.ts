import dns from "node:dns";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { afterEach, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { EmbeddedClient } from "../../src/embedded/client.ts";
import { createProxy } from "../../src/index.ts";
import build from "../commands/setup.ts";
import { leave } from "../commands/stage.ts";
import { frameOf, ScriptedServer } from "../proxy/peer.ts";
import { embeddedServer, scripted, world } from "../proxy/world.ts";
import { canCount, FEW_DESCRIPTORS, idle, limited, until } from "./limited.ts";

// Whoever connects and closes, as load balancers and monitors do every few seconds for months, leaves nothing behind: within a
// second both sockets are gone, at whatever moment it is, and whatever the server does.

const WITHIN_MS = 1_000;
const NAME = frameOf(Buffer.from("Z5"));
const TLS = Buffer.from("160301", "hex");

afterEach(leave);

function end(socket: Socket, how: "closes" | "resets"): void {
  if (how === "resets") socket.resetAndDestroy();
  else socket.end();
}

/** How long it takes from now until it is so. */
async function lasts(ready: () => boolean, what: string): Promise<number> {
  const before = performance.now();
  await until(ready, what);
  return performance.now() - before;
}

/** What a probe has said when it goes. The server of the test greets or not, and takes no notice of anybody's end. */
const MOMENTS = [
  ["before its server's greeting", undefined, Buffer.alloc(0)],
  ["before its server's greeting, with half a name said", undefined, NAME.subarray(0, 5)],
  ["before its server's greeting, with its name said", undefined, NAME],
  ["behind the greeting", "Z5", Buffer.alloc(0)],
  ["behind the greeting, with half a name said", "Z5", NAME.subarray(0, 5)],
  ["behind the handshake", "Z5", NAME],
  ["relayed, before a server that greets", "Z5", TLS],
  ["relayed, before a server that waits for its client", undefined, TLS],
  ["with something said that nobody understands", "Z5", Buffer.from("GET / HTTP/1.0\r\n\r\n")],
] as const;

describe.each(["closes", "resets"] as const)("a client that %s", (how) => {
  it.each(MOMENTS)("%s is gone within a second, with its server's connection", async (_, greeting, says) => {
    const gateway = await scripted({ greeting });
    const probe = await idle(gateway.port());
    const server = await gateway.server.accept();
    if (says.length > 0) {
      probe.write(says);
      if (says === NAME) await server.frame();
      else await gateway.until(() => probe.bytesWritten === says.length, "it has left");
    }
    end(probe, how);
    const clients = (): number => gateway.proxy.stats().upstreams[0]?.clients ?? 0;
    expect(await lasts(() => clients() === 0, "the count is back")).toBeLessThan(WITHIN_MS);
    await server.end();
    // Closed on both sides: what the server writes now is answered by a reset.
    await until(() => {
      server.socket.write("x");
      return server.socket.destroyed;
    }, "its server's connection is closed");
    expect(gateway.told("listening")).toHaveLength(1);
  });

  it.each([Buffer.alloc(0), NAME])("while its server is being dialled is gone within a second (%#)", async (says) => {
    const server = await ScriptedServer.start();
    const proxy = createProxy({ upstreams: [{ listen: "127.0.0.1:0", server: `localhost:${server.port}` }] });
    onTestFinished(() => proxy.stop());
    await proxy.start();
    server.forget();
    // Its dial does not get as far as an address.
    const lookup = vi.spyOn(dns, "lookup").mockImplementation((() => undefined) as unknown as typeof dns.lookup);
    onTestFinished(() => lookup.mockRestore());
    const port = Number(proxy.stats().upstreams[0]?.listen?.split(":")[1]);
    const probe = await idle(port);
    await until(() => lookup.mock.calls.length > 0, "it is being dialled for");
    if (says.length > 0) {
      probe.write(says);
      await until(() => probe.bytesWritten === says.length, "it has left");
    }
    end(probe, how);
    expect(await lasts(() => proxy.stats().upstreams[0]?.clients === 0, "it is gone")).toBeLessThan(WITHIN_MS);
  });

  it.each([Buffer.alloc(0), NAME])("after its dial has failed is gone within a second (%#)", async (says) => {
    const gateway = await scripted();
    gateway.server.close();
    const probe = await idle(gateway.port());
    await gateway.until(() => gateway.proxy.stats().upstreams[0]?.state === "down", "its dial has failed");
    expect(gateway.proxy.stats().upstreams[0]?.clients).toBe(1);
    if (says.length > 0) probe.write(says);
    end(probe, how);
    expect(await lasts(() => gateway.proxy.stats().upstreams[0]?.clients === 0, "it is gone")).toBeLessThan(WITHIN_MS);
  });
});

it("probes shut nobody out, however few clients may connect", async () => {
  const gateway = await world({}, { limits: { clients: 3 } });
  let refused = 0;
  for (let probes = 0; probes < 60; probes++) {
    const probe = connect({ port: gateway.port(), host: "127.0.0.1" });
    probe.on("error", () => refused++);
    probe.on("connect", () => end(probe, probes % 2 === 0 ? "closes" : "resets"));
    await once(probe, "close");
  }
  await gateway.until(() => gateway.proxy.stats().upstreams[0]?.clients === 0, "all are gone");
  await gateway.until(() => gateway.proxy.stats().upstreams[0]?.state === "listening", "it listens");
  const clients = await Promise.all([gateway.connect(), gateway.connect(), gateway.connect()]);
  for (const client of clients) expect(client.closed).toBe(false);
  expect(refused).toBeLessThan(60);
});

describe.runIf(canCount)("with few descriptors", () => {
  beforeAll(build, 120_000);

  it("hundreds of probes cost none", async () => {
    const server = await embeddedServer();
    const { command, port, openDescriptors } = await limited(
      FEW_DESCRIPTORS,
      `upstreams: [{ listen: 127.0.0.1:0, server: 127.0.0.1:${server.port} }]\nlimits: { clients: 50 }\n`,
    );
    const before = openDescriptors();
    for (let round = 0; round < 10; round++) {
      const probes = await Promise.all(Array.from({ length: 30 }, () => idle(port)));
      for (const [n, probe] of probes.entries()) end(probe, n % 2 === 0 ? "closes" : "resets");
      await until(() => openDescriptors() <= before, "all descriptors are back");
    }
    const client = await EmbeddedClient.connect({ port });
    onTestFinished(() => client.destroy());
    expect(client.closed).toBe(false);
    const bad = command.lines.filter(({ level }) => level === "error");
    expect(bad).toEqual([]);
  });
});
