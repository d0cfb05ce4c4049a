import type { Config } from "../config/schema.ts";
import { openLog } from "../observe/log.ts";
import { createProxy } from "../proxy/proxy.ts";
import { serve } from "./serve.ts";

/** Runs a proxy until a signal; returns the exit status. */
export async function runProxy(config: Config): Promise<number> {
  const log = await openLog(config.log);
  return serve(createProxy(config, { logger: log.logger }), log);
}
