import { onTestFinished } from "vitest";
import { createProxy } from "../../src/index.ts";
import { makeLogger } from "../../src/log/logger.ts";
import { Gateway, type Line } from "../proxy/world.ts";

/** A proxy before servers that are named, not only numbered; it is being started. */
export function starting(upstreams: readonly { readonly listen?: string; readonly server: string }[]): {
  gateway: Gateway;
  started: Promise<void>;
} {
  const lines: Line[] = [];
  const logger = makeLogger("debug", { write: (line) => lines.push(JSON.parse(line) as Line) });
  const config = upstreams.map(({ listen = "127.0.0.1:0", server }, n) => ({ name: `door${n}`, listen, server }));
  const proxy = createProxy({ upstreams: config, limits: { drain: "1s" } }, { logger });
  onTestFinished(() => proxy.stop());
  return { gateway: new Gateway(proxy, lines), started: proxy.start() };
}

export async function named(...args: Parameters<typeof starting>): Promise<Gateway> {
  const { gateway, started } = starting(...args);
  await started;
  return gateway;
}
