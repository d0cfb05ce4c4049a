import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { frameOf } from "../proxy/peer.ts";
import { registered, scripted, shaken, world, type Gateway } from "../proxy/world.ts";

// Connections that nobody uses take nobody's place: who has not registered within limits.handshake is ended. Who has
// registered may be idle for ever. And a host that has gone without a word is found out.

const HANDSHAKE = "400ms";
const NAME = frameOf(Buffer.from("Z5"));
const TLS = Buffer.from("160301", "hex");

const upstream = (gateway: Gateway) => gateway.proxy.stats().upstreams[0];

describe("a connection that nobody registers on", () => {
  it("is ended, so that it shuts nobody out; one line tells of all of them", async () => {
    const gateway = await world({}, { limits: { clients: 40, handshake: "2s" } });
    const idle = await Promise.all(Array.from({ length: 40 }, () => gateway.peer()));
    for (const [n, peer] of idle.entries()) if (n % 2 === 0) peer.write(NAME);
    await gateway.until(() => upstream(gateway)?.state === "full", "it is full");
    await Promise.all(idle.map((peer) => peer.end()));
    await gateway.until(() => upstream(gateway)?.clients === 0, "all are gone");
    await gateway.until(() => gateway.server.connections.length === 0, "at the server, too");
    expect(gateway.proxy.stats().ended).toEqual({ "not-registered": 40 });
    expect(gateway.told("session ended")).toMatchObject([
      { level: "error", code: "not-registered", fault: "client", since: 1, total: 1 },
    ]);
    await gateway.until(() => upstream(gateway)?.state === "listening", "it listens again");
    const client = await gateway.connect();
    expect(client.closed).toBe(false);
    expect(gateway.told("the server is down: not listening")).toEqual([]);
  });

  it("and whose server has closed its half is closed, too", async () => {
    const gateway = await scripted({}, { limits: { handshake: HANDSHAKE } });
    const { client, server } = await shaken(gateway);
    server.socket.end();
    await client.end();
    expect(upstream(gateway)?.clients).toBe(1);
    await gateway.until(() => upstream(gateway)?.clients === 0, "it is closed");
    expect(gateway.proxy.stats().ended).toEqual({});
  });

  it("is none that has registered, however long it is idle", async () => {
    const gateway = await scripted({}, { limits: { handshake: HANDSHAKE } });
    const { client, server } = await registered(gateway);
    // Those that came later are ended before: it has been idle for longer.
    for (let round = 0; round < 3; round++) await (await gateway.peer()).end();
    client.call(5, "ping");
    await server.expect("ping");
    server.reply(5, null);
    await client.expect(".reply");
    expect(gateway.proxy.stats().ended).toEqual({ "not-registered": 3 });
  });

  it("is ended, too, where it is relayed and nobody goes on with it; not where somebody does", async () => {
    const gateway = await scripted({ greeting: undefined }, { limits: { handshake: HANDSHAKE } });
    const begun = await gateway.peer();
    begun.write(TLS);
    const answered = await gateway.peer();
    const inUse = await gateway.peer();
    for (const peer of [answered, inUse]) peer.write(TLS);
    const servers = [await gateway.server.accept(), await gateway.server.accept(), await gateway.server.accept()];
    for (const server of servers) await server.take(TLS.length);
    for (const server of servers.slice(1)) server.write(Buffer.from("server hello"));
    await answered.take(12);
    await inUse.take(12);
    inUse.write(Buffer.from("finished"));
    await Promise.all([begun.end(), answered.end()]);
    // Longer than the others were: they were all begun together.
    await (await gateway.peer()).end();
    expect(inUse.ended).toBe(false);
    await gateway.until(() => upstream(gateway)?.clients === 1, "only that one is left");
  });
});

/** How long the system waits until it asks for the first time whether the other host is there: seconds, by local port. */
function keepAlives(): { local: number; remote: number; seconds: number }[] {
  const port = (address: string): number => Number.parseInt(address.split(":")[1] ?? "", 16);
  return readFileSync("/proc/net/tcp", "utf8")
    .split("\n")
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , , , , timer]) => timer?.startsWith("02:") === true)
    .map(([, local = "", remote = "", , , timer = ""]) => ({
      local: port(local),
      remote: port(remote),
      seconds: Number.parseInt(timer.slice(3), 16) / 100,
    }));
}

describe.runIf(process.platform === "linux")("keep-alive", () => {
  it.each([
    [undefined, 110],
    ["30s", 20],
  ])("%s asks a silent host after all but ten seconds of it, on both sides", async (option, seconds) => {
    const gateway = await scripted({}, option === undefined ? {} : { "keep-alive": option });
    await expectAsked(gateway, seconds);
  });

  it("is another one behind a reload, for connections that are made then", async () => {
    const gateway = await scripted();
    const server = `127.0.0.1:${gateway.server.port}`;
    const upstreams = [{ name: "door0", listen: "127.0.0.1:0", server, witness: "off" as const }];
    const limits = { drain: "1s" };
    const result = await gateway.proxy.reload({ upstreams, limits, "keep-alive": "30s" });
    expect(result).toMatchObject({ reopened: [], changed: ["keep-alive"] });
    await expectAsked(gateway, 20);
  });
});

/** After so long both sides of a client's connections that is new ask whether the other host is there, or somewhat sooner. */
async function expectAsked(gateway: Awaited<ReturnType<typeof scripted>>, seconds: number): Promise<void> {
  const { client } = await registered(gateway);
  const sides = (): number[][] => {
    const found = keepAlives();
    return [
      found.filter(({ local, remote }) => local === gateway.port() && remote === client.socket.localPort),
      found.filter(({ remote }) => remote === gateway.server.port),
    ].map((side) => side.map((one) => one.seconds));
  };
  // Until what was written is acknowledged another timer runs.
  await gateway.until(() => sides().every((side) => side.length === 1), "both wait to ask");
  for (const [waits = 0] of sides()) {
    expect(waits).toBeLessThanOrEqual(seconds);
    expect(waits).toBeGreaterThan(seconds - 10);
  }
}
