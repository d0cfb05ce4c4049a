import { once } from "node:events";
import { expect, onTestFinished } from "vitest";
import {
  createProxy,
  type ConfigInput,
  type Proxy,
  type ProxyEvents,
  type RepairEvent,
  type ResumeEvent,
  type SessionEndEvent,
} from "../../src/index.ts";
import { EmbeddedClient, type EmbeddedClientOptions } from "../../src/embedded/client.ts";
import { EmbeddedServer, type EmbeddedServerOptions } from "../../src/embedded/server.ts";
import { makeLogger } from "../../src/log/logger.ts";
import { tidHex, type Tid } from "../../src/wire/ids.ts";
import { Peer, ScriptedServer, within, type ScriptOptions } from "./peer.ts";

export type Line = Readonly<Record<string, unknown>> & { readonly msg: string; readonly level: string };

/** What a test may change: everything but the upstreams, whose addresses are the world's. */
export interface WorldOptions extends Omit<ConfigInput, "upstreams"> {
  /** Who may come, and how many; and another address to listen on than a loopback one. */
  readonly admission?: Partial<
    Pick<
      ConfigInput["upstreams"][number],
      "allow" | "deny" | "clients" | "clients-per-address" | "accept-proxy" | "listen"
    >
  >;
  /** How many upstreams name the server; one by default. */
  readonly doors?: number;
  /** Does it read what does not pass through it? */
  readonly isWatched?: boolean;
  /** Its clients are not repaired, but observed. */
  readonly isObserved?: boolean;
  /** Storages whose witness does not wait for a client. */
  readonly storages?: string[];
  /** How often the guard is expected to refuse; only a test that injects a wrong placement has a number here. */
  readonly guard?: number;
  /** How many unexpected errors a test injects. */
  readonly unforeseen?: number;
}

/** A started proxy, and all that it told. */
export class Gateway {
  readonly proxy: Proxy;
  readonly lines: Line[];
  readonly repairs: RepairEvent[] = [];
  readonly resumes: ResumeEvent[] = [];
  readonly ended: SessionEndEvent[] = [];

  constructor(proxy: Proxy, lines: Line[]) {
    this.proxy = proxy;
    this.lines = lines;
    proxy.on("repaired", (event) => this.repairs.push(event));
    proxy.on("resumed", (event) => this.resumes.push(event));
    proxy.on("ended", (event) => this.ended.push(event));
  }

  /** The port of a door. */
  port(door = 0): number {
    return Number(this.proxy.stats().upstreams[door]?.listen?.split(":").at(-1));
  }

  async connect(options: Partial<EmbeddedClientOptions> & { readonly door?: number } = {}): Promise<EmbeddedClient> {
    const client = await EmbeddedClient.connect({ port: this.port(options.door), ...options });
    onTestFinished(() => client.destroy());
    return client;
  }

  /** A client that the test plays byte for byte. */
  peer(...rest: Parameters<typeof Peer.connect> extends [number, ...infer Rest] ? Rest : never): Promise<Peer> {
    return Peer.connect(this.port(), ...rest);
  }

  /** The lines with this message. */
  told(message: string): Line[] {
    return this.lines.filter(({ msg }) => msg === message);
  }

  event<Name extends keyof ProxyEvents>(name: Name): Promise<ProxyEvents[Name][0]> {
    return within(
      once(this.proxy, name).then((args) => args[0] as ProxyEvents[Name][0]),
      `no ${name}`,
    );
  }

  /** Waits until `ready`, which nothing announces. */
  async until(ready: () => boolean, what: string, ms = 5_000): Promise<void> {
    const deadline = Date.now() + ms;
    while (!ready()) {
      if (Date.now() > deadline) throw new Error(`in ${ms} ms: ${what}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}

/** A proxy before whatever listens on that port. */
export async function gatewayTo(port: number, options: WorldOptions = {}): Promise<Gateway> {
  const {
    doors = 1,
    isWatched = false,
    isObserved = false,
    storages = [],
    guard = 0,
    unforeseen = 0,
    admission,
    ...config
  } = options;
  const lines: Line[] = [];
  const upstreams = Array.from({ length: doors }, (_, door) => ({
    name: `door${door}`,
    listen: "127.0.0.1:0",
    server: `127.0.0.1:${port}`,
    witness: isWatched ? ("on" as const) : ("off" as const),
    storages,
    repair: isObserved ? ("observe" as const) : ("on" as const),
    ...admission,
  }));
  const logger = makeLogger("debug", { write: (line) => lines.push(JSON.parse(line) as Line) });
  const limits = { drain: "1s", ...config.limits };
  const proxy = createProxy({ ...config, limits, upstreams }, { logger });
  const gateway = new Gateway(proxy, lines);
  onTestFinished(async () => {
    await proxy.stop();
    expect(proxy.stats().guard, "refused by the guard").toBe(guard);
    expect(
      lines.filter((line) => line["code"] === "internal-error"),
      "unexpected errors",
    ).toHaveLength(unforeseen);
  });
  await proxy.start();
  return gateway;
}

export async function embeddedServer(options: EmbeddedServerOptions = {}): Promise<EmbeddedServer> {
  const server = new EmbeddedServer(options);
  await server.start();
  onTestFinished(() => {
    server.gate.open();
    return server.close();
  });
  return server;
}

/** The embedded server, and a proxy before it. */
export async function world(
  server: EmbeddedServerOptions = {},
  options: WorldOptions = {},
): Promise<Gateway & { readonly server: EmbeddedServer }> {
  const started = await embeddedServer(server);
  const gateway = await gatewayTo(started.port, options);
  return Object.assign(gateway, { server: started });
}

/** A server that the test plays, and a proxy before it. */
export async function scripted(
  server: ScriptOptions = {},
  options: WorldOptions = {},
): Promise<Gateway & { readonly server: ScriptedServer }> {
  const started = await ScriptedServer.start(server);
  const gateway = await gatewayTo(started.port, options);
  started.forget();
  return Object.assign(gateway, { server: started });
}

/** The n-th oid, as 16 hex digits. */
export function oid(n: number): string {
  return n.toString(16).padStart(16, "0");
}

/** What a client was told, oids in order. */
export function tellings(client: EmbeddedClient): { tid: string; oids: string[] }[] {
  return client.invalidations.map(({ tid, oids }) => ({ tid: tidHex(tid), oids: [...oids].sort() }));
}

export function telling(tid: Tid, ...numbers: number[]): { tid: string; oids: string[] } {
  return { tid: tidHex(tid), oids: numbers.map(oid).sort() };
}

/** What a played server and its clients have said so far: everyone is registered with storage `1`. */
export interface Pair {
  readonly client: Peer;
  readonly server: Peer;
}

/** A played client, and its connection at the played server, both past the handshake. */
export async function shaken(
  gateway: Gateway & { readonly server: ScriptedServer },
  name = "Z5",
  ...rest: Parameters<Gateway["peer"]>
): Promise<Pair> {
  const client = await gateway.peer(...rest);
  await client.frame();
  client.send(Buffer.from(name, "latin1"));
  const { server, first } = await spokenTo(gateway.server);
  expect(first.toString("latin1")).toBe(name);
  return { client, server };
}

/** The next connection that something is said on. On a busy machine the proxy may look for its server twice, wordlessly. */
async function spokenTo(played: ScriptedServer): Promise<{ readonly server: Peer; readonly first: Buffer }> {
  for (;;) {
    const server = await played.accept();
    const first = await server.frame().catch(() => undefined);
    if (first !== undefined) return { server, first };
  }
}

/** The same, and registered. `tid`: what a new server replies; null: an old one's None. */
export async function registered(
  gateway: Gateway & { readonly server: ScriptedServer },
  tid: bigint | null = 1000n,
  name = "Z5",
  ...rest: Parameters<Gateway["peer"]>
): Promise<Pair> {
  const pair = await shaken(gateway, name, ...rest);
  pair.client.call(1, "register", "1", false);
  await pair.server.expect("register");
  pair.server.reply(1, tid === null ? null : bytes8(tid));
  await pair.client.expect(".reply");
  return pair;
}

/** An oid or a tid. */
export function bytes8(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(value);
  return bytes;
}

/** The bytes of a call, also where they pass through unchanged. */
export async function passes(from: Peer, to: Peer, payload: Buffer): Promise<void> {
  from.send(payload);
  expect((await to.frame()).equals(payload)).toBe(true);
}
