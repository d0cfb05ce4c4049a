import type { Logger } from "pino";
import { makeLogger } from "../log/logger.ts";

/** The proxy's log of a demo: kept at first, so that it stands below the table, then written as it comes. */
export interface DemoLog {
  readonly logger: Logger;
  /** The readable lines so far, each with its end. */
  readonly lines: readonly string[];
  /** From now on lines go to standard output. */
  passOn(): void;
}

/** Readable everywhere: a demo is for people, also on a pipe. */
export async function openDemoLog(): Promise<DemoLog> {
  const { prettyFactory } = await import("pino-pretty");
  const colorize = process.stdout.isTTY && !process.env["NO_COLOR"];
  const pretty = prettyFactory({
    colorize,
    timestampKey: "at",
    translateTime: "SYS:HH:MM:ss.l",
    hideObject: true,
    messageFormat: (fields) => summary(fields),
  });
  const lines: string[] = [];
  let passing = false;
  const write = (line: string): void => {
    const text = pretty(line);
    if (passing) process.stdout.write(text);
    else lines.push(text);
  };
  return {
    logger: makeLogger("info", { write }),
    lines,
    passOn: () => {
      passing = true;
    },
  };
}

/** Fields that a reader of the demo knows anyway. */
const KNOWN = new Set([
  "level",
  "at",
  "msg",
  "upstream",
  "storage",
  "client",
  "time",
  "oids",
  "completed",
  "synthesized",
]);

/** A line's message with the fields that matter, short enough for a terminal. */
function summary(fields: Readonly<Record<string, unknown>>): string {
  const told = Object.entries(fields)
    .filter(([key, value]) => !KNOWN.has(key) && value !== 0)
    .map(([key, value]) => `${key} ${typeof value === "string" ? value : JSON.stringify(value)}`);
  const { msg, completed, synthesized } = fields;
  const clients = (Number(completed) || 0) + (Number(synthesized) || 0);
  if (clients > 0) told.push(clients === 1 ? "for one client" : `for ${clients} clients`);
  return [String(msg), ...told].join(", ");
}
