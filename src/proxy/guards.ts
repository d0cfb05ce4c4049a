import { formatAddress } from "../config/address.ts";
import { gapsOf } from "../config/gaps.ts";
import type { Config, UpstreamConfig } from "../config/schema.ts";
import type { Happening } from "../happening/happening.ts";
import { descriptorLimit } from "../net/descriptors.ts";
import { MAX_HANDSHAKES } from "../net/tls-acceptor.ts";

/** Beside two for each client: the log, name look-ups, listening addresses, what Node itself has open. */
const OWN_DESCRIPTORS = 50;
/** Of the admin server: its connections, and its address. */
const ADMIN_DESCRIPTORS = 65;

/** What a start with that configuration warns of, as far as it is known before one. */
export function warningsOf(config: Config): Happening[] {
  const few = fewDescriptors(config);
  return [
    ...config.upstreams.flatMap((upstream) => gapWarnings(upstream, formatAddress(upstream.listen))),
    ...(few === undefined ? [] : [few]),
  ];
}

/** Who can come, and which server anybody can pretend to be. `before`: of that it was warned already. */
export function gapWarnings(config: UpstreamConfig, address: string, before?: UpstreamConfig): Happening[] {
  const { name: upstream } = config;
  const known = before === undefined ? [] : gapsOf(before);
  return gapsOf(config)
    .filter((gap) => !known.includes(gap))
    .map((against) =>
      against === "another server"
        ? { what: "unverified", upstream }
        : { what: "unguarded", upstream, address, against },
    );
}

/** Undefined: the system allows this process as many as it can need, or does not tell. */
export function fewDescriptors({ admin, limits, upstreams }: Config): Happening | undefined {
  const { clients } = limits;
  const allowed = descriptorLimit();
  const guests = admin === undefined ? 0 : ADMIN_DESCRIPTORS;
  const handshakes = MAX_HANDSHAKES * upstreams.filter(({ tls }) => tls !== undefined).length;
  const needed = 2 * clients + OWN_DESCRIPTORS + guests + upstreams.length + handshakes;
  return allowed === undefined || allowed >= needed ? undefined : { what: "few-descriptors", clients, needed, allowed };
}
