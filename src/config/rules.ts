import type { Address } from "./address.ts";
import { formatAddress, reaches, sameListener } from "./address.ts";
import { SERVER } from "./expected.ts";

/** What the rules look at; the parts that could be read of an upstream whose other parts are wrong. */
export interface ReadUpstream {
  readonly name: string | undefined;
  readonly listen: Address | undefined;
  /** Where its server can be, those of the addresses that could be read. */
  readonly servers: readonly ReadServer[];
  /** Which of the two options are there; undefined: it is no map. */
  readonly has: { readonly server: boolean; readonly servers: boolean } | undefined;
}

export interface ReadServer {
  /** Within the upstream: `server`, or `servers[1]`. */
  readonly path: readonly (string | number)[];
  readonly address: Address;
}

/** A broken rule at a path within the configuration. */
export interface Breach {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** What no single value shows: names and addresses given twice, servers that are the proxy itself. */
export function checkUpstreams(upstreams: readonly ReadUpstream[]): Breach[] {
  return upstreams.flatMap((one, index) => {
    const earlier = upstreams.slice(0, index);
    return [
      ...checkName(one, index, earlier),
      ...checkListen(one, index, earlier),
      ...checkPlaces(one, index),
      ...checkServers(index, upstreams),
    ];
  });
}

function checkName({ name }: ReadUpstream, index: number, earlier: readonly ReadUpstream[]): Breach[] {
  const twin = name === undefined ? -1 : earlier.findIndex((other) => other.name === name);
  if (twin < 0) return [];
  const message = `expected a name of its own, got ${JSON.stringify(name)} as upstreams[${twin}] has it`;
  return [{ path: ["upstreams", index, "name"], message }];
}

function checkListen({ listen }: ReadUpstream, index: number, earlier: readonly ReadUpstream[]): Breach[] {
  if (listen === undefined) return [];
  const twin = earlier.findIndex((other) => other.listen !== undefined && sameListener(listen, other.listen));
  const other = earlier[twin]?.listen;
  if (other === undefined) return [];
  const message =
    `expected an address of its own, got ${formatAddress(listen)} ` +
    `while upstreams[${twin}] listens on ${formatAddress(other)}`;
  return [{ path: ["upstreams", index, "listen"], message }];
}

/** One of the two, and each place once. */
function checkPlaces({ has, servers }: ReadUpstream, index: number): Breach[] {
  const path = ["upstreams", index];
  if (has === undefined) return [];
  if (!has.server && !has.servers) return [{ path: [...path, "server"], message: `expected ${SERVER}, got nothing` }];
  if (has.server && has.servers)
    return [{ path: [...path, "servers"], message: "expected server or servers, got both" }];
  return servers.flatMap(({ path: at, address }, n) => {
    const text = formatAddress(address);
    const isTwin = servers.slice(0, n).some((earlier) => formatAddress(earlier.address) === text);
    return isTwin ? [{ path: [...path, ...at], message: `expected an address of its own, got ${text} again` }] : [];
  });
}

/** Follows server addresses that are listening addresses here; a way back to the start would relay for ever. */
function checkServers(index: number, upstreams: readonly ReadUpstream[]): Breach[] {
  const nextOf = ({ address }: ReadServer): number =>
    upstreams.findIndex(({ listen }) => listen !== undefined && reaches(address, listen));
  const leadsBack = (from: number, seen: Set<number>): boolean => {
    if (from === index) return true;
    if (from < 0 || seen.has(from)) return false;
    seen.add(from);
    return (upstreams[from]?.servers ?? []).some((server) => leadsBack(nextOf(server), seen));
  };
  return (upstreams[index]?.servers ?? []).flatMap((server) => {
    const next = nextOf(server);
    if (!leadsBack(next, new Set())) return [];
    const way = next === index ? "the upstream's own listening address" : "which leads back to this upstream";
    const message = `expected a ZEO server, got ${formatAddress(server.address)}, ${way}`;
    return [{ path: ["upstreams", index, ...server.path], message }];
  });
}
