import { expect, onTestFinished } from "vitest";
import { ClientCommit } from "../../src/embedded/client-commit.ts";
import { EmbeddedClient } from "../../src/embedded/client.ts";
import { createProxy, type ConfigInput, type Proxy } from "../../src/index.ts";
import { makeLogger } from "../../src/log/logger.ts";
import { dialTarget, type TlsClient } from "../../src/tools/dial.ts";
import type { Target } from "../../src/tools/target.ts";
import { freePort } from "../net/free-port.ts";
import { Gateway, oid, type Line } from "./world.ts";

// A proxy whose configuration becomes another one, and clients that see it.

export type Input = ConfigInput["upstreams"][number];
export type Rest = Omit<ConfigInput, "upstreams">;

export const LIMITS = { drain: "10s" };

export interface Scene {
  readonly proxy: Proxy;
  readonly gateway: Gateway;
  /** All that a reload gets is put together here: what is not named has its default. */
  readonly reload: (upstreams: Input[], rest?: Rest) => ReturnType<Proxy["reload"]>;
}

export async function started(upstreams: Input[], rest: Rest = {}): Promise<Scene> {
  const lines: Line[] = [];
  const logger = makeLogger("debug", { write: (line) => lines.push(JSON.parse(line) as Line) });
  const config = (of: Input[], { limits, ...other }: Rest = {}): ConfigInput => ({
    upstreams: of,
    limits: { ...LIMITS, ...limits },
    ...other,
  });
  const proxy = createProxy(config(upstreams, rest), { logger });
  const gateway = new Gateway(proxy, lines);
  onTestFinished(async () => {
    await proxy.stop();
    expect(proxy.stats().guard).toBe(0);
    expect(lines.filter((line) => line["code"] === "internal-error")).toEqual([]);
  });
  await proxy.start();
  return { proxy, gateway, reload: (of, other) => proxy.reload(config(of, other)) };
}

export async function client(port: number): Promise<EmbeddedClient> {
  const connected = await EmbeddedClient.connect({ port });
  onTestFinished(() => connected.destroy());
  return connected;
}

/** Over a Unix socket, or with TLS. */
export async function clientAt(target: Target, tls?: TlsClient): Promise<EmbeddedClient> {
  const connected = await EmbeddedClient.connect({ port: 0, dial: () => dialTarget(target, tls) });
  onTestFinished(() => connected.destroy());
  return connected;
}

/** That client commits an object, and that one is told of it. */
export async function commits(writer: EmbeddedClient, n: number, watcher?: EmbeddedClient): Promise<void> {
  const tid = await new ClientCommit(writer).commit({ create: [oid(n)] });
  if (watcher !== undefined) expect(await watcher.invalidation(tid)).toMatchObject({ oids: [oid(n)] });
}

/** An upstream on a port of its own. */
export async function door(
  name: string,
  server: number,
  rest: Partial<Input> = {},
): Promise<Input & { readonly port: number }> {
  const port = await freePort();
  const input = { name, listen: `127.0.0.1:${port}`, server: `127.0.0.1:${server}`, witness: "off" as const, ...rest };
  return Object.defineProperty({ ...input, port }, "port", { enumerable: false });
}

export const names = (proxy: Proxy): string[] => proxy.stats().upstreams.map(({ name, state }) => `${name} ${state}`);

export const refused = (port: number): Promise<void> => expect(client(port)).rejects.toThrow("ECONNREFUSED");
