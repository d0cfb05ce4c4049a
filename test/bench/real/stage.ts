import { fileURLToPath } from "node:url";
import { PeerProcess, type PeerClient } from "../../peers/client.ts";
import { install, type Installed } from "../../peers/install.ts";
import { peerNamed } from "../../peers/peers.ts";
import { startServer, type PeerServer } from "../../peers/server.ts";
import { Child } from "../child.ts";
import { PROXY } from "../proxy-module.ts";
import { cpuUs } from "../process-figures.ts";
import type { NodeRelayWay, RelayAsks } from "../relay.ts";

/**
 * Each server is reached directly and through its relay: the unpatched ones through the proxy. `foreign`: somebody commits at
 * its own port, and those who look on are behind a proxy with a witness.
 */
export const SETUPS = [
  { peer: "zeo522-py38", version: "5.2.2", relay: "pipe", foreign: false },
  { peer: "zeo521-py37", version: "5.2.1", relay: "proxy", foreign: true },
  { peer: "zeo4-py36", version: "4.3.1", relay: "proxy", foreign: true },
] as const;

/** The same clients before all servers, so that what differs is what stands between, and the server. */
const CLIENTS = "zeo522-py38";

/** One way to one server, with its clients. */
export interface RealWay {
  readonly title: string;
  /** Must its announcements name created objects, too? */
  readonly isComplete: boolean;
  readonly writer: PeerClient;
  readonly observers: readonly PeerClient[];
  /** Of the relay so far; undefined where there is none. */
  cpuUs(): number | undefined;
}

/** A way before there is anybody on it. */
interface Ports {
  readonly title: string;
  readonly isComplete: boolean;
  /** Where its writer connects, and where those who look on do. */
  readonly writing: number;
  readonly observing: number;
}

/** Real servers, relays and clients. */
export class RealStage {
  readonly ways: RealWay[] = [];
  readonly #servers: PeerServer[] = [];
  readonly #relays: Child<RelayAsks>[] = [];
  readonly #clients: PeerProcess[] = [];

  async start(observers: number): Promise<void> {
    const clients = await installed(CLIENTS);
    for (const { peer, version, relay, foreign } of SETUPS) {
      const server = await startServer(await installed(peer));
      this.#servers.push(server);
      const isPatched = relay === "pipe";
      const { port } = server;
      const direct = { title: `ZEO ${version}, direct`, isComplete: isPatched, writing: port, observing: port };
      await this.#way(direct, clients, server, observers);
      await this.#behind(`ZEO ${version} behind the ${relay}`, relay, clients, server, observers);
      if (foreign) await this.#behind(`ZEO ${version}, foreign commits`, "watched", clients, server, observers);
    }
  }

  /** Where there is a witness, who writes does so at the server's own port. */
  async #behind(
    title: string,
    way: NodeRelayWay,
    clients: Installed,
    server: PeerServer,
    observers: number,
  ): Promise<void> {
    const relay = this.#relay(way, server.port);
    const observing = await relay.ask("port", undefined);
    const writing = way === "watched" ? server.port : observing;
    await this.#way({ title, isComplete: true, writing, observing }, clients, server, observers, relay);
  }

  async stop(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.stop()));
    await Promise.all(this.#relays.map((relay) => relay.stop()));
    await Promise.all(this.#servers.map((server) => server.stop()));
  }

  #relay(way: NodeRelayWay, serverPort: number): Child<RelayAsks> {
    const relay = new Child<RelayAsks>(fileURLToPath(new URL("../relay.js", import.meta.url)), [
      way,
      String(serverPort),
      PROXY,
    ]);
    this.#relays.push(relay);
    return relay;
  }

  async #way(
    { title, isComplete, writing: writingPort, observing: observingPort }: Ports,
    clients: Installed,
    server: PeerServer,
    count: number,
    relay?: Child<RelayAsks>,
  ): Promise<void> {
    // The writer has a process of its own: a Python process runs one thread at a time.
    const [writing, observing] = await Promise.all([this.#process(clients, server), this.#process(clients, server)]);
    const writer = await writing.open(writingPort, { db: true });
    const observers = await Promise.all(Array.from({ length: count }, () => observing.open(observingPort)));
    this.ways.push({
      title,
      isComplete,
      writer,
      observers,
      cpuUs: () => (relay === undefined ? undefined : cpuUs(relay.pid)),
    });
  }

  async #process(clients: Installed, server: PeerServer): Promise<PeerProcess> {
    const started = await PeerProcess.start(clients, server.dir);
    this.#clients.push(started);
    return started;
  }
}

async function installed(name: string): Promise<Installed> {
  const result = await install(peerNamed(name));
  if (result.type === "missing") throw new Error(`${name} can't be had: ${result.why}`);
  if (result.seconds > 5) console.log(`${name} installed in ${result.seconds.toFixed(0)} s`);
  return result.installed;
}
