import type { Config } from "../config/schema.ts";
import { systemClock } from "../net/system-clock.ts";
import { openLog } from "../log/logger.ts";
import { createProxy } from "../proxy/proxy.ts";
import { serviceManager } from "../systemd/service.ts";
import type { Rereading } from "./reloading.ts";
import { serve } from "./serve.ts";

/** Runs a proxy until a signal; returns the exit status. `rereading`: where its configuration can be read again. */
export async function runProxy(config: Config, rereading?: Rereading): Promise<number> {
  const log = await openLog(config.log);
  const { logger } = log;
  const proxy = createProxy(config, { logger, onReload: (next) => log.setLevel(next.log.level) });
  return serve(proxy, log, { manager: serviceManager(proxy, { logger, clock: systemClock, process }), rereading });
}
