import { ConfigError } from "../config/problem.ts";
import type { Log } from "../log/logger.ts";
import { escapeText } from "../log/text.ts";
import type { Proxy } from "../proxy/api.ts";
import type { ServiceManager } from "../systemd/notifier.ts";
import { NO_MANAGER } from "../systemd/service.ts";
import { dumpStatus } from "./dump.ts";
import { EXIT } from "./exit-status.ts";
import { complain } from "./output.ts";
import { Reloading, type Rereading } from "./reloading.ts";
import { signalStatus, watchSignals, type StopSignal } from "./signals.ts";

/**
 * What a log's reader that doesn't read may delay the end (and a slow one, three times), that of a crash, and one that
 * somebody has asked for twice.
 */
const LOG_END_MS = 2_000;
const LOG_CRASH_MS = 1_000;
const LOG_AGAIN_MS = 100;

/** What a served proxy has to do with others. */
export interface Served {
  /** Is told when it serves, reads its configuration again, and stops. */
  readonly manager?: ServiceManager;
  readonly rereading?: Rereading | undefined;
}

/**
 * Starts a proxy and runs it until a signal that stops.
 *
 * The first one stops it in order; a second one ends the process at once. An error that nobody caught is logged and
 * ends the process at once, too: what state it left behind is unknown, and clients that reconnect verify.
 * Where the configuration can be read again, a SIGHUP does so; a SIGUSR1 tells how everything is.
 * @returns the exit status
 * @throws ConfigError where the start finds what `check` can't see
 */
export async function serve(proxy: Proxy, log: Log, { manager = NO_MANAGER, rereading }: Served = {}): Promise<number> {
  const { logger } = log;
  const reloading = rereading === undefined ? undefined : new Reloading(proxy, logger, manager, rereading);
  const dump = (): boolean => {
    try {
      dumpStatus(logger, proxy.status());
    } catch (err) {
      logger.error({ err }, "an unexpected error");
    }
    return true;
  };
  const signalled = watchSignals({
    acts: { SIGHUP: () => reloading?.ask() === true, SIGUSR1: dump },
    again: (signal) => endAtOnce(log, signal),
    kept: (signal, use) => logger.warn({ signal, use }, "a signal that does nothing"),
  });
  process.on("uncaughtException", (error) => crash(log, error));
  try {
    // A signal may come while a name is looked up, which can take long.
    if (rereading?.isWanted() === true) reloading?.ask();
    const first = await Promise.race([proxy.start(), signalled]);
    if (first === undefined) {
      manager.ready();
      reloading?.begin();
    }
    const signal = first ?? (await signalled);
    reloading?.end();
    manager.stopping();
    logger.info({ signal }, "stopping");
    await proxy.stop();
    logger.info("stopped");
    return EXIT.ok;
  } catch (error) {
    // Of a file that the configuration names, and that is no good.
    if (error instanceof ConfigError) throw error;
    complain(error instanceof Error ? error.message : String(error));
    return EXIT.failed;
  } finally {
    manager.end();
    await log.end(LOG_END_MS);
    exitSoon();
  }
}

function endAtOnce(log: Log, signal: StopSignal): never {
  log.logger.warn({ signal }, "a second signal: the process ends at once");
  log.flushSync(LOG_AGAIN_MS);
  process.exit(signalStatus(signal));
}

function crash(log: Log, error: unknown): never {
  const level = "fatal";
  if (log.logger.isLevelEnabled(level)) log.logger[level]({ err: error }, "internal error, the process ends");
  else complain(`internal error: ${escapeText(String(error))}`);
  log.flushSync(LOG_CRASH_MS);
  process.exit(EXIT.failed);
}

/** The loop drains by itself, which loses no output; this is for what would keep it alive by mistake. */
function exitSoon(): void {
  setTimeout(() => process.exit(), 1000).unref();
}
