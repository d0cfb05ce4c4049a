/** What stands between clients and server: the proxy, or for comparison a plain relay or nothing. */

import { pino } from "pino";
import { createProxy } from "../../src/index.ts";
import type { ProxyStats, RepairEvent } from "../../src/index.ts";
import { compare } from "./compare.ts";
import type { Comparison } from "./compare.ts";
import { Relay } from "./relay.ts";
import type { RecordedConnection } from "./relay.ts";
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
  /** Where both sides were recorded: what the proxy did to the frames. */
  compared?(): Comparison;
  stop(): Promise<void>;
}

/** The proxy with a recording relay on each side. Connections are paired by their order: open one at a time. */
export async function openRecordedProxy(serverPort: number): Promise<Gateway> {
  const behind = await Relay.start(serverPort, { record: true });
  const proxy = await openGateway("proxy", behind.port);
  const before = await Relay.start(proxy.port, { record: true });
  return {
    ...proxy,
    port: before.port,
    compared(): Comparison {
      const sum: Comparison = {
        same: 0,
        changed: [],
        moved: 0,
        madeUp: 0,
        madeUpAtTheEnd: 0,
        questions: 0,
        problems: [],
      };
      // The proxy also dials to see whether the server is there; such a connection writes nothing.
      const used = (all: readonly RecordedConnection[]): RecordedConnection[] =>
        all.filter((connection) => connection.fromClient.frames.length > 0);
      const reached = used(behind.recorded).filter((connection) => !isWitness(connection));
      for (const [i, client] of used(before.recorded).entries()) {
        const server = reached[i];
        if (server === undefined) sum.problems.push("a connection never reached the server");
        else compare(client, server, sum);
      }
      return sum;
    },
    async stop(): Promise<void> {
      await before.stop();
      await proxy.stop();
      await behind.stop();
    },
  };
}

/** The proxy's own connection: its first call is numbered 1, and its flag is written as no client writes it. */
function isWitness({ fromClient: { frames } }: RecordedConnection): boolean {
  return frames[1]?.subarray(0, WITNESS_CALL.length).equals(WITNESS_CALL) ?? false;
}

const WITNESS_CALL = Buffer.from("(K\x01I00\n", "latin1");

/** Something in front of the server at `serverPort` of `host`, on a free port of the same host. */
export async function openGateway(
  via: Via,
  serverPort: number,
  host = LOOPBACK,
  witness: "on" | "off" = "on",
): Promise<Gateway> {
  if (via === "direct") {
    return { via, port: serverPort, stats: () => undefined, repairs: [], ended: [], stop: () => Promise.resolve() };
  }
  if (via === "relay") {
    const relay = await Relay.start(serverPort, { host });
    return { via, port: relay.port, stats: () => undefined, repairs: [], ended: [], stop: () => relay.stop() };
  }
  const logFile = process.env["PEERS_PROXY_LOG"];
  const config = {
    upstreams: [{ name: "peers", listen: address(host, 0), server: address(host, serverPort), witness }],
  };
  const logger =
    logFile === undefined ? undefined : pino({ level: "debug" }, pino.destination({ dest: logFile, sync: true }));
  const proxy = createProxy(config, logger === undefined ? {} : { logger });
  const repairs: RepairEvent[] = [];
  const ended: string[] = [];
  proxy.on("repaired", (event) => repairs.push(event));
  proxy.on("ended", (event) => ended.push(`${event.client} ${event.code}`));
  await proxy.start();
  const bound = proxy.stats().upstreams[0]?.listen;
  if (bound === undefined) throw new Error("the proxy does not say where it listens");
  return {
    via,
    port: Number(bound.slice(bound.lastIndexOf(":") + 1)),
    stats: () => proxy.stats(),
    repairs,
    ended,
    stop: () => proxy.stop(),
  };
}

function address(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
