import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { afterEach, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { EmbeddedClient } from "../../src/embedded/client.ts";
import { MOST_WAITING } from "../../src/net/doorway.ts";
import build from "../commands/setup.ts";
import { leave } from "../commands/stage.ts";
import { lineHeader } from "../net/headers.ts";
import { Peer, within } from "../proxy/peer.ts";
import { embeddedServer } from "../proxy/world.ts";
import { canCount, limited, until } from "./limited.ts";

// Somebody opens connections, as many as he can, and waits. That costs bounded memory and descriptors, and keeps nobody else
// out where the configuration says how many one address may have.

const FLOODING = "127.0.0.2";
const MIB = 1024 * 1024;

afterEach(leave);
beforeAll(build, 120_000);

/** Those that are still open. */
class Flood {
  readonly open = new Set<Socket>();
  readonly #port: number;

  constructor(port: number) {
    this.#port = port;
    onTestFinished(() => {
      for (const socket of this.open) socket.destroy();
    });
  }

  /** So many more connect, and wait. */
  async rises(count: number): Promise<void> {
    for (let left = count; left > 0; left -= 100) {
      // oxlint-disable-next-line no-await-in-loop -- a listening address has room for some hundred that were not accepted yet
      await Promise.all(Array.from({ length: Math.min(100, left) }, () => this.#one()));
    }
  }

  async #one(): Promise<void> {
    const socket = connect({ port: this.#port, host: "127.0.0.1", localAddress: FLOODING });
    this.open.add(socket);
    socket.on("error", () => undefined);
    socket.on("close", () => this.open.delete(socket));
    socket.resume();
    await Promise.race([once(socket, "connect"), once(socket, "close")]);
  }
}

function residentBytes(pid: number | undefined): number {
  const [, kib = ""] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return Number(kib) * 1024;
}

async function served(port: number): Promise<void> {
  const client = await EmbeddedClient.connect({ port, timeoutMs: 30_000 });
  onTestFinished(() => client.destroy());
  await client.lastTransaction();
}

describe.runIf(canCount)("connections that are opened and wait", () => {
  it("are closed beyond what one address may have: others are served, and little is kept", async () => {
    const server = await embeddedServer();
    const options = "clients-per-address: 50";
    const { command, port, openDescriptors } = await limited(
      4_096,
      `upstreams: [{ listen: 127.0.0.1:0, server: 127.0.0.1:${server.port}, ${options} }]\nlimits: { clients: 500 }\n`,
    );
    await served(port);
    const [descriptors, resident] = [openDescriptors(), residentBytes(command.child.pid)];
    const flood = new Flood(port);
    for (let wave = 0; wave < 3; wave++) {
      await flood.rises(1_000);
      await served(port);
      await until(() => flood.open.size <= 50, "the others are closed");
      expect(flood.open.size).toBe(50);
      // Each of those that may stay has its server, and may wait for the time of a handshake.
      expect(openDescriptors() - descriptors).toBeLessThanOrEqual(2 * (50 + wave + 1));
      expect(residentBytes(command.child.pid) - resident).toBeLessThan(64 * MIB);
    }
    const refused = command.lines.filter(({ msg }) => String(msg).startsWith("a client is refused"));
    expect(refused).toMatchObject([{ level: "warn", reason: "address-full", since: 1, total: 1 }]);
    expect(command.lines.filter(({ msg }) => String(msg).startsWith("limits.clients is reached"))).toEqual([]);
  }, 120_000);

  it("and send no header where one must come are closed, the oldest first: a balancer's clients are served", async () => {
    const server = await embeddedServer();
    const options = `accept-proxy: ["${FLOODING}"]`;
    const { command, port, openDescriptors } = await limited(
      4_096,
      `upstreams: [{ listen: 127.0.0.1:0, server: 127.0.0.1:${server.port}, ${options} }]\nlimits: { clients: 500 }\n`,
    );
    await served(port);
    const [descriptors, resident] = [openDescriptors(), residentBytes(command.child.pid)];
    const flood = new Flood(port);
    for (let wave = 0; wave < 2; wave++) {
      await flood.rises(1_500);
      const socket = connect({ port, host: "127.0.0.1", localAddress: FLOODING, allowHalfOpen: true });
      const peer = new Peer(socket);
      peer.write(lineHeader("TCP4", `192.0.2.${wave + 1}`, "192.0.2.100", 5, 6));
      expect((await within(peer.frame(), "the server's greeting", 30_000)).toString()).toBe("Z5");
      await served(port);
      await until(() => flood.open.size <= MOST_WAITING, "the others are closed");
      expect(flood.open.size).toBeGreaterThanOrEqual(MOST_WAITING - wave - 1);
      expect(openDescriptors() - descriptors).toBeLessThanOrEqual(MOST_WAITING + 4 * (wave + 1));
      expect(residentBytes(command.child.pid) - resident).toBeLessThan(64 * MIB);
    }
    const refused = command.lines.filter(({ msg }) => String(msg).startsWith("a client is refused"));
    expect(refused).toMatchObject([{ level: "warn", reason: "no-proxy-header", since: 1, total: 1 }]);
  }, 120_000);

  it("take no more than one upstream's places: the other one's clients are served", async () => {
    const server = await embeddedServer();
    const upstream = `listen: 127.0.0.1:0, server: 127.0.0.1:${server.port}`;
    const { command } = await limited(
      4_096,
      `upstreams: [{ name: open, ${upstream}, clients: 50 }, { name: own, ${upstream} }]\nlimits: { clients: 100 }\n`,
    );
    const portOf = async (which: string): Promise<number> => {
      const line = await command.line(({ msg, upstream: name }) => msg === "listening" && name === which, which);
      return Number(String(line["address"]).split(":")[1]);
    };
    const flood = new Flood(await portOf("open"));
    await flood.rises(500);
    await until(() => flood.open.size <= 50, "the others are closed");
    await served(await portOf("own"));
    expect(flood.open.size).toBe(50);
  }, 120_000);
});
