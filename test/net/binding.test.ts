import dns from "node:dns";
import { once } from "node:events";
import { existsSync, lstatSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { SocketTransport } from "../../src/net/socket-transport.ts";
import type { SocketFile } from "../../src/net/socket-file.ts";
import { within } from "../proxy/peer.ts";
import { freePort } from "./free-port.ts";
import { meanwhile } from "./loopback.ts";
import { dial, Listening } from "./transported.ts";

const NAME = "two.example.test";

/** A name service that knows one name, with these addresses, until it is told of others. */
function named(...addresses: string[]): (...others: string[]) => void {
  const real = dns.lookup as (...args: unknown[]) => void;
  const entries = (all: string[]) => all.map((address) => ({ address, family: address.includes(":") ? 6 : 4 }));
  let found = entries(addresses);
  const lookup = vi.spyOn(dns, "lookup").mockImplementation((host: string, ...rest: unknown[]) => {
    if (host !== NAME) return real(host, ...rest);
    process.nextTick(rest.at(-1) as () => void, null, found);
    return undefined;
  });
  onTestFinished(() => lookup.mockRestore());
  return (...others) => (found = entries(others));
}

async function connects(to: { host: string; port: number } | { path: string }): Promise<Socket> {
  const socket = connect(to);
  socket.on("error", () => undefined);
  onTestFinished(() => void socket.destroy());
  await within(once(socket, "connect"), "a connection");
  return socket;
}

describe("a name of both families", () => {
  it("is listened on at all its addresses, at one port", async () => {
    named("::1", "127.0.0.1");
    const listening = new Listening({ host: NAME, port: 0 });
    await listening.tells(1);
    expect(listening.address).toEqual({ host: NAME, port: listening.port });
    for (const host of ["::1", "127.0.0.1"]) await connects({ host, port: listening.port });
    await listening.tells(3);
    const peers = listening.clients.map(({ connection }) => connection.peer.slice(0, connection.peer.lastIndexOf(":")));
    expect(peers).toEqual(["::1", "127.0.0.1"]);
    listening.giveUp();
    for (const host of ["::1", "127.0.0.1"]) {
      await expect(connects({ host, port: listening.port })).rejects.toMatchObject({ code: "ECONNREFUSED" });
    }
  });

  it("is listened on where this machine has one of them only", async () => {
    const learn = named("192.0.2.1", "127.0.0.1");
    const listening = new Listening({ host: NAME, port: 0 });
    await listening.tells(1);
    await connects({ host: "127.0.0.1", port: listening.port });
    learn("192.0.2.1", "2001:db8::1");
    const absent = new Listening({ host: NAME, port: 0 });
    await absent.tells(1);
    expect(absent.told).toEqual(["failed EADDRNOTAVAIL"]);
  });

  it("is not listened on at all where somebody has one of them", async () => {
    named("127.0.0.1", "::1");
    const port = await freePort();
    const holder = createServer().listen(port, "::1");
    await once(holder, "listening");
    onTestFinished(() => void holder.close());
    const listening = new Listening({ host: NAME, port });
    await listening.tells(1);
    expect(listening.told).toEqual(["failed EADDRINUSE"]);
    await expect(connects({ host: "127.0.0.1", port })).rejects.toMatchObject({ code: "ECONNREFUSED" });
  });

  it.each([
    ["127.0.0.1", "::1"],
    ["::1", "127.0.0.1"],
  ])("is dialled in its order, %s first, and then at the other", async (first, second) => {
    named(first, second);
    const both = new Listening({ host: NAME, port: 0 });
    await both.tells(1);
    const to = { host: NAME, port: both.port };
    expect((await dial(to).connected).connection.peer).toBe(`${first}:${both.port}`);
    both.giveUp();
    const one = new Listening({ host: second, port: both.port });
    await one.tells(1);
    expect((await dial(to).connected).connection.peer).toBe(`${second}:${both.port}`);
    one.giveUp();
    const refused = dial(to);
    refused.connected.catch(() => undefined);
    await refused.over;
    expect(refused.told).toEqual(["failed ECONNREFUSED"]);
  });
});

/** A path in a folder of the test's. */
function pathOf(name = "zeo.sock"): string {
  const folder = mkdtempSync(join(tmpdir(), "zeo-proxy-unix-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, name);
}

const withFile = (file: SocketFile): SocketTransport => new SocketTransport(120_000, { file });

/** A socket's file that a process has left behind: its listener is gone, the file is not. */
async function staleFile(path: string): Promise<void> {
  const server = createServer().listen(path);
  await once(server, "listening");
  // Who closes it removes what is at its path; who dies removes nothing.
  renameSync(path, `${path}.kept`);
  server.close();
  await once(server, "close");
  renameSync(`${path}.kept`, path);
}

describe("a Unix socket", () => {
  it("is listened on and dialled: bytes go to and fro, half-closes as well", async () => {
    const path = pathOf();
    const listening = new Listening({ path });
    await listening.tells(1);
    expect(listening.address).toEqual({ path });
    const noted = await dial({ path }).connected;
    await listening.tells(2);
    const [client] = listening.clients;
    expect(noted.connection.peer).toBe(path);
    expect(client?.connection.peer).toMatch(/^unix#\d+$/);
    const bytes = Buffer.alloc(300_000, "abc");
    noted.connection.write(bytes);
    noted.connection.carryOut("end");
    await client?.hears("ended");
    expect(client?.bytes.equals(bytes)).toBe(true);
    client?.connection.write(Buffer.from("def"));
    client?.connection.carryOut("end");
    await noted.hears("closed");
    expect(noted.bytes.toString()).toBe("def");
  });

  it("says nothing of what the other end has taken, or of its end: the system's table does not have it", async () => {
    const path = pathOf();
    const listening = new Listening({ path });
    await listening.tells(1);
    const noted = await dial({ path }).connected;
    // A socket that is in the table shows that those of this process are.
    const tcp = new Listening({ host: "127.0.0.1", port: 0 });
    await tcp.tells(1);
    const known = await dial({ host: "127.0.0.1", port: tcp.port }).connected;
    expect(await new Promise((told) => known.connection.ask(told))).toMatchObject({ hasLeft: false });
    expect(await new Promise((told) => noted.connection.ask(told))).toBeUndefined();
  });

  it.each(["0600", "0660", "0666"])("has the mode %s as soon as anybody may connect", async (mode) => {
    const path = pathOf();
    const listening = new Listening({ path }, withFile({ mode: Number.parseInt(mode, 8) }));
    expect(lstatSync(path).mode & 0o777).toBe(0);
    await listening.tells(1);
    expect(lstatSync(path).mode & 0o777).toBe(Number.parseInt(mode, 8));
    // What other files are made with is as it was.
    writeFileSync(`${path}.other`, "");
    expect(lstatSync(`${path}.other`).mode & 0o600).toBe(0o600);
  });

  it.runIf(process.getuid?.() === 0)("has the owner and the group that it is to have", async () => {
    const path = pathOf();
    await new Listening({ path }, withFile({ mode: 0o660, owner: 65_534, group: 65_533 })).tells(1);
    expect(lstatSync(path)).toMatchObject({ uid: 65_534, gid: 65_533 });
  });

  it("whose owner can't be set is not listened on, and leaves no file", async () => {
    const path = pathOf();
    // Root may do all that; what it may not do is a number that the system has not.
    const owner = process.getuid?.() === 0 ? 2 ** 33 : 0;
    const listening = new Listening({ path }, withFile({ mode: 0o660, owner }));
    await listening.tells(1);
    expect(listening.told).toEqual([owner === 0 ? "failed EPERM" : "failed ERR_OUT_OF_RANGE"]);
    expect(existsSync(path)).toBe(false);
  });

  it("is removed when it is given up, and can be had again", async () => {
    const path = pathOf();
    const first = new Listening({ path });
    await first.tells(1);
    expect(existsSync(path)).toBe(true);
    const noted = await dial({ path }).connected;
    await first.tells(2);
    first.giveUp();
    expect(existsSync(path)).toBe(false);
    const second = new Listening({ path });
    await second.tells(1);
    expect(second.told).toEqual(["listening"]);
    noted.connection.write(Buffer.from("abc"));
    await first.clients[0]?.reads(3);
    const refused = new Listening({ path: `${path}.none` });
    refused.giveUp();
    await meanwhile();
    expect(refused.told).toEqual([]);
    expect(existsSync(`${path}.none`)).toBe(false);
  });

  it("of a process that has died is replaced", async () => {
    const path = pathOf();
    await staleFile(path);
    await expect(connects({ path })).rejects.toMatchObject({ code: "ECONNREFUSED" });
    const listening = new Listening({ path });
    await listening.tells(1);
    expect(listening.told).toEqual(["listening"]);
    expect(lstatSync(path).isSocket()).toBe(true);
    await connects({ path });
    await listening.tells(2);
  });

  it("that somebody listens on is in use, and stays his", async () => {
    const path = pathOf();
    const first = new Listening({ path });
    await first.tells(1);
    const second = new Listening({ path });
    await second.tells(1);
    expect(second.told).toEqual(["failed EADDRINUSE"]);
    second.giveUp();
    await connects({ path });
    // The second one's look, and this client.
    await first.tells(3);
  });

  it("is not made in the place of another file", async () => {
    const path = pathOf();
    writeFileSync(path, "mine");
    const listening = new Listening({ path });
    await listening.tells(1);
    expect(listening.told).toEqual(["failed ENOTSOCK"]);
    listening.giveUp();
    expect(lstatSync(path).isFile()).toBe(true);
  });

  it("that is not there, or that nobody listens on, fails a dial with the system's code", async () => {
    const path = pathOf();
    for (const code of ["ENOENT", "ECONNREFUSED"]) {
      const failed = dial({ path });
      failed.connected.catch(() => undefined);
      await failed.over;
      expect(failed.told).toEqual([`failed ${code}`]);
      await staleFile(path).catch(() => undefined);
    }
  });
});
