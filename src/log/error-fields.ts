import { stdSerializers } from "pino";
import { inSource } from "./sources.ts";
import { escapeText, escapeTexts } from "./text.ts";

/** Type, code, message and stack, without what an error may carry besides: a payload never reaches the log. */
export function serializeError(value: unknown): unknown {
  if (!(value instanceof Error)) return escapeTexts(value);
  const { type, message, stack } = stdSerializers.err(value);
  const frames = stack.split("\n").flatMap((line) => (/^\s+at /.test(line) ? [inSource(line)] : []));
  const heading = `${type}: ${escapeText(message)}`;
  const code = "code" in value && typeof value.code === "string" ? { code: value.code } : {};
  return { type, ...code, message: escapeText(message), stack: [heading, ...frames.map(escapeText)].join("\n") };
}
