import type { Logger } from "pino";
import type { Clock } from "../clock.ts";
import type { Proxy } from "../proxy/api.ts";
import { wantedIn } from "./environment.ts";
import { Notifier, type ServiceManager } from "./notifier.ts";
import { statusText } from "./status-text.ts";
import { shellVoice } from "./voice.ts";

/** Nobody listens. */
export const NO_MANAGER: ServiceManager = {
  ready: () => undefined,
  reloading: () => undefined,
  stopping: () => undefined,
  look: () => undefined,
  end: () => undefined,
};

/**
 * Whoever has started this process as a service: it is told how the proxy is. Where nobody has, nothing is started, and nobody
 * is told. That it can't be told is one line in the log, and nothing else: the proxy does not depend on it.
 */
export function serviceManager(
  proxy: Proxy,
  {
    logger,
    clock,
    process: { env, pid, hrtime },
  }: { readonly logger: Logger; readonly clock: Clock; readonly process: NodeJS.Process },
): ServiceManager {
  const wanted = wantedIn(env, pid);
  if (wanted === undefined) return NO_MANAGER;
  const notifier = new Notifier({
    clock,
    voice: shellVoice(env),
    watchdogMs: wanted.watchdogMs,
    status: () => statusText(proxy.stats().upstreams),
    monotonicMicros: () => hrtime.bigint() / 1000n,
    failed: (reason) => logger.warn({ socket: wanted.socket, reason }, "systemd can't be told how the proxy is"),
    heard: () => logger.warn("systemd is told how the proxy is again"),
  });
  proxy.on("listening", notifier.look);
  proxy.on("down", notifier.look);
  return notifier;
}
