import { once } from "node:events";
import { connect } from "node:net";
import { describe, expect, it } from "vitest";
import { frameOf } from "../proxy/peer.ts";
import { registered, scripted, world, type Gateway } from "../proxy/world.ts";

// Whether a server is down is decided by what it does to the proxy's own dials, and by the same measure on the way out and on
// the way in. What a client says, or keeps silent about, is no sign against it.

const DOWN = "the server is down: not listening";
const TLS = Buffer.from("160301", "hex");

const upstream = (gateway: Gateway) => gateway.proxy.stats().upstreams[0];

/** Says something and waits until it is closed. */
async function says(gateway: Gateway, bytes: Buffer): Promise<void> {
  const socket = connect({ port: gateway.port(), host: "127.0.0.1" });
  socket.on("error", () => undefined);
  socket.on("data", () => undefined);
  socket.on("connect", () => socket.write(bytes));
  await once(socket, "close");
}

describe("a server that waits for its client to speak", () => {
  it("is not put down by clients that don't", async () => {
    const gateway = await scripted({ greeting: undefined }, { limits: { handshake: "200ms" } });
    for (let round = 0; round < 3; round++) await (await gateway.peer()).end();
    expect(upstream(gateway)?.state).toBe("listening");
    expect(gateway.told(DOWN)).toEqual([]);
    gateway.server.forget();
    const client = await gateway.peer();
    client.write(TLS);
    const server = await gateway.server.accept();
    expect(await server.take(TLS.length)).toEqual(TLS);
    server.write(Buffer.from("hello"));
    expect((await client.take(5)).toString()).toBe("hello");
    expect(gateway.told("listening")).toHaveLength(1);
  });

  it("is down where it refuses a dial, and back where it keeps one", async () => {
    const gateway = await scripted({ greeting: undefined }, { limits: { handshake: "200ms" } });
    const { port } = gateway.server;
    gateway.server.close();
    await (await gateway.peer()).end();
    expect(upstream(gateway)?.state).toBe("down");
    const listening = gateway.event("listening");
    await gateway.server.reopen(port);
    await listening;
    await (await gateway.peer()).end();
    expect(upstream(gateway)?.state).toBe("listening");
    expect(gateway.told(DOWN)).toHaveLength(1);
  });
});

describe("a server that a client has talked nonsense to", () => {
  it("is not down: the address stays open, and a line an hour tells of it", async () => {
    const gateway = await world();
    for (let n = 0; n < 100; n++) await says(gateway, Buffer.from("16030100", "hex"));
    await gateway.until(() => upstream(gateway)?.clients === 0, "all are gone");
    expect(gateway.told("listening")).toHaveLength(1);
    expect(gateway.told(DOWN)).toEqual([]);
    const relayed = gateway.lines.filter(({ msg }) => msg.startsWith("a connection is relayed"));
    expect(relayed).toMatchObject([{ reason: "tls", since: 1, total: 1 }]);
  });

  it("and that ends it behind its register is not down either", async () => {
    const gateway = await scripted();
    for (let n = 0; n < 20; n++) {
      const { client, server } = await registered(gateway);
      client.call(5, "noSuchMethod");
      await server.expect("noSuchMethod");
      server.socket.destroySoon();
      await client.end();
      client.socket.destroy();
      await gateway.until(() => upstream(gateway)?.clients === 0, "it is gone");
      // The proxy's own look: that alone decides.
      await gateway.server.accept();
    }
    expect(gateway.told("listening")).toHaveLength(1);
    expect(gateway.told(DOWN)).toEqual([]);
  });

  it("costs a line an hour for each kind, with a count, and each is counted", async () => {
    const gateway = await world();
    const nonsense = Buffer.concat([frameOf(Buffer.from("Z5")), frameOf(Buffer.alloc(50, 0xff))]);
    for (let n = 0; n < 25; n++) await says(gateway, nonsense);
    const large = Buffer.concat([frameOf(Buffer.from("Z5")), Buffer.from("7fffffff", "hex"), Buffer.alloc(10)]);
    for (let n = 0; n < 25; n++) await says(gateway, large);
    await gateway.until(() => upstream(gateway)?.clients === 0, "all are gone");
    expect(gateway.proxy.stats().ended).toEqual({ "bad-pickle": 25, "frame-too-long": 25 });
    expect(gateway.told("session ended")).toMatchObject([
      { code: "bad-pickle", fault: "client", since: 1, total: 1 },
      { code: "frame-too-long", fault: "client", since: 1, total: 1 },
    ]);
    expect(gateway.told("listening")).toHaveLength(1);
  });
});
