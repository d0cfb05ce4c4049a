import { isatty } from "node:tty";
import type { Bindings, Logger } from "pino";
import { pino } from "pino";
import type { Config } from "../config/schema.ts";
import { descriptorWriter } from "./descriptor.ts";
import { serializeError } from "./error-fields.ts";
import { LineWriter } from "./line-writer.ts";
import { escapeText, escapeTexts } from "./text.ts";

/** What a reader that doesn't keep up may leave unread before lines are lost rather than memory. */
const MAX_WAITING_BYTES = 16 * 1024 * 1024;

/** An error and worse. */
const URGENT = pino.levels.values["error"] ?? 0;

/** How long a last word on standard error may take, and what is left where nobody has ended the log. */
const ASIDE_MS = 100;
const AT_EXIT_MS = 100;

/** A logger and the end of its output. What is lost at the end is told on standard error. */
export interface Log {
  readonly logger: Logger;
  /** Another `log.level`, from now on. */
  readonly setLevel: (level: Config["log"]["level"]) => void;
  /** Writes what waits for its reader before it returns, at most for so long. Nothing is written later. */
  readonly flushSync: (timeoutMs: number) => void;
  /** Writes what waits for its reader, until that takes nothing for so long. Nothing is written later. */
  readonly end: (timeoutMs: number) => Promise<void>;
}

/**
 * Opens the log on a file descriptor: JSON, or readable lines where the format is `pretty`, or `auto` on a terminal.
 * Writing never blocks the event loop: what a slow reader or a full disk leaves is kept, up to 16 MiB; what is lost beyond
 * that is counted in a later line. A reader that goes away ends the log, not the process. An end of the process that nothing
 * in it sees (SIGKILL) loses the lines of the turn of the event loop that it comes in, but no error among them.
 */
export async function openLog(config: Pick<Config["log"], "level" | "format">, descriptor = 1): Promise<Log> {
  const format = await formatter(config.format, descriptor);
  const writer = new LineWriter(
    {
      write: descriptorWriter(descriptor),
      onLost: (lines, code) => {
        // At whatever level the log is: nobody else can tell.
        const level = (["warn", "error", "fatal"] as const).find((one) => logger.isLevelEnabled(one)) ?? "fatal";
        logger[level]({ lines, reason: code }, "log lines lost");
      },
      onBroken: (lines, code) =>
        aside(`the log's output is gone (${code}), ${lines} lines lost; nothing more is logged`),
    },
    MAX_WAITING_BYTES,
  );
  const tellEnd = (unwritten: number): void => {
    if (unwritten > 0) aside(`${unwritten} log lines lost at the end (${writer.code})`);
  };
  const logger = makeLogger(config.level, { write: (line, isUrgent) => writer.write(format(line), isUrgent) });
  const flushSync = (timeoutMs: number): void => {
    process.off("exit", atExit);
    tellEnd(writer.flushSync(timeoutMs));
  };
  // Whoever ends the process: what was told in this turn is written.
  const atExit = (): void => flushSync(AT_EXIT_MS);
  process.once("exit", atExit);
  return {
    logger,
    setLevel: (level) => {
      logger.level = level;
    },
    flushSync,
    end: async (timeoutMs) => {
      tellEnd(await writer.end(timeoutMs));
      process.off("exit", atExit);
    },
  };
}

/** A word on standard error about a log that can't have it; as the log's, it waits for no reader. */
function aside(text: string): void {
  try {
    const output = { write: descriptorWriter(2), onLost: () => undefined, onBroken: () => undefined };
    const writer = new LineWriter(output, MAX_WAITING_BYTES);
    writer.write(`zeo-proxy: ${text}\n`);
    writer.flushSync(ASIDE_MS);
  } catch {
    // There is no standard error either.
  }
}

/** Takes lines, each with its end. An urgent one, an error or worse, is not to wait. */
export interface LineStream {
  write(line: string, isUrgent: boolean): void;
}

/** A logger over any stream of lines. Every text is escaped, since clients choose some of them. */
export function makeLogger(level: string, stream: LineStream): Logger {
  /** The line that is being made is. */
  let isUrgent = false;
  const logger = pino(
    {
      level,
      base: null,
      // The time of writing is `at`: `time` in a line about a transaction is the transaction's.
      timestamp: writingTime(),
      formatters: {
        level: (label) => ({ level: label }),
        log: (fields) => escapeTexts(fields) as Record<string, unknown>,
      },
      serializers: { err: serializeError },
      hooks: {
        logMethod(args, method, lineLevel) {
          const texts: unknown[] = args;
          for (const [at, text] of texts.entries()) if (typeof text === "string") texts[at] = escapeText(text);
          isUrgent = lineLevel >= URGENT;
          method.apply(this, args);
        },
      },
    },
    { write: (line: string) => stream.write(line, isUrgent) },
  );
  // A child's fields pass no formatter. Children of children inherit this method.
  // oxlint-disable-next-line typescript/unbound-method -- it is called with the `this` of the new method
  const child = logger.child as unknown as (this: Logger, fields: Bindings, options: never) => Logger;
  Object.assign(logger, {
    child(this: Logger, fields: Bindings, options: never) {
      return child.call(this, escapeTexts(fields) as Bindings, options);
    },
  });
  return logger;
}

/** The field `at`. The lines of one millisecond share theirs: to write a date costs more than to escape a line. */
function writingTime(): () => string {
  let writtenMs = Number.NaN;
  let field = "";
  return () => {
    const nowMs = Date.now();
    if (nowMs !== writtenMs) {
      writtenMs = nowMs;
      field = `,"at":"${new Date(nowMs).toISOString()}"`;
    }
    return field;
  };
}

async function formatter(format: Config["log"]["format"], descriptor: number): Promise<(line: string) => string> {
  const terminal = isatty(descriptor);
  if (format === "json" || (format === "auto" && !terminal)) return (line) => line;
  // Only here, since a service needs none of it.
  const { prettyFactory } = await import("pino-pretty");
  const colorize = terminal && !process.env["NO_COLOR"];
  const pretty = prettyFactory({ colorize, timestampKey: "at", translateTime: false, singleLine: true });
  return (line) => pretty(line);
}
