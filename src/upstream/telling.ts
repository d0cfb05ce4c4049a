import type { UpstreamHappening } from "../happening/happening.ts";
import type { Decision } from "./availability.ts";

/** A decision that only something is to be told of. */
export type Telling = Extract<Decision, { readonly do: `tell-${string}` }>;

/** What is told then. `address`, `server`: `host:port`, as they are now. */
export function told(telling: Telling, address: string, server: string): UpstreamHappening {
  switch (telling.do) {
    case "tell-listening":
      return { what: "listening", address, server, isAgain: telling.isAgain };
    case "tell-down":
      return { what: "down", server, reason: telling.reason };
    case "tell-up":
      return { what: "up", server, downMs: telling.downMs };
    case "tell-blocked":
      return { what: "blocked", address, reason: telling.reason };
    case "tell-trouble":
      return { what: "trouble", reason: telling.reason };
    case "tell-trouble-over":
      return { what: "trouble-over", lastedMs: telling.lastedMs };
  }
}
