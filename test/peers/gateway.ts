/** What stands between clients and server: the proxy, or for comparison a plain relay or nothing. */

import { createProxy } from "../../src/index.ts";
import type { ProxyStats, RepairEvent } from "../../src/index.ts";
import { Relay } from "./relay.ts";
import { LOOPBACK } from "./sockets.ts";

export type Via = "proxy" | "relay" | "direct";

/** `ZEO_PEERS_VIA=relay` or `direct` measures what clients are told without the proxy. */
export function chosenVia(): Via {
  const via = process.env["ZEO_PEERS_VIA"] ?? "proxy";
  if (via !== "proxy" && via !== "relay" && via !== "direct") throw new Error(`ZEO_PEERS_VIA=${via} is unknown`);
  return via;
}

export interface Gateway {
  readonly via: Via;
  /** Where clients connect to. */
  readonly port: number;
  /** Of the proxy; undefined for the others. */
  stats(): ProxyStats | undefined;
  readonly repairs: readonly RepairEvent[];
  readonly ended: readonly string[];
  stop(): Promise<void>;
}

export async function openGateway(via: Via, serverPort: number): Promise<Gateway> {
  if (via === "direct") {
    return { via, port: serverPort, stats: () => undefined, repairs: [], ended: [], stop: () => Promise.resolve() };
  }
  if (via === "relay") {
    const relay = await Relay.start(serverPort);
    return { via, port: relay.port, stats: () => undefined, repairs: [], ended: [], stop: () => relay.stop() };
  }
  const proxy = createProxy({
    upstreams: [{ name: "peers", listen: `${LOOPBACK}:0`, server: `${LOOPBACK}:${serverPort}` }],
    log: { level: process.env["PEERS_PROXY_LOG"] === undefined ? "silent" : "debug" },
  });
  const repairs: RepairEvent[] = [];
  const ended: string[] = [];
  proxy.on("repaired", (event) => repairs.push(event));
  proxy.on("ended", (event) => ended.push(`${event.client} ${event.code}`));
  await proxy.start();
  const address = proxy.stats().upstreams[0]?.listen;
  if (address === undefined) throw new Error("the proxy does not say where it listens");
  return {
    via,
    port: Number(address.slice(address.lastIndexOf(":") + 1)),
    stats: () => proxy.stats(),
    repairs,
    ended,
    stop: () => proxy.stop(),
  };
}
