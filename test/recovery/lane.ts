import { setTimeout } from "node:timers/promises";
import { PeerProcess, type PeerClient } from "../peers/client.ts";
import { openGateway, type Gateway } from "../peers/gateway.ts";
import type { Installed } from "../peers/install.ts";
import { startServer, type PeerServer } from "../peers/server.ts";

/** How long until each client was connected again, from the moment when the server was told to end; in seconds. */
export interface Recoveries {
  readonly direct: readonly number[];
  readonly proxied: readonly number[];
  /** Until the server greeted again. */
  readonly server: number;
}

const CLIENTS_EACH_WAY = 3;
const BACK_TIMEOUT_MS = 90_000;
/** Who has just come back is not through with it yet. */
const QUIET_MS = 1_000;

/** One server, and clients that reach it directly and through a proxy: both live through the same outages. */
export class Lane {
  readonly #server: PeerServer;
  readonly #gateway: Gateway;
  readonly #processes: readonly PeerProcess[];
  readonly #direct: readonly PeerClient[];
  readonly #proxied: readonly PeerClient[];

  private constructor(
    server: PeerServer,
    gateway: Gateway,
    processes: readonly PeerProcess[],
    [direct = [], proxied = []]: readonly PeerClient[][],
  ) {
    this.#server = server;
    this.#gateway = gateway;
    this.#processes = processes;
    this.#direct = direct;
    this.#proxied = proxied;
  }

  static async open(kind: Installed): Promise<Lane> {
    const server = await startServer(kind);
    const gateway = await openGateway("proxy", server.port);
    // A process for each way: neither waits for the other's turn.
    const opened = [server.port, gateway.port].map(async (port) => {
      const process = await PeerProcess.start(kind, server.dir);
      const clients: PeerClient[] = [];
      for (let n = 0; n < CLIENTS_EACH_WAY; n++) clients.push(await process.open(port, { default_polls: true }));
      return { process, clients };
    });
    const ways = await Promise.all(opened);
    return new Lane(
      server,
      gateway,
      ways.map(({ process }) => process),
      ways.map(({ clients }) => clients),
    );
  }

  /** The server ends, and is started again `downMs` after its end. */
  async outage(downMs: number): Promise<Recoveries> {
    await setTimeout(QUIET_MS);
    const began = performance.now();
    const since = (): number => (performance.now() - began) / 1000;
    const back = async (client: PeerClient): Promise<number> => {
      while (await client.waitConnected(0)) await setTimeout(10); // it has not noticed yet
      if (!(await client.waitConnected(BACK_TIMEOUT_MS))) throw new Error(`${client.kind} never came back`);
      return since();
    };
    const [server, direct, proxied] = await Promise.all([
      this.#server.restart(downMs).then(since),
      Promise.all(this.#direct.map(back)),
      Promise.all(this.#proxied.map(back)),
    ]);
    return { server, direct, proxied };
  }

  async close(): Promise<void> {
    await Promise.all(this.#processes.map((process) => process.stop()));
    await this.#gateway.stop();
    await this.#server.stop();
  }
}
