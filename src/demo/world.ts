import type { Logger } from "pino";
import type { TcpAddress } from "../config/address.ts";
import { formatAddress, parseTcpAddress } from "../config/address.ts";
import { createProxy } from "../index.ts";
import type { Proxy } from "../index.ts";
import type { ServerProtocol } from "../embedded/behaviour.ts";
import { EmbeddedClient } from "../embedded/client.ts";
import { EmbeddedServer } from "../embedded/server.ts";
import { codeOf } from "../net/system-error.ts";
import { startOnPort } from "./ports.ts";

export interface WorldOptions {
  readonly protocol: ServerProtocol;
  readonly listen: TcpAddress;
  readonly serverPort: number;
  /** The port was asked for, so no other one will do. */
  readonly fixedListen: boolean;
  readonly fixedServerPort: boolean;
}

/** An unpatched server, the proxy before it, and three clients. */
export interface World {
  readonly server: EmbeddedServer;
  readonly proxy: Proxy;
  readonly serverAddress: TcpAddress;
  readonly proxyAddress: TcpAddress;
  /** Usual ports that were taken. */
  readonly taken: readonly number[];
  /** Connected through the proxy, as all clients that write should be. */
  readonly writer: EmbeddedClient;
  readonly direct: EmbeddedClient;
  readonly proxied: EmbeddedClient;
  /** Ends everything; clients of others are cut off. */
  stop(): Promise<void>;
}

/** Rejects with one clear error where a port can't be had; then nothing is left open. */
export async function openWorld(options: WorldOptions, logger: Logger): Promise<World> {
  const closers: (() => Promise<void>)[] = [];
  const stop = async (): Promise<void> => {
    for (const close of closers.splice(0).reverse()) await close();
  };
  try {
    const server = await startOnPort(options.serverPort, options.fixedServerPort, async (port) => {
      const embedded = new EmbeddedServer({ protocol: options.protocol, port });
      await embedded.start().catch((error: unknown) => {
        throw portError(`127.0.0.1:${port}`, error);
      });
      return embedded;
    });
    closers.push(() => server.value.close());
    const serverAddress = { host: server.value.host, port: server.value.port };
    const proxy = await startOnPort(options.listen.port, options.fixedListen, async (port) => {
      const listen = formatAddress({ host: options.listen.host, port });
      const one = createProxy(
        {
          upstreams: [{ name: "demo", listen, server: formatAddress(serverAddress) }],
          limits: { clients: 100, drain: "2s" },
        },
        { logger },
      );
      await one.start();
      return one;
    });
    closers.push(() => proxy.value.stop());
    const proxyAddress = boundAddress(proxy.value);
    const join = async (address: TcpAddress): Promise<EmbeddedClient> => {
      const client = await EmbeddedClient.connect(address);
      closers.push(() => client.close());
      return client;
    };
    const writer = await join(proxyAddress);
    const direct = await join(serverAddress);
    const proxied = await join(proxyAddress);
    const taken = [server.taken, proxy.taken].filter((port) => port !== undefined);
    return {
      server: server.value,
      proxy: proxy.value,
      serverAddress,
      proxyAddress,
      taken,
      writer,
      direct,
      proxied,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** An address that the demo's own clients can dial. */
function boundAddress(proxy: Proxy): TcpAddress {
  const bound = parseTcpAddress(proxy.stats().upstreams[0]?.listen ?? "");
  if (bound === undefined) throw new Error("the proxy did not start");
  const anywhere = bound.host === "0.0.0.0" || bound.host === "::";
  return anywhere ? { host: "127.0.0.1", port: bound.port } : bound;
}

function portError(address: string, cause: unknown): Error {
  const code = codeOf(cause);
  const reason = code === "EADDRINUSE" ? "the address is in use" : code;
  return Object.assign(new Error(`the embedded server can't listen on ${address}: ${reason}`, { cause }), { code });
}
