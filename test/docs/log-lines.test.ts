import { expect, it } from "vitest";
import { logLinesIn } from "./log-lines.ts";

it.each([
  ["a line alone", 'logger.info("stopped");', ["stopped"]],
  ["a line behind fields", 'this.#logger.warn({ a, b: f(c, "x") }, "two, words");', ["two, words"]],
  ["a level in a variable", 'log.logger[level]({ err }, "an end");', ["an end"]],
  ["a call over several lines", 'logger.error(\n  { a },\n  "it (is) over",\n);', ["it (is) over"]],
  ["a choice", 'logger.info(fields, isLong ? "long" : "short");', ["long", "short"]],
  ["a text with a quote", 'logger.debug({}, "a \\" b");', ['a \\" b']],
  ["two calls", 'logger.info("a"); if (x) logger.info("b");', ["a", "b"]],
  ["no call", 'blogger.info("a"); logger.child({}); logger.isLevelEnabled("info");', []],
])("%s is found", (_, source, lines) => {
  expect(logLinesIn(source)).toEqual(lines);
});

it("a line that can't be read is told", () => {
  expect(() => logLinesIn("logger.info({ a }, text);")).toThrow("expected a text as the last argument of logger.info(");
  expect(() => logLinesIn('logger.info("a"')).toThrow("expected the end of the call");
});
