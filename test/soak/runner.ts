import { openSync } from "node:fs";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as after } from "node:timers/promises";
import { serve } from "../../src/commands/serve.ts";
import { loadConfig } from "../../src/config/load.ts";
import { createProxy } from "../../src/index.ts";
import { openLog } from "../../src/log/logger.ts";
import { answerParent } from "../bench/answers.ts";
import type { Ended, RunnerAsks } from "./runner-asks.ts";

/**
 * The proxy's process: `runner.js CONFIG-FILE LOG-FILE`, with `--expose-gc`. It does what `zeo-proxy run --config` does, and
 * answers its parent, too.
 */

const [configFile = "", logFile = ""] = process.argv.slice(2);
const config = loadConfig(configFile);
const log = await openLog(config.log, openSync(logFile, "a"));
const proxy = createProxy(config, { logger: log.logger });
let ended: Ended[] = [];
let down: string[] = [];
/** Once for each upstream when it starts. */
let listening: string[] = [];
proxy.on("ended", ({ client, code }) => ended.push({ client, code }));
proxy.on("down", ({ upstream }) => down.push(upstream));
proxy.on("listening", ({ upstream }) => listening.push(upstream));
const { gc } = globalThis as { readonly gc?: () => void };
const delay = monitorEventLoopDelay({ resolution: 10 });
delay.enable();

/** What one collection frees, finalizers let go of in later turns, and then there may be more to free. */
async function collect(): Promise<void> {
  if (gc === undefined) throw new Error("start this with --expose-gc");
  for (let i = 0; i < 4; i++) {
    gc();
    await after(10);
  }
}

async function isListening(): Promise<void> {
  while (proxy.stats().upstreams.length === 0 || proxy.stats().upstreams.some(({ state }) => state !== "listening")) {
    await after(20);
  }
}

answerParent<RunnerAsks>({
  stats: () => proxy.stats(),
  started: async () => {
    await isListening();
    return proxy.stats();
  },
  news: () => {
    const news = { ended, down, listening, stoodMs: delay.max / 1e6 };
    ended = [];
    down = [];
    listening = [];
    delay.reset();
    return news;
  },
  inside: async (how) => {
    if (how.collect) await collect();
    const { heapUsed, external, rss } = process.memoryUsage();
    // A log line that is just being written is nothing that stays.
    const resources = process.getActiveResourcesInfo().filter((kind) => !kind.startsWith("FSReq"));
    return { heapBytes: heapUsed, externalBytes: external, residentBytes: rss, resources };
  },
});

process.exitCode = await serve(proxy, log);
