import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { onTestFinished } from "vitest";
import { Reading } from "../../src/net/reading.ts";
import { SocketConnection } from "../../src/net/socket-connection.ts";
import { within } from "../proxy/peer.ts";
import { Noted } from "./noted.ts";

/** A connection over loopback: one end is the proxy's, the other one is the test's. */
export interface Loopback {
  readonly connection: SocketConnection;
  /** What is under it. */
  readonly socket: Socket;
  /** Reads nothing before the test says so. */
  readonly other: Socket;
}

/** How it is read: into the memory that all share, or as Node does it by itself. */
export type Way = "shared" | "node";

export async function loopback(way: Way = "shared"): Promise<Loopback> {
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const accepted = once(server, "connection");
  const reading = way === "shared" ? new Reading() : undefined;
  const options = { port: portOf(server.address()), host: "127.0.0.1", allowHalfOpen: true };
  const socket = connect(reading === undefined ? options : { ...options, onread: reading.onread }).pause();
  const [[other]] = (await Promise.all([accepted, once(socket, "connect")])) as [[Socket], unknown];
  other.on("error", () => undefined);
  server.close();
  onTestFinished(() => {
    socket.destroy();
    other.destroy();
  });
  return { connection: new SocketConnection(socket, reading), socket, other };
}

export function portOf(address: AddressInfo | string | null): number {
  return (address as AddressInfo).port;
}

/** All that the other end reads, once that has ended. */
export async function all(other: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  other.on("data", (chunk: Buffer) => chunks.push(chunk));
  const ended = once(other, "end");
  other.resume();
  await within(ended, "its end");
  return Buffer.concat(chunks);
}

/** Bytes have gone to and fro on another connection: what was to come on the first one in the meantime has come. */
export async function meanwhile(): Promise<void> {
  for (let n = 0; n < 3; n++) {
    const { connection, other } = await loopback();
    const noted = new Noted(connection);
    other.on("data", (chunk) => other.write(chunk)).resume();
    connection.write(Buffer.from("ping"));
    await noted.reads(4);
    connection.carryOut("destroy");
    await noted.hears("closed");
  }
}
