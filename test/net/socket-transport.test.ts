import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Address } from "../../src/config/address.ts";
import { within } from "../proxy/peer.ts";
import { meanwhile, portOf } from "./loopback.ts";
import { freePort } from "./free-port.ts";
import { dial, Listening } from "./transported.ts";

const HOST = "127.0.0.1";

/** A server of the test's, and who has connected to it. */
async function testServer(): Promise<{ address: Address; sockets: Socket[]; connection: () => Promise<Socket> }> {
  const sockets: Socket[] = [];
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on("error", () => undefined);
    sockets.push(socket);
    onTestFinished(() => void socket.destroy());
  }).listen(0, HOST);
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const connection = async (): Promise<Socket> => {
    if (sockets.length === 0) await within(once(server, "connection"), "a connection");
    return sockets[0] as Socket;
  };
  return { address: { host: HOST, port: portOf(server.address()) }, sockets, connection };
}

describe("a dial", () => {
  it("connects: bytes go to and fro, half-closes as well", async () => {
    const server = await testServer();
    const { told, connected } = dial(server.address);
    const noted = await connected;
    const other = await server.connection();
    expect(noted.connection.peer).toBe(`${HOST}:${server.address.port}`);
    noted.connection.write(Buffer.from("abc"));
    noted.connection.carryOut("end");
    await within(once(other.resume(), "end"), "its end");
    other.end("def");
    await noted.hears("closed");
    expect(noted.bytes.toString()).toBe("def");
    expect(told).toEqual(["connected"]);
  });

  it("that is refused fails, once, with the system's code", async () => {
    const { told, over, connected } = dial({ host: HOST, port: await freePort() });
    connected.catch(() => undefined);
    await over;
    await meanwhile();
    expect(told).toEqual(["failed ECONNREFUSED"]);
  });

  it("that is cancelled tells nothing, whatever would have come of it", async () => {
    const server = await testServer();
    for (const address of [server.address, { host: HOST, port: await freePort() }]) {
      const { told, cancel, connected, over } = dial(address);
      for (const promise of [connected, over]) promise.catch(() => undefined);
      cancel();
      await meanwhile();
      cancel();
      await meanwhile();
      expect(told).toEqual([]);
    }
    // What the server has accepted, if anything, is closed.
    for (const socket of server.sockets) {
      if (!socket.readableEnded) await within(once(socket.resume(), "end"), "its end").catch(() => undefined);
      expect(socket.readableEnded || socket.destroyed).toBe(true);
    }
  });

  it("can't be cancelled when it is over: the connection stays", async () => {
    const server = await testServer();
    const { cancel, connected } = dial(server.address);
    const noted = await connected;
    cancel();
    (await server.connection()).write("abc");
    await noted.reads(3);
    expect(noted.told).toEqual([]);
    const failed = dial({ host: HOST, port: await freePort() });
    failed.connected.catch(() => undefined);
    await failed.over;
    failed.cancel();
    expect(failed.told).toHaveLength(1);
  });
});

async function connectTo(port: number): Promise<Socket> {
  const socket = connect({ port, host: HOST, allowHalfOpen: true });
  onTestFinished(() => void socket.destroy());
  await once(socket, "connect");
  socket.on("error", () => undefined);
  return socket;
}

describe("an address", () => {
  it("is listened on, at the port that was chosen, and who connects is accepted", async () => {
    const listening = new Listening({ host: HOST, port: 0 });
    await listening.tells(1);
    expect(listening.address).toEqual({ host: HOST, port: expect.any(Number) as number });
    expect(listening.port).toBeGreaterThan(0);
    const socket = await connectTo(listening.port);
    socket.end("abc");
    await listening.tells(2);
    const [accepted] = listening.clients;
    await accepted?.hears("ended");
    expect(accepted?.bytes.toString()).toBe("abc");
    expect(accepted?.connection.peer).toBe(`${HOST}:${socket.localPort}`);
    // Its half is closed, ours is not.
    accepted?.connection.write(Buffer.from("def"));
    const [chunk] = (await within(once(socket, "data"), "the answer")) as [Buffer];
    expect(chunk.toString()).toBe("def");
    expect(listening.told).toEqual(["listening", "accepted"]);
  });

  it("that somebody has fails, with the system's code and error", async () => {
    const first = new Listening({ host: HOST, port: 0 });
    await first.tells(1);
    const second = new Listening({ host: HOST, port: first.port });
    await second.tells(1);
    expect(second.told).toEqual(["failed EADDRINUSE"]);
    expect(second.cause).toMatchObject({ code: "EADDRINUSE", syscall: "listen" });
  });

  it("that is given up while it is being opened tells nothing, and is free", async () => {
    const port = await freePort();
    const first = new Listening({ host: HOST, port });
    first.giveUp();
    await meanwhile();
    expect(first.told).toEqual([]);
    const second = new Listening({ host: HOST, port });
    await second.tells(1);
    expect(second.told).toEqual(["listening"]);
  });

  it("that is given up while it can't be had tells nothing either", async () => {
    const holder = new Listening({ host: HOST, port: 0 });
    await holder.tells(1);
    const late = new Listening({ host: HOST, port: holder.port });
    late.giveUp();
    await meanwhile();
    expect(late.told).toEqual([]);
  });

  it("that is given up accepts nobody any more, keeps whom it has accepted, and can be had again", async () => {
    const first = new Listening({ host: HOST, port: 0 });
    await first.tells(1);
    const socket = await connectTo(first.port);
    await first.tells(2);
    first.giveUp();
    first.giveUp();
    await expect(connectTo(first.port)).rejects.toMatchObject({ code: "ECONNREFUSED" });
    const second = new Listening({ host: HOST, port: first.port });
    await second.tells(1);
    expect(second.port).toBe(first.port);
    socket.write("abc");
    await first.clients[0]?.reads(3);
    await connectTo(second.port);
    await second.tells(2);
    expect(first.told).toEqual(["listening", "accepted"]);
    expect(second.told).toEqual(["listening", "accepted"]);
  });
});
