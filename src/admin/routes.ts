import type { Histogram } from "../storage/histogram.ts";
import { METRICS } from "../metrics/all-metrics.ts";
import { exposition, EXPOSITION_TYPE } from "../metrics/exposition.ts";
import { unreadyReason, type Inspected } from "../metrics/inspected.ts";
import { readAll } from "../metrics/reading.ts";
import { reused } from "./reused.ts";
import { answer, JSON_TYPE, TEXT, type Route } from "./route.ts";
import { statusOf } from "./status.ts";

/** Metrics, health and status. */
export function ownRoutes(inspected: Inspected, loopDelayMs: Histogram): Route[] {
  const metrics = reused(() => exposition(METRICS, readAll(inspected, loopDelayMs)));
  const status = reused(() => `${JSON.stringify(statusOf(inspected), undefined, 1)}\n`);
  return [
    { path: "/metrics", handle: (_, response) => answer(response, 200, EXPOSITION_TYPE, metrics()) },
    { path: "/livez", handle: (_, response) => answer(response, 200, TEXT, "ok\n") },
    {
      path: "/readyz",
      handle: (_, response) => {
        const lines = unready(inspected);
        if (lines.length === 0) answer(response, 200, TEXT, "ok\n");
        else answer(response, 503, TEXT, `${lines.join("\n")}\n`);
      },
    },
    { path: "/status.json", handle: (_, response) => answer(response, 200, JSON_TYPE, status()) },
  ];
}

/** Which upstreams accept nobody, and why. One that a reload closes is not to accept anybody. */
function unready({ state, upstreams }: Inspected): string[] {
  const isStopping = state() === "stopping";
  const wanted = upstreams().filter((upstream) => isStopping || upstream.state !== "stopped");
  const lines = wanted.flatMap((upstream) => {
    const reason = unreadyReason(upstream);
    return reason === undefined ? [] : [`upstream ${upstream.name}: ${reason}`];
  });
  return isStopping ? ["the proxy is stopping", ...lines] : lines;
}
