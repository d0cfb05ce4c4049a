import { createServer } from "node:net";
import type { Server } from "node:net";
import type { ServerBehaviour, ServerProtocol } from "./behaviour.ts";
import { unpatched } from "./behaviour.ts";
import { Connection } from "./connection.ts";
import { Gate } from "./gate.ts";
import { HostedStorage } from "./hosted-storage.ts";
import { MemoryStorage } from "./memory-storage.ts";

export interface EmbeddedServerOptions extends Partial<ServerBehaviour> {
  /** Default `127.0.0.1`. */
  readonly host?: string;
  /** Default 0: any free port. */
  readonly port?: number;
  /** By name; default one empty storage `1`. */
  readonly storages?: Readonly<Record<string, MemoryStorage>>;
  /** How many transactions `getInvalidations` reaches back, default 100 as in ZEO. */
  readonly queueSize?: number;
  /** What a real server would log; never a payload. */
  readonly onProblem?: (connection: number, text: string) => void;
}

/**
 * A small ZEO server in memory, unpatched unless told otherwise: it announces ZEO 4's, 5's or msgpack's protocol and
 * has their bugs. Real ZODB databases can be opened on it. It does not pack, keeps no blobs and resolves no conflicts,
 * and says so with exceptions.
 */
export class EmbeddedServer {
  /** Holds messages back on purpose. */
  readonly gate = new Gate();
  readonly #behaviour: { -readonly [K in keyof ServerBehaviour]: ServerBehaviour[K] };
  readonly #host: string;
  readonly #wantedPort: number;
  readonly #storages: Readonly<Record<string, MemoryStorage>>;
  readonly #queueSize: number;
  /** Made anew by every start. */
  #hosted: ReadonlyMap<string, HostedStorage> = new Map();
  readonly #problem: (connection: number, text: string) => void;
  readonly #connections: Connection[] = [];
  #accepted = 0;
  #server: Server | undefined;
  #port = 0;

  constructor(options: EmbeddedServerOptions = {}) {
    const { host, port, storages, queueSize, onProblem, ...behaviour } = options;
    this.#behaviour = { ...unpatched(options.protocol ?? "Z5"), ...behaviour };
    this.#host = host ?? "127.0.0.1";
    this.#wantedPort = port ?? 0;
    this.#problem = onProblem ?? (() => undefined);
    this.#storages = storages ?? { "1": new MemoryStorage() };
    this.#queueSize = queueSize ?? 100;
  }

  /**
   * Rejects with the error of `listen`: a port in use, for example. After `close` it is a restart: the same port and
   * the same storages.
   */
  start(): Promise<void> {
    const hosted = Object.entries(this.#storages).map(
      ([id, storage]) => new HostedStorage(id, storage, this.#queueSize),
    );
    this.#hosted = new Map(hosted.map((one) => [one.id, one]));
    const server = createServer((socket) => {
      this.#accepted += 1;
      const connection = new Connection(socket, this.#accepted, {
        behaviour: this.#behaviour,
        storages: this.#hosted,
        gate: this.gate,
        problem: this.#problem,
      });
      this.#connections.push(connection);
      socket.on("close", () => {
        const index = this.#connections.indexOf(connection);
        if (index >= 0) this.#connections.splice(index, 1);
      });
    });
    this.#server = server;
    return new Promise((resolve, reject) => {
      server.once("error", reject);
      server.listen({ host: this.#host, port: this.#port === 0 ? this.#wantedPort : this.#port }, () => {
        server.off("error", reject);
        const address = server.address();
        if (address !== null && typeof address === "object") this.#port = address.port;
        resolve();
      });
    });
  }

  /** Stops accepting and cuts all connections. Resolves when they are gone and their transactions aborted. */
  async close(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    const stopped = new Promise<void>((resolve) => {
      server.close(() => resolve());
    });
    const open = [...this.#connections];
    for (const connection of open) connection.close();
    await Promise.all([stopped, ...open.map((connection) => connection.closed)]);
  }

  get host(): string {
    return this.#host;
  }

  /** 0 before `start`. */
  get port(): number {
    return this.#port;
  }

  get protocol(): ServerProtocol {
    return this.#behaviour.protocol;
  }

  /** Open connections, oldest first. */
  get connections(): readonly Connection[] {
    return this.#connections;
  }

  /** Changes the behaviour from now on; the protocol of open connections stays. */
  configure(behaviour: Partial<ServerBehaviour>): void {
    Object.assign(this.#behaviour, behaviour);
  }

  /** The storage of this name. Throws an Error for an unknown one. */
  storage(id = "1"): MemoryStorage {
    const storage = Object.hasOwn(this.#storages, id) ? this.#storages[id] : undefined;
    if (storage === undefined) throw new Error(`no storage ${id}`);
    return storage;
  }

  /** How many votes wait for the commit lock. */
  waitingVotes(id = "1"): number {
    return this.#hosted.get(id)?.lock.waiting ?? 0;
  }
}
