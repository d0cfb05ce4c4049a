import { isLoopback } from "../config/address.ts";
import type { UpstreamConfig } from "../config/schema.ts";
import type { Report } from "../happening/happening.ts";
import type { Open } from "./upstreams.ts";

/** What is not guarded against at an address that others than this machine reach. */
function gaps({ listen, admission }: UpstreamConfig): ("anybody" | "forged addresses")[] {
  if (listen.path !== undefined || isLoopback(listen.host)) return [];
  const found: ("anybody" | "forged addresses")[] = [];
  if (admission.allow.length === 0) found.push("anybody");
  if (admission.acceptProxy === true) found.push("forged addresses");
  return found;
}

/** Says who can come, and which server anybody can pretend to be; `before`: what it has said already. */
export function tellGaps({ upstream, ways, config }: Open, report: Report, before?: UpstreamConfig): void {
  const { name, address } = upstream;
  const known = before === undefined ? [] : gaps(before);
  for (const against of gaps(config)) {
    if (!known.includes(against)) report({ what: "unguarded", upstream: name, address, against });
  }
  if (ways.isUnverified && before?.serverTls?.verify !== "off") report({ what: "unverified", upstream: name });
}
