import type { Logger } from "pino";
import type { Config } from "../config/load.ts";
import { ConfigError, formatProblem } from "../config/problem.ts";
import type { Proxy } from "../proxy/api.ts";
import { ListenError } from "../proxy/errors.ts";
import type { ServiceManager } from "../systemd/notifier.ts";

/** Of a file that is wrong so many problems are told. */
const MAX_PROBLEMS = 20;

/** Where the configuration is read again. */
export interface Rereading {
  /** The file, for messages. */
  readonly file: string;
  /** Throws `ConfigError` where it is wrong, or can't be read. */
  readonly read: () => Config;
  /** Was that wanted since it was read first? */
  readonly isWanted: () => boolean;
}

/**
 * Reads the configuration again, and lets the proxy go on with it: once the proxy has started, one after the other, and what comes
 * while one is at work leads to one more behind it, however often it comes. What is wrong changes nothing, and is told.
 */
export class Reloading {
  readonly #proxy: Proxy;
  readonly #logger: Logger;
  readonly #manager: ServiceManager;
  readonly #rereading: Rereading;
  #hasBegun = false;
  #isAsked = false;
  #isAtWork = false;
  #isOver = false;

  constructor(proxy: Proxy, logger: Logger, manager: ServiceManager, rereading: Rereading) {
    this.#proxy = proxy;
    this.#logger = logger;
    this.#manager = manager;
    this.#rereading = rereading;
  }

  /** @returns false where it is too late */
  ask(): boolean {
    if (this.#isOver) return false;
    this.#isAsked = true;
    void this.#work();
    return true;
  }

  /** The proxy has started. */
  begin(): void {
    this.#hasBegun = true;
    void this.#work();
  }

  /** The proxy stops: nothing is read any more. */
  end(): void {
    this.#isOver = true;
  }

  async #work(): Promise<void> {
    if (this.#isAtWork || !this.#hasBegun) return;
    this.#isAtWork = true;
    while (this.#isAsked && !this.#isOver) {
      this.#isAsked = false;
      // oxlint-disable-next-line no-await-in-loop -- one at a time
      await this.#reload();
    }
    this.#isAtWork = false;
  }

  async #reload(): Promise<void> {
    const { file, read } = this.#rereading;
    const before = performance.now();
    this.#logger.info({ file }, "the configuration is read again");
    this.#manager.reloading();
    try {
      const { needRestart, ...done } = await this.#proxy.reload(read());
      const durationMs = Math.round(performance.now() - before);
      this.#logger.info({ file, ...done, durationMs }, "the configuration is in force");
      if (needRestart.length > 0) {
        this.#logger.warn({ file, options: needRestart }, "what was changed there needs a restart");
      }
    } catch (error) {
      if (!this.#isOver) this.#failed(file, error);
    }
    // Whatever came of it: it serves.
    this.#manager.ready();
  }

  #failed(file: string, error: unknown): void {
    if (error instanceof ConfigError) {
      const problems = error.problems.slice(0, MAX_PROBLEMS).map(formatProblem);
      const fields = { file, count: error.problems.length, problems };
      this.#logger.error(fields, "the configuration is wrong: nothing is changed");
    } else if (error instanceof ListenError) {
      const { code, message } = error;
      this.#logger.error({ file, reason: code, error: message }, "a new address can't be had: nothing is changed");
    } else this.#logger.error({ file, err: error }, "the configuration could not be put in force");
  }
}
