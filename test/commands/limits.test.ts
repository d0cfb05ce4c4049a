import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { connect, createServer } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { EmbeddedServer } from "../../src/embedded/server.ts";
import { zeoProxy } from "./command.ts";
import { atEnd, configFile, enter, leave } from "./stage.ts";

afterEach(leave);

/** How a connection to a port ends: refused, or closed after so many bytes. */
async function dial(port: number, hello?: Buffer): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  atEnd(() => socket.destroy());
  let bytes = 0;
  socket.on("data", (chunk: Buffer) => (bytes += chunk.length));
  if (hello !== undefined) socket.write(hello);
  const failed = new Promise<string>((resolve) =>
    socket.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? "")),
  );
  return Promise.race([failed, once(socket, "close").then(() => `closed after ${bytes} bytes`)]);
}

describe("limits.clients", () => {
  it("closes the listener at that number, and opens it when one has left", async () => {
    const { command, port, join } = await enter(new EmbeddedServer(), "limits: { clients: 1 }");
    const first = await join();
    expect(await dial(port)).toBe("ECONNREFUSED");
    await first.close();
    await command.line(({ msg }) => msg === "limits.clients is reached: not listening", "that it is full");
    await command.line(({ msg }) => msg === "there is room for clients again", "that it has room");
    const second = await join();
    expect(second.closed).toBe(false);
  });
});

describe("limits.handshake", () => {
  it("is when a server that has greeted, and now accepts and says nothing, counts as down", async () => {
    const greeting = Buffer.from("\x00\x00\x00\x02Z5", "latin1");
    let connections = 0;
    const silent = createServer((socket) => {
      socket.on("error", () => undefined);
      if (connections++ === 0) socket.write(greeting);
    }).listen(0, "127.0.0.1");
    await once(silent, "listening");
    atEnd(() => silent.close());
    const { port } = silent.address() as AddressInfo;
    const upstream = `{ listen: 127.0.0.1:0, server: 127.0.0.1:${port} }`;
    const command = zeoProxy([
      "run",
      "--config",
      configFile(`upstreams: [${upstream}]\nlimits: { handshake: 300ms }\n`),
    ]);
    const { address } = await command.line(({ msg }) => msg === "listening", "listening");
    const listening = Number(String(address).split(":")[1]);
    expect(await dial(listening)).toBe("closed after 0 bytes");
    await command.line(({ msg }) => String(msg).startsWith("the server is down"), "the outage");
    expect(await dial(listening)).toBe("ECONNREFUSED");
  });
});

describe("unknown-protocol", () => {
  /** What TLS begins with, and what the embedded server takes for a frame that is too long. */
  const hello = Buffer.from([0x16, 3, 1, 0, 5, 1, 0, 0, 1, 3]);

  it("refuse closes the connection with nothing passed on after the greeting", async () => {
    const { command, port } = await enter(new EmbeddedServer(), "unknown-protocol: refuse");
    expect(await dial(port, hello)).toMatch(/^(closed after \d bytes|ECONNRESET)$/);
    const line = await command.line(({ level }) => level === "warn" || level === "error", "a line that says so");
    expect(JSON.stringify(line)).toMatch(/tls|unknown-protocol/);
  });
});
