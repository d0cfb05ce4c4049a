import type { Socket } from "node:net";
import { plainAddress } from "../config/network.ts";
import type { Origin } from "../upstream/transport.ts";

/** A host that has reset its connection before it was accepted: the system knows its address no more. */
const UNKNOWN_PEER = "unknown";

/** Where a socket's other end is. */
export function originOf({ remoteAddress, remotePort }: Socket): Origin {
  if (remoteAddress === undefined) return { host: undefined, peer: UNKNOWN_PEER };
  return originAt(plainAddress(remoteAddress) ?? remoteAddress, remotePort ?? 0);
}

/** `host`: in one spelling. */
export function originAt(host: string, port: number): Origin {
  return { host, peer: `${host}:${port}` };
}

let unixClients = 0;

/** Who comes by a Unix socket has no address: a number of its own tells it from others. */
export function originOfUnix(): Origin {
  return { host: undefined, peer: `unix#${++unixClients}` };
}
