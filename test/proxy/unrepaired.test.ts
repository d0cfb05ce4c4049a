import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { pickleCodec } from "../../src/wire/pickle-codec.ts";
import { frameOf, type Peer } from "./peer.ts";
import { embeddedServer, gatewayTo, scripted, shaken, type Gateway } from "./world.ts";

const RELAYED = "a connection is relayed byte for byte: nothing is repaired on it";
const TLS_HELLO = Buffer.concat([Buffer.from("160301020001", "hex"), Buffer.alloc(500, 7)]);
const HTTP = Buffer.from("GET / HTTP/1.1\r\nHost: zeo\r\n\r\n");

/** Bytes both ways, in pieces, as they are. */
async function relays(client: Peer, server: Peer): Promise<void> {
  for (const [from, to] of [
    [client, server],
    [server, client],
    [client, server],
  ] as const) {
    const bytes = Buffer.from(Array.from({ length: 300 }, (_, i) => i % 256));
    from.write(bytes.subarray(0, 3));
    from.write(bytes.subarray(3));
    expect((await to.take(300)).equals(bytes)).toBe(true);
  }
}

describe("relayed byte for byte", () => {
  it("is a client that speaks TLS, before the server has said anything", async () => {
    const gateway = await scripted({ greeting: undefined });
    const client = await gateway.peer();
    client.write(TLS_HELLO);
    const server = await gateway.server.accept();
    expect((await server.take(TLS_HELLO.length)).equals(TLS_HELLO)).toBe(true);
    await relays(client, server);
    expectTold(gateway, "tls");
  });

  it("is HTTP", async () => {
    const gateway = await scripted();
    const client = await gateway.peer();
    const server = await gateway.server.accept();
    await client.frame();
    client.write(HTTP);
    expect((await server.take(HTTP.length)).equals(HTTP)).toBe(true);
    await relays(client, server);
    expectTold(gateway, "unknown-protocol");
  });

  it.each(["Z6", "Z2", "M6"])("is a client that answers %s", async (name) => {
    const gateway = await scripted();
    const { client, server } = await shaken(gateway, name);
    await relays(client, server);
    expectTold(gateway, "unknown-protocol");
  });

  it("is a server with an unknown greeting", async () => {
    const gateway = await scripted({ greeting: undefined });
    const client = await gateway.peer();
    const server = await gateway.server.accept();
    const greeting = Buffer.from("220 mail.example.com ESMTP\r\n");
    server.write(greeting);
    expect((await client.take(greeting.length)).equals(greeting)).toBe(true);
    await relays(client, server);
    expectTold(gateway, "unknown-protocol");
  });

  it("is a server that goes on talking before its client has answered", async () => {
    const gateway = await scripted({ greeting: "Z5" });
    const client = await gateway.peer();
    const server = await gateway.server.accept();
    await client.frame();
    const more = Buffer.alloc(100_000, 9);
    server.write(more);
    expect((await client.take(more.length)).equals(more)).toBe(true);
    await relays(client, server);
  });

  it("is a newer server's own name, whose client answers one that is known: that one is repaired", async () => {
    const gateway = await scripted({ greeting: "Z7" });
    await shaken(gateway, "Z5");
    expect(gateway.told(RELAYED)).toEqual([]);
    expect(gateway.lines.filter(({ level }) => level === "error")).toEqual([]);
  });

  it("warns once an hour, and counts", async () => {
    const gateway = await scripted();
    for (let n = 0; n < 3; n++) await shaken(gateway, "Z6");
    expect(gateway.told(RELAYED)).toHaveLength(1);
    expect(gateway.proxy.stats().upstreams[0]?.unrepaired).toEqual({ "unknown-protocol": 3 });
  });

  it("is a connection with MACs, from register on", async () => {
    const gateway = await scripted({ greeting: undefined });
    const client = await gateway.peer();
    const server = await gateway.server.accept();
    const sent = { "c>s": [] as Buffer[], "s>c": [] as Buffer[] };
    // Half of it in pieces that cut frames.
    for (const { dir, bytes } of recorded("auth-z4py27")) {
      const [from, to] = dir === "c>s" ? [client, server] : [server, client];
      const cut = sent[dir].length % 2 === 0 ? Math.min(5, bytes.length) : bytes.length;
      from.write(bytes.subarray(0, cut));
      from.write(bytes.subarray(cut));
      sent[dir].push(bytes);
      expect((await to.take(bytes.length)).equals(bytes)).toBe(true);
    }
    expectTold(gateway, "mac");
    expect(gateway.proxy.stats().storages).toEqual([]);
  });

  it("is no frame with bit 31 set once a client has registered without a MAC", async () => {
    const gateway = await scripted({ greeting: "Z4", dialect: "pickle3-zeo4" });
    const { client, server } = await shaken(gateway, "Z4", pickleCodec, "pickle3-zeo4");
    client.call(1, "register", "1", false);
    await server.expect("register");
    server.reply(1, null);
    await client.expect(".reply");
    server.write(Buffer.from("80000010", "hex"));
    await client.end();
    expect(gateway.proxy.stats().ended).toEqual({ "frame-too-long": 1 });
  });
});

describe("refused, where the configuration says so,", () => {
  const options = { "unknown-protocol": "refuse" } as const;
  it.each([
    ["TLS", TLS_HELLO],
    ["HTTP", HTTP],
    ["a newer protocol", frameOf(Buffer.from("Z6"))],
  ])("is %s, and not a byte of it reaches the server", async (_, bytes) => {
    const gateway = await scripted({}, options);
    const client = await gateway.peer();
    const server = await gateway.server.accept();
    await client.frame();
    client.write(bytes);
    await Promise.all([client.end(), server.end()]);
    expect(server.waiting).toHaveLength(0);
    expect(gateway.proxy.stats().ended).toEqual({ "unknown-protocol": 1 });
  });

  it("is not a monitor", async () => {
    const server = await embeddedServer();
    const gateway = await gatewayTo(server.port, options);
    expect(Object.keys(await ruok(gateway))).toEqual(["1"]);
  });
});

describe("a monitor's ruok", () => {
  it.each(["Z4", "Z5", "M5"] as const)("is answered before a %s server, and its end is no outage", async (protocol) => {
    const server = await embeddedServer({ protocol });
    const gateway = await gatewayTo(server.port);
    for (let n = 0; n < 3; n++) expect(Object.keys(await ruok(gateway))).toEqual(["1"]);
    await gateway.until(() => gateway.proxy.stats().upstreams[0]?.clients === 0, "sessions end");
    expect(gateway.told("listening")).toHaveLength(1);
    expect(gateway.told(RELAYED)).toEqual([]);
    expect(gateway.proxy.stats().upstreams[0]).toMatchObject({ state: "listening", unrepaired: {}, accepted: 3 });
    expect(gateway.ended).toEqual([]);
  });

  it("may come before the greeting, and be closed at once by a server that does not know it", async () => {
    const gateway = await scripted({ greeting: undefined });
    const client = await gateway.peer();
    client.send(Buffer.from("ruok"));
    const server = await gateway.server.accept();
    expect((await server.frame()).toString()).toBe("ruok");
    server.socket.destroy();
    await client.end();
    expect(gateway.proxy.stats().upstreams[0]?.state).toBe("listening");
  });
});

async function ruok(gateway: Gateway): Promise<object> {
  const client = await gateway.peer();
  client.send(Buffer.from("ruok"));
  await client.frame();
  const status = JSON.parse((await client.frame()).toString()) as object;
  await client.end();
  client.socket.end();
  return status;
}

function expectTold(gateway: Gateway, reason: string): void {
  expect(gateway.told(RELAYED)).toMatchObject([{ level: "warn", upstream: "door0", reason, since: 1, total: 1 }]);
  expect(gateway.proxy.stats().upstreams[0]?.unrepaired).toEqual({ [reason]: 1 });
  expect(gateway.ended).toEqual([]);
}

/** The bytes of a recording, in order. */
function recorded(name: string): { dir: "c>s" | "s>c"; bytes: Buffer }[] {
  const file = new URL(`../fixtures/mac/${name}.jsonl`, import.meta.url);
  return readFileSync(file, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as { dir: "c>s" | "s>c"; hex: string; mac?: string })
    .map(({ dir, hex, mac = "" }) => {
      const payload = Buffer.from(hex, "hex");
      const length = Buffer.alloc(4);
      length.writeUInt32BE(mac === "" ? payload.length : payload.length + 2 ** 31);
      return { dir, bytes: Buffer.concat([length, Buffer.from(mac, "hex"), payload]) };
    });
}
