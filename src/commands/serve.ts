import type { Log } from "../observe/log.ts";
import { escapeText } from "../observe/text.ts";
import type { Proxy } from "../proxy/api.ts";
import { complain, EXIT, signalStatus } from "./exit-status.ts";

/** What a log's reader that doesn't read may delay the end. */
const LOG_END_MS = 2000;

type Signal = "SIGINT" | "SIGTERM";

/**
 * Starts a proxy and runs it until SIGTERM or SIGINT.
 *
 * The first signal stops it in order; a second one ends the process at once. An error that nobody caught is logged and
 * ends the process at once, too: what state it left behind is unknown, and clients that reconnect verify.
 * @returns the exit status
 */
export async function serve(proxy: Proxy, log: Log): Promise<number> {
  const { logger } = log;
  const signalled = waitForSignal();
  process.on("uncaughtException", (error) => crash(log, error));
  try {
    // A signal may come while a name is looked up, which can take long.
    const first = await Promise.race([proxy.start(), signalled]);
    const signal = first ?? (await signalled);
    logger.info({ signal }, "stopping");
    await proxy.stop();
    logger.info("stopped");
    return EXIT.ok;
  } catch (error) {
    complain(error instanceof Error ? error.message : String(error));
    return EXIT.failed;
  } finally {
    await log.end(LOG_END_MS);
    exitSoon();
  }
}

/** Resolves at the first signal; from then on another one ends the process. */
function waitForSignal(): Promise<Signal> {
  return new Promise((resolve) => {
    let stopping = false;
    const onSignal = (signal: Signal) => {
      if (stopping) process.exit(signalStatus(signal));
      stopping = true;
      resolve(signal);
    };
    process.on("SIGINT", onSignal);
    process.on("SIGTERM", onSignal);
  });
}

function crash(log: Log, error: unknown): never {
  const level = "fatal";
  if (log.logger.isLevelEnabled(level)) log.logger[level]({ err: error }, "internal error, the process ends");
  else complain(`internal error: ${escapeText(String(error))}`);
  log.flushSync();
  process.exit(EXIT.failed);
}

/** The loop drains by itself, which loses no output; this is for what would keep it alive by mistake. */
function exitSoon(): void {
  setTimeout(() => process.exit(), 1000).unref();
}
