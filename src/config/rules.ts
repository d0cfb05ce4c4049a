import type { Address } from "./address.ts";
import { formatAddress, reaches, sameListener } from "./address.ts";

/** What the rules look at; the parts that could be read of an upstream whose other parts are wrong. */
export interface ReadUpstream {
  readonly name: string | undefined;
  readonly listen: Address | undefined;
  readonly server: Address | undefined;
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
    return [...checkName(one, index, earlier), ...checkListen(one, index, earlier), ...checkServer(index, upstreams)];
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

/** Follows server addresses that are listening addresses here; a way back to the start would relay for ever. */
function checkServer(index: number, upstreams: readonly ReadUpstream[]): Breach[] {
  const seen = new Set<number>();
  let at = index;
  while (!seen.has(at)) {
    seen.add(at);
    const server = upstreams[at]?.server;
    if (server === undefined) return [];
    const next = upstreams.findIndex(({ listen }) => listen !== undefined && reaches(server, listen));
    if (next === index) return [ownServer(index, upstreams, seen.size)];
    if (next < 0) return [];
    at = next;
  }
  return [];
}

function ownServer(index: number, upstreams: readonly ReadUpstream[], steps: number): Breach {
  const server = upstreams[index]?.server;
  const shown = server === undefined ? "" : formatAddress(server);
  const way = steps === 1 ? "the upstream's own listening address" : "which leads back to this upstream";
  return { path: ["upstreams", index, "server"], message: `expected a ZEO server, got ${shown}, ${way}` };
}
