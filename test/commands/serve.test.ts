import { once } from "node:events";
import { afterEach, describe, expect, it, test } from "vitest";
import { CommandProcess, killRest } from "./command.ts";

afterEach(killRest);

function serving(manner: string, level = "info", flood = 0, size = 1): CommandProcess {
  const args = [manner, level, String(flood), String(size)];
  return new CommandProcess(process.execPath, [".cache/commands/test/commands/fixtures/serve.js", ...args]);
}

async function started(manner: string, level?: string, flood?: number): Promise<CommandProcess> {
  const command = serving(manner, level, flood);
  await command.until(() => (command.stderr.includes("started") ? true : undefined), "the start");
  return command;
}

describe("a signal", () => {
  test.each(["SIGTERM", "SIGINT"] as const)("%s stops the proxy; the status is 0", async (signal) => {
    const command = await started("normal");
    command.signal(signal);
    const { status, stderr } = await command.ended();
    expect({ status, stderr }).toEqual({ status: 0, stderr: "started\n" });
    expect(command.lines.map(({ msg, signal: named }) => [msg, named])).toEqual([
      ["started", undefined],
      ["stopping", signal],
      ["stopped", undefined],
    ]);
  });

  it("while a start takes long stops the proxy, too", async () => {
    const command = await started("start hangs");
    command.signal("SIGTERM");
    expect((await command.ended()).status).toBe(0);
  });

  test.each([
    ["SIGTERM", 143],
    ["SIGINT", 130],
  ] as const)("%s again, while a stop takes long, ends the process at once with %d", async (signal, expected) => {
    const command = await started("stop hangs");
    command.signal("SIGTERM");
    await command.until(() => (command.stderr.includes("stopping") ? true : undefined), "the stop");
    command.signal(signal);
    expect((await command.ended()).status).toBe(expected);
  });

  it("ends a process that something keeps alive by mistake", async () => {
    const command = await started("leaves a timer");
    command.signal("SIGTERM");
    expect((await command.ended()).status).toBe(0);
  });
});

describe("a failure", () => {
  it("to start is one line and status 1", async () => {
    const { status, stdout, stderr } = await serving("start fails").ended();
    expect({ status, stdout, stderr }).toEqual({
      status: 1,
      stdout: "",
      stderr: "zeo-proxy: can't listen on 127.0.0.1:1:; address in use\n",
    });
  });

  it("to stop is one line and status 1", async () => {
    const command = await started("stop fails");
    command.signal("SIGTERM");
    const { status, stderr } = await command.ended();
    expect({ status, stderr }).toEqual({ status: 1, stderr: "started\nzeo-proxy: can't stop\n" });
  });

  test.each(["throws", "rejects"])("that nobody caught (%s) is one fatal line and status 1", async (manner) => {
    const command = await started(manner);
    const { status, stderr } = await command.ended();
    expect({ status, stderr }).toEqual({ status: 1, stderr: "started\n" });
    const fatal = command.lines.filter(({ level }) => level === "fatal");
    expect(fatal).toHaveLength(1);
    expect(fatal[0]).toMatchObject({ msg: "internal error, the process ends", err: { type: "TypeError" } });
    // Where it was thrown, in the source, and not in what was built from it.
    expect(fatal[0]).toHaveProperty(
      "err.stack",
      expect.stringMatching(/^.*\n +at .*\btest\/commands\/fixtures\/serve\.ts:\d+:\d+/),
    );
  });

  it("that nobody caught is a line on standard error where the log is silent", async () => {
    const { status, stdout, stderr } = await (await started("throws", "silent")).ended();
    expect({ status, stdout, stderr }).toEqual({
      status: 1,
      stdout: "",
      stderr: "started\nzeo-proxy: internal error: TypeError: a bug\\x1b\n",
    });
  });
});

describe("the lines of the turn in which the process ends", () => {
  test.each([
    ["throws behind lines", 1, "fatal"],
    ["exits", 3, "info"],
    // Which nothing in the process sees.
    ["is killed behind an error", null, "error"],
  ])("are there, in order, where it %s", async (manner, expected, level) => {
    const command = await started(manner);
    expect((await command.ended()).status).toBe(expected);
    const [first, ...rest] = command.lines;
    expect(first).toMatchObject({ msg: "started" });
    expect(rest.slice(0, 50).map(({ n }) => n)).toEqual(Array.from({ length: 50 }, (_, n) => n));
    expect(rest.slice(50).map((line) => line["level"])).toEqual(level === "info" ? [] : [level]);
  });
});

describe("the log's end", () => {
  it("loses no line of what a reader takes late", async () => {
    const command = serving("normal", "info", 20_000);
    command.child.stdout?.pause();
    await command.until(() => (command.stderr.includes("started") ? true : undefined), "the start");
    command.signal("SIGTERM");
    setTimeout(() => command.child.stdout?.resume(), 300);
    expect((await command.ended()).status).toBe(0);
    const numbers = command.lines.flatMap(({ n }) => (n === undefined ? [] : [n]));
    expect(numbers).toEqual(Array.from({ length: 20_000 }, (_, n) => n));
  });

  it("counts what a reader left unread beyond the buffer, and keeps running meanwhile", async () => {
    const command = serving("normal", "info", 9_000, 12);
    command.child.stdout?.pause();
    await command.until(() => (command.stderr.includes("started") ? true : undefined), "the start");
    command.child.stdout?.resume();
    const lost = await command.line(({ msg }) => String(msg).startsWith("log lines lost"), "the count");
    command.signal("SIGTERM");
    await command.ended();
    const flood = command.lines.filter(({ msg }) => msg === "flood");
    expect(flood.length + Number(lost["lines"])).toBeGreaterThanOrEqual(9_000);
    expect(flood.length).toBeLessThan(9_000);
  });

  it("loses no line on a pipe that is read late", async () => {
    const fixture = `${process.execPath} .cache/commands/test/commands/fixtures/serve.js "start fails" info 20000`;
    const command = new CommandProcess("sh", ["-c", `${fixture} | { sleep 0.5; cat; }`]);
    expect((await command.ended()).stderr).toMatch(/^zeo-proxy: can't listen/);
    expect(command.lines.map(({ n }) => n)).toEqual(Array.from({ length: 20_000 }, (_, n) => n));
  });

  it("takes at most seconds where the reader takes nothing", async () => {
    const command = serving("normal", "info", 20_000);
    command.child.stdout?.pause();
    await command.until(() => (command.stderr.includes("started") ? true : undefined), "the start");
    command.signal("SIGTERM");
    const [status] = (await once(command.child, "exit")) as [number | null];
    expect(status).toBe(0);
  });

  it("is at a second signal where the reader takes nothing", async () => {
    const command = serving("stop hangs", "info", 20_000);
    command.child.stdout?.pause();
    await command.until(() => (command.stderr.includes("started") ? true : undefined), "the start");
    command.signal("SIGTERM");
    await command.until(() => (command.stderr.includes("stopping") ? true : undefined), "the stop");
    command.signal("SIGINT");
    const [status] = (await once(command.child, "exit")) as [number | null];
    expect(status).toBe(130);
  });

  it("is soon after a crash where the reader takes nothing", async () => {
    const command = serving("throws", "info", 20_000);
    command.child.stdout?.pause();
    const [status] = (await once(command.child, "exit")) as [number | null];
    expect(status).toBe(1);
  });

  it("comes early when the reader goes away; the proxy stays", async () => {
    const command = await started("normal", "info", 10);
    command.child.stdout?.destroy();
    command.signal("SIGTERM");
    expect((await command.ended()).status).toBe(0);
  });
});
