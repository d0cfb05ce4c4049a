import { once } from "node:events";
import { connect } from "node:net";
import { describe, expect, it } from "vitest";
import { binaryHeader, lineHeader } from "../net/headers.ts";
import { Peer } from "./peer.ts";
import { embeddedServer, gatewayTo, scripted, world, type Gateway } from "./world.ts";

const REFUSED = "a client is refused: closed as soon as it has connected";
const TLS_HELLO = Buffer.concat([Buffer.from("160301020001", "hex"), Buffer.alloc(500, 7)]);
const HEADER = lineHeader("TCP4", "192.0.2.7", "192.0.2.1", 56_324, 9100);

const upstream = (gateway: Gateway) => gateway.proxy.stats().upstreams[0];

/** A client from another address of this machine. */
async function from(address: string, gateway: Gateway): Promise<Peer> {
  const socket = connect({ port: gateway.port(), host: "127.0.0.1", localAddress: address, allowHalfOpen: true });
  await once(socket, "connect");
  return new Peer(socket);
}

/** Greeted by the server. */
async function greeted(peer: Peer): Promise<Peer> {
  expect((await peer.frame()).toString()).toBe("Z5");
  return peer;
}

/** Closed, and nothing was said to it. */
async function refused(peer: Peer): Promise<void> {
  await peer.end();
  expect(peer.waiting).toHaveLength(0);
}

describe("a list of networks", () => {
  it("lets in whom it allows, and closes others at once: the server hears nothing of them", async () => {
    const gateway = await scripted({}, { admission: { allow: ["127.0.0.2", "::1"] } });
    const others = [await gateway.peer(), await from("127.0.0.3", gateway)];
    for (const other of others) await refused(other);
    await greeted(await from("127.0.0.2", gateway));
    await gateway.server.accept();
    expect(upstream(gateway)).toMatchObject({ refused: { denied: 2 }, accepted: 1, clients: 1, state: "listening" });
    expect(gateway.told(REFUSED)).toMatchObject([
      { level: "warn", upstream: "door0", reason: "denied", since: 1, total: 1 },
    ]);
    expect(gateway.told(REFUSED)[0]?.["client"]).toMatch(/^127\.0\.0\.1:\d+$/);
    expect(gateway.told("client connected")).toHaveLength(1);
  });

  it("denies whom it denies, whatever is allowed", async () => {
    const gateway = await scripted({}, { admission: { allow: ["127.0.0.0/8"], deny: ["127.0.0.2/31"] } });
    await refused(await from("127.0.0.2", gateway));
    await refused(await from("127.0.0.3", gateway));
    await greeted(await from("127.0.0.4", gateway));
    expect(upstream(gateway)?.refused).toEqual({ denied: 2 });
  });
});

describe("a limit", () => {
  it("of an upstream closes whoever comes beyond it, and lets somebody in when somebody has left", async () => {
    const gateway = await scripted({}, { doors: 2, admission: { clients: 2 } });
    const first = await greeted(await gateway.peer());
    await greeted(await gateway.peer());
    for (let n = 0; n < 3; n++) await refused(await gateway.peer());
    expect(upstream(gateway)).toMatchObject({ refused: { "upstream-full": 3 }, accepted: 2, clients: 2 });
    expect(gateway.told(REFUSED)).toMatchObject([{ reason: "upstream-full", since: 1, total: 1 }]);
    // It still listens, and the other upstream has room.
    expect(upstream(gateway)?.state).toBe("listening");
    await greeted(await Peer.connect(gateway.port(1)));
    first.socket.destroy();
    await gateway.until(() => upstream(gateway)?.clients === 1, "it has left");
    await greeted(await gateway.peer());
  });

  it("of each address does the same to that one, and to no other", async () => {
    const gateway = await scripted({}, { admission: { "clients-per-address": 1 } });
    const first = await greeted(await from("127.0.0.2", gateway));
    await refused(await from("127.0.0.2", gateway));
    await greeted(await from("127.0.0.3", gateway));
    expect(upstream(gateway)?.refused).toEqual({ "address-full": 1 });
    first.socket.destroy();
    await gateway.until(() => upstream(gateway)?.clients === 1, "it has left");
    await greeted(await from("127.0.0.2", gateway));
  });

  it("counts who waits for a server that is down", async () => {
    const gateway = await scripted({}, { admission: { clients: 1 } });
    const { port } = gateway.server;
    const first = await greeted(await gateway.peer());
    gateway.server.close();
    first.socket.destroy();
    await gateway.until(() => upstream(gateway)?.clients === 0, "it has left");
    const waits = await gateway.peer();
    await gateway.until(() => upstream(gateway)?.state === "down", "the server is down");
    await gateway.server.reopen(port);
    await greeted(waits);
    await refused(await gateway.peer());
  });
});

describe("a PROXY header", () => {
  const admission = { "accept-proxy": true };

  it.each([
    ["version 1", HEADER, "192.0.2.7:56324"],
    [
      "version 2",
      binaryHeader(0x21, 0x21, Buffer.from(`${"20010db8000000000000000000000001".repeat(2)}dc0401bb0400017f`, "hex")),
      "2001:db8::1:56324",
    ],
  ])("says who its client is, and does not reach the server: %s", async (_, header, client) => {
    const gateway = await scripted({}, { admission });
    const peer = await gateway.peer();
    peer.write(header);
    await greeted(peer);
    peer.send(Buffer.from("Z5"));
    const server = await gateway.server.accept();
    expect((await server.frame()).toString()).toBe("Z5");
    peer.call(1, "register", "1", false);
    await server.expect("register");
    peer.socket.destroy();
    await server.end();
    server.socket.end();
    await gateway.until(() => upstream(gateway)?.clients === 0, "it has left");
    expect(gateway.told("client connected")).toMatchObject([{ client }]);
    expect(gateway.told("client disconnected")).toMatchObject([{ client }]);
  });

  it("is of those alone that a list names: others come as themselves", async () => {
    const server = await embeddedServer();
    const gateway = await gatewayTo(server.port, { admission: { "accept-proxy": ["127.0.0.2"] } });
    const direct = await gateway.connect();
    await direct.lastTransaction();
    const peer = await from("127.0.0.2", gateway);
    peer.write(HEADER);
    await greeted(peer);
    expect(gateway.told("client connected").map(({ client }) => String(client).split(":")[0])).toEqual([
      "127.0.0.1",
      "192.0.2.7",
    ]);
  });

  it("may come in one packet with TLS, which is relayed byte for byte without it", async () => {
    const gateway = await scripted({ greeting: undefined }, { admission });
    const peer = await gateway.peer();
    peer.write(Buffer.concat([HEADER, TLS_HELLO]));
    const server = await gateway.server.accept();
    expect((await server.take(TLS_HELLO.length)).equals(TLS_HELLO)).toBe(true);
    peer.write(Buffer.from("more"));
    expect((await server.take(4)).toString()).toBe("more");
    expect(gateway.told("a connection is relayed byte for byte: nothing is repaired on it")).toMatchObject([
      { client: "192.0.2.7:56324", reason: "tls" },
    ]);
  });

  it("names the address that lists and limits take", async () => {
    const gateway = await scripted(
      {},
      { admission: { ...admission, allow: ["192.0.2.0/24"], deny: ["192.0.2.9"], "clients-per-address": 1 } },
    );
    const claims = async (address: string): Promise<Peer> => {
      const peer = await gateway.peer();
      peer.write(lineHeader("TCP4", address, "192.0.2.1", 1, 2));
      return peer;
    };
    await greeted(await claims("192.0.2.7"));
    await refused(await claims("192.0.2.7"));
    await greeted(await claims("192.0.2.8"));
    await refused(await claims("192.0.2.9"));
    await refused(await claims("192.0.3.1"));
    // The balancer's own address is in no list.
    const check = await gateway.peer();
    check.write(binaryHeader(0x20, 0, Buffer.alloc(0)));
    await refused(check);
    expect(upstream(gateway)).toMatchObject({ accepted: 2, refused: { "address-full": 1, denied: 3 } });
  });

  it("that does not come, or is none, or not whole in time, ends the connection; none of it reaches the server", async () => {
    const gateway = await scripted({}, { admission, limits: { handshake: "300ms" } });
    const [mute, half, other, broken] = [
      await gateway.peer(),
      await gateway.peer(),
      await gateway.peer(),
      await gateway.peer(),
    ];
    half.write(HEADER.subarray(0, 30));
    other.send(Buffer.from("Z5"));
    broken.write(Buffer.from("PROXY TCP4 127.0.0.1 127.0.0.1 99999 1\r\n"));
    for (const peer of [mute, half, other, broken]) await refused(peer);
    expect(upstream(gateway)).toMatchObject({
      accepted: 0,
      clients: 0,
      refused: { "no-proxy-header": 2, "bad-proxy-header": 2 },
    });
    expect(gateway.told("client connected")).toEqual([]);
    expect(gateway.lines.filter(({ level }) => level === "error")).toEqual([]);
    const reasons = gateway.told(REFUSED).map(({ reason }) => reason);
    expect(reasons.toSorted()).toEqual(["bad-proxy-header", "no-proxy-header"]);
  });

  it("is not waited for by a stop", async () => {
    const gateway = await scripted({}, { admission });
    const peer = await gateway.peer();
    const after = await gateway.peer();
    after.write(HEADER);
    await greeted(after);
    await gateway.proxy.stop();
    await refused(peer);
    expect(upstream(gateway)?.refused).toEqual({});
  });

  it("is nothing that is looked for where nobody has said so", async () => {
    const gateway = await world({});
    const peer = await gateway.peer();
    peer.write(HEADER);
    await peer.end();
    expect(gateway.told("client connected")[0]?.["client"]).toMatch(/^127\.0\.0\.1:/);
    expect(upstream(gateway)?.refused).toEqual({});
  });
});

describe("an address that others reach", () => {
  const ANYBODY = "everybody who reaches this address is served: no allow list";
  const FORGED = "everybody who reaches this address may name any other as his: accept-proxy has no list";

  it.each([
    [{ listen: "0.0.0.0:0" }, [ANYBODY]],
    [{ listen: "0.0.0.0:0", deny: ["10.0.0.0/8"] }, [ANYBODY]],
    [{ listen: "0.0.0.0:0", allow: ["127.0.0.0/8"] }, []],
    [{ listen: "0.0.0.0:0", "accept-proxy": true }, [ANYBODY, FORGED]],
    [{ listen: "0.0.0.0:0", "accept-proxy": true, allow: ["10.0.0.0/8"] }, [FORGED]],
    [{ listen: "0.0.0.0:0", "accept-proxy": ["127.0.0.0/8"], allow: ["10.0.0.0/8"] }, []],
    [{ listen: "127.0.0.1:0", "accept-proxy": true }, []],
    [{ listen: "127.0.0.2:0" }, []],
    [{ listen: "localhost:0" }, []],
  ])("is warned of at the start where nobody guards it: %j", async (options, expected) => {
    const server = await embeddedServer();
    const gateway = await gatewayTo(server.port, { admission: options });
    const warnings = gateway.lines.filter(({ msg }) => [ANYBODY, FORGED].includes(msg));
    expect(warnings.map(({ msg }) => msg)).toEqual(expected);
    for (const line of warnings) {
      expect(line).toMatchObject({ level: "warn", upstream: "door0", address: `0.0.0.0:${gateway.port()}` });
    }
  });
});
