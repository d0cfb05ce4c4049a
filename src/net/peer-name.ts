import type { Socket } from "node:net";

/** The address of a host that has reset its connection before it was accepted: the system knows it no more. */
const UNKNOWN_PEER = "unknown";

let unixClients = 0;

/** `address:port` of the other end; `unknown` where there is none any more. */
export function peerName({ remoteAddress, remotePort }: Socket): string {
  return remoteAddress === undefined ? UNKNOWN_PEER : `${remoteAddress}:${remotePort}`;
}

/** A client at a Unix socket has no address: a number of its own tells it from others. */
export function unixClientName(): string {
  return `unix#${++unixClients}`;
}
