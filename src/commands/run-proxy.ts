import type { Config } from "../config/schema.ts";
import { openLog } from "../observe/log.ts";
import { createProxy } from "../proxy/proxy.ts";
import type { Rereading } from "./reloading.ts";
import { serve } from "./serve.ts";

/** Runs a proxy until a signal; returns the exit status. `rereading`: where its configuration can be read again. */
export async function runProxy(config: Config, rereading?: Rereading): Promise<number> {
  const log = await openLog(config.log);
  const onReload = (next: Config): void => log.setLevel(next.log.level);
  return serve(createProxy(config, { logger: log.logger, onReload }), log, rereading);
}
