// Whoever opens connections and waits keeps nobody out: neither where the process has no room, nor where its upstream has none.
import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { readFileSync } from "node:fs";
import { afterEach, describe, expect, it } from "vitest";
import { ClientCommit } from "../../src/embedded/client-commit.ts";
import { EmbeddedClient } from "../../src/embedded/client.ts";
import { EmbeddedServer } from "../../src/embedded/server.ts";
import { copies, fixture } from "../net/certificates.ts";
import { zeoProxy, type CommandProcess } from "./command.ts";
import { atEnd, configFile, leave, stopped } from "./stage.ts";

afterEach(leave);

const PLACES = 20;
const CROWD = 30;
const OID = "0000000000000001";

/** So many sockets are open and silent all the time: who is closed is followed by another one. */
function crowd(dial: () => Socket): void {
  let isOver = false;
  atEnd(() => void (isOver = true));
  const open = (): void => {
    if (isOver) return;
    const socket = dial().on("error", () => undefined);
    atEnd(() => socket.destroy());
    socket.resume().on("close", () => setTimeout(open, 20));
  };
  for (let n = 0; n < CROWD; n++) open();
}

/** Tries until it is served, as a client does. */
async function served(port: number, dial?: () => Socket): Promise<EmbeddedClient> {
  for (;;) {
    try {
      const way = dial && { dial: () => ({ socket: dial(), ready: "secureConnect" }) as const };
      // oxlint-disable-next-line no-await-in-loop -- one try after the other
      const client = await EmbeddedClient.connect({ port, ...way });
      atEnd(() => client.destroy());
      return client;
    } catch (error) {
      expect(String(error)).toMatch(/ECONNREFUSED|closed|reset|ECONNRESET|ended|disconnected/);
      // oxlint-disable-next-line no-await-in-loop -- nothing announces that there is room
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}

async function started(upstream: string, limits: string): Promise<{ command: CommandProcess; port: number }> {
  const server = new EmbeddedServer();
  await server.start();
  atEnd(() => server.close());
  const map = `{ name: main, listen: 127.0.0.1:0, server: "127.0.0.1:${server.port}", ${upstream} }`;
  // Silent ones would be ended in an hour.
  const file = configFile(`upstreams: [${map}]\nlimits: { handshake: 1h, ${limits} }\n`);
  const command = zeoProxy(["run", "--config", file]);
  const { address } = await command.line(({ msg }) => msg === "listening", "listening");
  return { command, port: Number(String(address).split(":")[1]) };
}

describe("a crowd that opens connections and waits", () => {
  it.each([
    ["the process", "", `clients: ${PLACES}`],
    ["its upstream", `clients: ${PLACES}`, "clients: 100"],
  ])("keeps nobody out where %s has no room", async (_, upstream, limits) => {
    const { command, port } = await started(upstream, limits);
    const watcher = await served(port);
    crowd(() => connect(port, "127.0.0.1"));
    await command.line(({ code }) => code === "not-registered", "one of them goes");
    for (let n = 1; n <= 3; n++) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const writer = new ClientCommit(await served(port));
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const tid = await writer.commit({ create: [`000000000000000${n}`] });
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      expect((await watcher.invalidation(tid)).oids).toEqual([`000000000000000${n}`]);
    }
    expect(watcher.closed).toBe(false);
    await stopped(command);
  });

  it.each(["says nothing", "goes on with TLS, and says nothing behind it"])(
    "keeps nobody out where it %s, and its upstream has no room",
    async (what) => {
      const files = copies();
      atEnd(() => files.remove());
      const tls = `tls: { certificate: ${files.of("proxy.pem")}, key: ${files.of("proxy.key")} }`;
      const { command, port } = await started(`${tls}, clients: ${PLACES}`, "clients: 100");
      const ca = readFileSync(fixture("ca.pem"));
      const secure = (): Socket => connectTls({ port, host: "127.0.0.1", ca, servername: "proxy.example" });
      const watcher = await served(port, secure);
      crowd(what === "says nothing" ? () => connect(port, "127.0.0.1") : secure);
      const isGivenUp = ({ code, reason }: Record<string, unknown>): boolean =>
        code === "not-registered" || reason === "too-many-handshakes";
      await command.line(isGivenUp, "one of them goes");
      const tid = await new ClientCommit(await served(port, secure)).commit({ create: [OID] });
      expect((await watcher.invalidation(tid)).oids).toEqual([OID]);
      await stopped(command);
    },
  );
});
