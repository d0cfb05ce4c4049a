import { fileURLToPath } from "node:url";
import { PeerProcess, type PeerClient } from "../../peers/client.ts";
import { install, type Installed } from "../../peers/install.ts";
import { peerNamed } from "../../peers/peers.ts";
import { startServer, type PeerServer } from "../../peers/server.ts";
import { Child } from "../child.ts";
import { PROXY } from "../proxy-module.ts";
import { cpuUs } from "../process-figures.ts";
import type { NodeRelayWay, RelayAsks } from "../relay.ts";

/** Each server is reached directly and through its relay: the unpatched ones through the proxy. */
export const SETUPS = [
  { peer: "zeo522-py38", version: "5.2.2", relay: "pipe" },
  { peer: "zeo521-py37", version: "5.2.1", relay: "proxy" },
  { peer: "zeo4-py36", version: "4.3.1", relay: "proxy" },
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

/** Real servers, relays and clients. */
export class RealStage {
  readonly ways: RealWay[] = [];
  readonly #servers: PeerServer[] = [];
  readonly #relays: Child<RelayAsks>[] = [];
  readonly #clients: PeerProcess[] = [];

  async start(observers: number): Promise<void> {
    const clients = await installed(CLIENTS);
    for (const { peer, version, relay } of SETUPS) {
      const server = await startServer(await installed(peer));
      this.#servers.push(server);
      const isPatched = relay === "pipe";
      await this.#way(`ZEO ${version}, direct`, isPatched, clients, server, server.port, observers);
      const child = this.#relay(relay, server.port);
      const port = await child.ask("port", undefined);
      const title = `ZEO ${version} behind the ${relay}`;
      await this.#way(title, true, clients, server, port, observers, child);
    }
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
    title: string,
    isComplete: boolean,
    clients: Installed,
    server: PeerServer,
    port: number,
    count: number,
    relay?: Child<RelayAsks>,
  ): Promise<void> {
    // The writer has a process of its own: a Python process runs one thread at a time.
    const [writing, observing] = await Promise.all([this.#process(clients, server), this.#process(clients, server)]);
    const writer = await writing.open(port, { db: true });
    const observers = await Promise.all(Array.from({ length: count }, () => observing.open(port)));
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
