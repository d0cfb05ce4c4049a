import { isIP } from "node:net";
import { canonicalHost, parseTcpAddress } from "../config/address.ts";
import type { AdminAddress } from "../config/admin.ts";

/**
 * By which names the admin server may be asked. A page of somebody else's whose name suddenly leads to this machine would
 * be asked for by that name (DNS rebinding): so that name is refused.
 */
export class HostNames {
  readonly #names: ReadonlySet<string>;

  /** `listen`: the configured address. `hosts`: more names, in one spelling. */
  constructor(listen: AdminAddress, hosts: readonly string[]) {
    const own = listen.path !== undefined ? [] : [canonicalHost(listen.host)];
    this.#names = new Set(["localhost", ...own, ...hosts]);
  }

  /**
   * `header`: the request's `Host`; undefined: it has none, as no browser sends it. `reached`: the address that the client
   * has connected to. The port says nothing: who forwards one has another.
   */
  allows(header: string | undefined, reached: string | undefined): boolean {
    if (header === undefined) return true;
    const host = hostIn(header);
    if (host === undefined) return false;
    return this.#names.has(host) || (isIP(host) !== 0 && reached !== undefined && host === plain(reached));
  }
}

function hostIn(header: string): string | undefined {
  const address = parseTcpAddress(
    /:\d*$/.test(header) && !header.endsWith("]") ? header.replace(/:$/, ":80") : `${header}:80`,
  );
  return address === undefined ? undefined : canonicalHost(address.host);
}

/** An IPv4 address that was reached over a socket of both families is that address. */
function plain(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  return mapped ?? canonicalHost(address);
}
