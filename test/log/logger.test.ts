import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { makeLogger, openLog } from "../../src/log/logger.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "zeo-proxy-log-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A logger whose lines end in the list, read back. */
function recorded(level = "trace") {
  const lines: Record<string, unknown>[] = [];
  const write = (line: string) => {
    expect(line.endsWith("\n")).toBe(true);
    expect(line.indexOf("\n")).toBe(line.length - 1);
    lines.push(JSON.parse(line) as Record<string, unknown>);
  };
  return { lines, logger: makeLogger(level, { write }) };
}

describe("a line", () => {
  it("has its level as a word, the moment of writing, the fields and the message", () => {
    const { lines, logger } = recorded();
    const before = new Date().toISOString();
    logger.warn({ upstream: "main", count: 3 }, "something");
    expect(lines).toEqual([
      { level: "warn", at: expect.any(String) as string, upstream: "main", count: 3, msg: "something" },
    ]);
    expect(String(lines[0]?.["at"]) >= before).toBe(true);
    expect(String(lines[0]?.["at"]) <= new Date().toISOString()).toBe(true);
  });

  it("has a client's text escaped, wherever it stands", () => {
    const { lines, logger } = recorded();
    const evil = "\u001b[2J\u009b\u202e";
    const safe = "\\x1b[2J\\x9b\\u{202e}";
    logger
      .child({})
      .child({ storage: evil })
      .info({ method: evil, list: [evil], deep: { text: evil } }, `said ${evil}`);
    expect(lines[0]).toMatchObject({
      storage: safe,
      method: safe,
      list: [safe],
      deep: { text: safe },
      msg: `said ${safe}`,
    });
  });

  it("has of an error its type, code, message and stack, nothing that the error carries besides", () => {
    const { lines, logger } = recorded();
    const cause = new TypeError("inner\u001b");
    logger.error(Object.assign(new Error("outer\u001b", { cause }), { code: "EOUCH", payload: "secret" }), "failed");
    const err = lines[0]?.["err"] as Record<string, string>;
    expect(err).toMatchObject({ type: "Error", code: "EOUCH", message: "outer\\x1b: inner\\x1b" });
    expect(err["stack"]).toMatch(/^Error: outer\\x1b: inner\\x1b\n\s+at /);
    expect(JSON.stringify(lines)).not.toMatch(/secret/);
  });

  it("is urgent where it is an error or worse, a child's too", () => {
    const urgent: boolean[] = [];
    const logger = makeLogger("trace", { write: (_line, isUrgent) => urgent.push(isUrgent) });
    for (const one of [logger, logger.child({ storage: "1" })]) {
      for (const level of ["trace", "debug", "info", "warn", "error", "fatal"] as const) one[level]("x");
    }
    const each = [false, false, false, false, true, true];
    expect(urgent).toEqual([...each, ...each]);
  });

  it("has the moment of its own millisecond, however many there are in one", () => {
    vi.useFakeTimers({ now: 1_700_000_000_000 });
    try {
      const { lines, logger } = recorded();
      for (const ms of [0, 0, 1, 0, 86_400_000]) {
        vi.advanceTimersByTime(ms);
        logger.info("x");
      }
      expect(lines.map(({ at }) => at)).toEqual([
        "2023-11-14T22:13:20.000Z",
        "2023-11-14T22:13:20.000Z",
        "2023-11-14T22:13:20.001Z",
        "2023-11-14T22:13:20.001Z",
        "2023-11-15T22:13:20.001Z",
      ]);
    } finally {
      vi.useRealTimers();
    }
  });

  it("below the level is not written", () => {
    const { lines, logger } = recorded("warn");
    logger.info("no");
    logger.warn("yes");
    expect(lines.map(({ msg }) => msg)).toEqual(["yes"]);
  });
});

describe("the log on a descriptor", () => {
  const config = { level: "info", format: "json", oids: 20 } as const;

  async function written(
    use: (log: Awaited<ReturnType<typeof openLog>>) => unknown,
    format: "json" | "pretty" | "auto",
  ) {
    const file = join(folder, "log");
    const descriptor = openSync(file, "w");
    const log = await openLog({ ...config, format }, descriptor);
    await use(log);
    try {
      closeSync(descriptor);
    } catch {
      // The end of the log closes all but the standard ones.
    }
    return readFileSync(file, "utf8");
  }

  it("is complete when it has ended, and silent afterwards", async () => {
    const text = await written(async ({ logger, end }) => {
      for (let n = 0; n < 5000; n++) logger.info({ n }, "line");
      await end(5000);
      logger.info("too late");
      await end(5000);
    }, "json");
    const numbers = text
      .trimEnd()
      .split("\n")
      .map((line) => (JSON.parse(line) as { n: number }).n);
    expect(numbers).toEqual(Array.from({ length: 5000 }, (_, n) => n));
  });

  it("is complete after flushSync", async () => {
    const text = await written(({ logger, flushSync }) => {
      logger.info("last words");
      flushSync(1000);
      logger.info("too late");
    }, "json");
    expect(text).toMatch(/"msg":"last words"\}\n$/);
  });

  it.each(["json", "pretty"] as const)("(%s) has an error at once, behind what stands before it", async (format) => {
    const file = join(folder, "log");
    await written(({ logger, flushSync }) => {
      const messages = (): string[] => readFileSync(file, "utf8").match(/(?:one|two|three|four)/g) ?? [];
      logger.info("one");
      logger.warn("two");
      expect(messages()).toEqual([]);
      logger.error("three");
      expect(messages()).toEqual(["one", "two", "three"]);
      logger.info("four");
      expect(messages()).toHaveLength(3);
      flushSync(1000);
      expect(messages()).toHaveLength(4);
    }, format);
  });

  it("keeps nothing of an ended one at the process", async () => {
    const before = process.listenerCount("exit");
    await written(({ flushSync }) => flushSync(1000), "json");
    await written(({ end }) => end(1000), "json");
    expect(process.listenerCount("exit")).toBe(before);
  });

  it("is JSON where the format is auto and the descriptor no terminal", async () => {
    const text = await written(({ logger, flushSync }) => (logger.info("x"), flushSync(1000)), "auto");
    expect(text).toMatch(/^\{"level":"info","at":"/);
  });

  it("is readable and without colours where the format is pretty and the descriptor no terminal", async () => {
    const text = await written(({ logger, flushSync }) => {
      logger.warn({ upstream: "main", oids: ["a", "b"] }, "something\u001b[31m happened");
      flushSync(1000);
    }, "pretty");
    expect(text).toMatch(
      /^\[\d{4}-\d\d-\d\dT[\d:.]+Z\] WARN: something\\x1b\[31m happened \{.*"upstream":"main".*\}\n$/,
    );
  });
});
