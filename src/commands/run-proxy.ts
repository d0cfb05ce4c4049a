import type { Config } from "../config/schema.ts";
import { systemClock } from "../net/system-clock.ts";
import { openLog } from "../observe/log.ts";
import { createProxy } from "../proxy/proxy.ts";
import { serviceManager } from "../systemd/service.ts";
import { serve } from "./serve.ts";

/** Runs a proxy until a signal; returns the exit status. */
export async function runProxy(config: Config): Promise<number> {
  const log = await openLog(config.log);
  const proxy = createProxy(config, { logger: log.logger });
  return serve(proxy, log, serviceManager(proxy, { logger: log.logger, clock: systemClock, process }));
}
