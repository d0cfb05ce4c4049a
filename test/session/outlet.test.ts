import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { SocketConnection } from "../../src/net/socket-connection.ts";
import { Outlet } from "../../src/session/outlet.ts";
import { PlayedConnection } from "./played-connection.ts";

/** A socket to somebody who does not read yet. */
async function unread(): Promise<{ socket: Socket; reader: Socket }> {
  const server = createServer({ pauseOnConnect: true }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const accepted = once(server, "connection");
  const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
  const [reader] = (await accepted) as [Socket];
  onTestFinished(() => {
    socket.destroy();
    reader.destroy();
    server.close();
  });
  if (socket.connecting) await once(socket, "connect");
  return { socket, reader };
}

const MIB = 1024 * 1024;

it("counts an announcement's bytes once, however many queues it stands in", async () => {
  const ends = await Promise.all([unread(), unread(), unread(), unread()]);
  const outlets = ends.map(({ socket }) => new Outlet(new SocketConnection(socket)));
  // Nothing more fits into the system's buffers behind this.
  for (const outlet of outlets) outlet.write(Buffer.alloc(16 * MIB));
  await new Promise((resolve) => setImmediate(resolve));
  const before = outlets.map((outlet) => outlet.queuedBytes);
  const encoded = { frame: Buffer.alloc(MIB), holders: 0 };
  for (const outlet of outlets) outlet.announce(encoded, "completed");
  expect(encoded.holders).toBe(4);
  const added = outlets.map((outlet, i) => outlet.queuedBytes - (before[i] ?? 0));
  expect(added.reduce((sum, bytes) => sum + bytes, 0)).toBeGreaterThanOrEqual(MIB);
  expect(added.reduce((sum, bytes) => sum + bytes, 0)).toBeLessThan(MIB + 4 * 1024);

  // One of them is gone: the others bear it.
  const [gone] = ends;
  gone.socket.destroy();
  await once(gone.socket, "close");
  expect(encoded.holders).toBe(3);

  // Another one reads: it owes nothing any more.
  ends[1]?.reader.resume();
  await new Promise<void>((resolve) => ends[1]?.socket.once("drain", resolve));
  expect(outlets[1]?.queuedBytes).toBe(0);
  expect(encoded.holders).toBe(2);
});

it("that is shut writes nothing, announces nothing and counts nothing more", () => {
  const client = new PlayedConnection("client:1");
  const written: Buffer[] = [];
  client.write = (bytes) => written.push(bytes) > 0;
  const outlet = new Outlet(client);
  const encoded = { frame: Buffer.alloc(10), holders: 0 };
  outlet.write(Buffer.from("a"));
  outlet.announce(encoded, "completed");
  outlet.shut();
  expect([outlet.isShut, outlet.isSlow]).toEqual([true, false]);
  outlet.write(Buffer.from("b"));
  outlet.announce(encoded, "completed");
  outlet.announce(encoded, "synthesized");
  expect(written).toEqual([Buffer.from("a"), encoded.frame]);
  expect(outlet.announced).toEqual({ completed: 1, synthesized: 0, late: 0 });
});
