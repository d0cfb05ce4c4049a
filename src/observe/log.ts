import { isatty } from "node:tty";
import type { Bindings, Logger } from "pino";
import { pino, stdSerializers } from "pino";
import type { Config } from "../config/schema.ts";
import { LineWriter } from "./line-writer.ts";
import { escapeText, escapeTexts } from "./text.ts";

/** What a reader that doesn't keep up may leave unread before lines are lost rather than memory. */
const MAX_WAITING_BYTES = 16 * 1024 * 1024;

/** A logger and the end of its output. */
export interface Log {
  readonly logger: Logger;
  /** Writes what waits for its reader before it returns, at most for a second. For a crash; nothing is written later. */
  readonly flushSync: () => void;
  /** Writes what waits for its reader, at most for so long. Nothing is written later. */
  readonly end: (timeoutMs: number) => Promise<void>;
}

/**
 * Opens the log on a file descriptor: JSON, or readable lines where the format is `pretty`, or `auto` on a terminal.
 * Writing never blocks the event loop: what a slow reader leaves is kept, up to 16 MiB; what is lost beyond that is
 * counted in a later line. A reader that goes away ends the log, not the process.
 */
export async function openLog(config: Config["log"], descriptor = 1): Promise<Log> {
  const format = await formatter(config.format, descriptor);
  const writer = new LineWriter(descriptor, MAX_WAITING_BYTES, (lines) => {
    logger.warn({ lines }, "log lines lost, since their reader did not keep up");
  });
  const logger = makeLogger(config.level, { write: (line) => writer.write(format(line)) });
  return { logger, flushSync: () => writer.flushSync(1000), end: (timeoutMs) => writer.end(timeoutMs) };
}

/** A logger over any stream of lines. Every text is escaped, since clients choose some of them. */
export function makeLogger(level: string, stream: { write(line: string): void }): Logger {
  const logger = pino(
    {
      level,
      base: null,
      // The time of writing is `at`: `time` in a line about a transaction is the transaction's.
      timestamp: () => `,"at":"${new Date().toISOString()}"`,
      formatters: {
        level: (label) => ({ level: label }),
        log: (fields) => escapeTexts(fields) as Record<string, unknown>,
      },
      serializers: { err: serializeError },
      hooks: {
        logMethod(args, method) {
          const escaped = args.map((arg: unknown) => (typeof arg === "string" ? escapeText(arg) : arg));
          method.apply(this, escaped as typeof args);
        },
      },
    },
    stream,
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

/** Type, code, message and stack, without what an error may carry besides: a payload never reaches the log. */
function serializeError(value: unknown): unknown {
  if (!(value instanceof Error)) return escapeTexts(value);
  const { type, message, stack } = stdSerializers.err(value);
  const frames = stack.split("\n").filter((line) => /^\s+at /.test(line));
  const heading = `${type}: ${escapeText(message)}`;
  const code = "code" in value && typeof value.code === "string" ? { code: value.code } : {};
  return { type, ...code, message: escapeText(message), stack: [heading, ...frames.map(escapeText)].join("\n") };
}

async function formatter(format: Config["log"]["format"], descriptor: number): Promise<(line: string) => string> {
  const terminal = isatty(descriptor);
  if (format === "json" || (format === "auto" && !terminal)) return (line) => line;
  // Only here, since it doubles the time that the command needs to start.
  const { prettyFactory } = await import("pino-pretty");
  const colorize = terminal && !process.env["NO_COLOR"];
  const pretty = prettyFactory({ colorize, timestampKey: "at", translateTime: false, singleLine: true });
  return (line) => pretty(line);
}
