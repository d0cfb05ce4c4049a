import type { Breach } from "./rules.ts";
import type { UpstreamConfig } from "./schema.ts";
import { MOST_CLIENTS } from "./admission.ts";

/**
 * Whoever comes over a Unix socket has no address, unless a PROXY header says one: an option that looks at addresses would let
 * everybody in, or nobody.
 */
export function checkAdmission({ listen, admission }: UpstreamConfig, index: number): Breach[] {
  const { acceptProxy, allow, clientsPerAddress, deny } = admission;
  if (listen.path === undefined) return [];
  const breach = (option: string, message: string): Breach => ({ path: ["upstreams", index, option], message });
  if (acceptProxy === true) return [];
  const breaches: Breach[] = [];
  const forHeaders =
    "expected accept-proxy: true beside it, as whoever comes over a Unix socket has no address, got none";
  if (allow.length > 0) breaches.push(breach("allow", forHeaders));
  if (deny.length > 0) breaches.push(breach("deny", forHeaders));
  if (clientsPerAddress < MOST_CLIENTS) breaches.push(breach("clients-per-address", forHeaders));
  if (acceptProxy !== false) {
    const message = "expected true or false, as whoever comes over a Unix socket has no address, got a list";
    breaches.push(breach("accept-proxy", message));
  }
  return breaches;
}
