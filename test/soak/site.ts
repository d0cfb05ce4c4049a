import { rm } from "node:fs/promises";
import { join } from "node:path";
import { PeerProcess, type OpenOptions, type PeerClient } from "../peers/client.ts";
import { install, type Installed } from "../peers/install.ts";
import { peerNamed } from "../peers/peers.ts";
import { startServer, type PeerServer, type ServerOptions } from "../peers/server.ts";
import type { Random } from "../simulate/random.ts";

/** What the kernel takes in for the slow reader and for the proxy is less than half of it. */
const BLOB_BYTES = 32 * 1024 * 1024;

/** What everyone but garbage uses; garbage may break what is in its storage. */
export const STORAGE = "1";
export const GARBAGE_STORAGE = "2";

/**
 * Four bytes of garbage can make Python ask for tens of GiB: the sizes of a memo (pickle's LONG_BINPUT) and of a tuple
 * (msgpack 0.5.6, which ZEO 5.2.1 has, never frees it). It is refused them, so that the server and the machine live.
 */
const SERVER_MEBIBYTES = 512;

interface Plan {
  readonly name: string;
  readonly server: string;
  readonly options: ServerOptions;
  /** The clients; the first is of the server's version. */
  readonly clients: readonly string[];
}

const PLANS: readonly Plan[] = [
  { name: "zeo-4.3.1", server: "zeo4-py36", options: {}, clients: ["zeo4-py36", "zeo521-py37"] },
  { name: "zeo-5.2.1", server: "zeo521-py37", options: { msgpack: true }, clients: ["zeo521-py37"] },
];

/** A real server, and the processes of its clients, which come through the proxy. */
export class Site {
  readonly name: string;
  readonly server: PeerServer;
  readonly clients: readonly Installed[];
  /** Objects that everyone writes: three that are added up, and one over which two writers are in conflict. */
  readonly shared: readonly string[];
  readonly blob: { readonly oid: string; readonly sha256: string; readonly size: number };
  /** Where clients connect: the proxy's port. */
  port = 0;
  /** Another port of the proxy's for the same server, where no real client comes. */
  lonelyPort = 0;
  readonly #processes = new Map<string, Promise<PeerProcess>>();
  #folders = 0;

  private constructor(
    plan: Plan,
    server: PeerServer,
    clients: readonly Installed[],
    content: Pick<Site, "shared" | "blob">,
  ) {
    this.name = plan.name;
    this.server = server;
    this.clients = clients;
    this.shared = content.shared;
    this.blob = content.blob;
  }

  /** Those whose Pythons are there; `missing` is told of the others. */
  static async startAll(missing: (line: string) => void): Promise<Site[]> {
    const sites = await Promise.all(PLANS.map((plan) => Site.#start(plan, missing)));
    return sites.filter((site) => site !== undefined);
  }

  static async #start(plan: Plan, missing: (line: string) => void): Promise<Site | undefined> {
    const installed: Installed[] = [];
    for (const name of plan.clients) {
      const result = await install(peerNamed(name));
      if (result.type === "installed") installed.push(result.installed);
      else missing(`${name} is left out: ${result.why}`);
    }
    const own = installed.find(({ peer }) => peer.name === plan.server);
    if (own === undefined) return undefined;
    const server = await startServer(own, {
      ...plan.options,
      storages: [STORAGE, GARBAGE_STORAGE],
      mostMebibytes: SERVER_MEBIBYTES,
    });
    try {
      return new Site(plan, server, installed, await fill(own, server));
    } catch (error) {
      await server.stop();
      throw error;
    }
  }

  /** A process for clients of a kind that do the same; its name is kept, so that it is started once. */
  process(kind: Installed, role: string): Promise<PeerProcess> {
    const key = `${kind.peer.name} ${role}`;
    let process = this.#processes.get(key);
    if (process === undefined) {
      process = PeerProcess.start(kind, this.server.dir);
      this.#processes.set(key, process);
    }
    return process;
  }

  /** A client of any of the kinds that reach this server. */
  async client(random: Random, role: string, options: OpenOptions): Promise<PeerClient> {
    const kind = random.pick(this.clients);
    return (await this.process(kind, role)).open(this.port, { ...this.encoding(kind, random), ...options });
  }

  /** For whoever is no real client: with real ones beside it, or without. */
  anyPort(random: Random): number {
    return random.chance(0.5) ? this.port : this.lonelyPort;
  }

  /** Half of those that could use another encoding than the server's do. */
  encoding(kind: Installed, random: Random): OpenOptions {
    const isFree = this.server.installed.peer.family === "new" && kind.peer.family === "new";
    return isFree && random.chance(0.5) ? { encoding: "Z" } : {};
  }

  /** A folder that nobody has used. */
  folder(name: string): string {
    return join(this.server.dir, `${name}-${++this.#folders}`);
  }

  async removeFolder(folder: string): Promise<void> {
    await rm(folder, { recursive: true, force: true });
  }

  /** Ends the processes of all clients. */
  async leave(): Promise<void> {
    const processes = [...this.#processes.values()];
    this.#processes.clear();
    await Promise.all(processes.map(async (process) => (await process).stop()));
  }

  async stop(): Promise<void> {
    await this.leave();
    await this.server.stop();
  }
}

/** What is there before the proxy is: past it. */
async function fill(kind: Installed, server: PeerServer): Promise<Pick<Site, "shared" | "blob">> {
  const process = await PeerProcess.start(kind, server.dir);
  try {
    const blobs = join(server.dir, "blobs-filling");
    const client = await process.open(server.port, { db: true, storage: STORAGE, blob_dir: blobs });
    const counters = await client.commit({ create: 3, class_name: "Counter" });
    const items = await client.commit({ create: 1 });
    const blob = await client.commitBlob(BLOB_BYTES);
    await client.close();
    await rm(blobs, { recursive: true, force: true });
    return { shared: [...counters.created, ...items.created], blob: { ...blob, size: BLOB_BYTES } };
  } finally {
    await process.stop();
  }
}
