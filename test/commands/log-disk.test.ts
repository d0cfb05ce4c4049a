import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { CommandProcess, killRest } from "./command.ts";
import { atEnd, leave } from "./stage.ts";

// The log's file on a disk that has no room. The command runs as a process; what it is given to write is a flood of
// numbered lines, of some 250 bytes each where nothing else is said.

afterEach(async () => {
  killRest();
  await leave();
});

/** Runs a shell line with the command's log redirected, and such a flood at its start. */
function flooding(redirected: string, lines: number, before = "", size = 1): CommandProcess {
  const fixture = `${process.execPath} .cache/commands/test/commands/fixtures/serve.js normal info ${lines} ${size}`;
  return new CommandProcess("sh", ["-c", `${before} exec ${fixture} ${redirected}`]);
}

async function started(command: CommandProcess): Promise<CommandProcess> {
  await command.until(() => (command.stderr.includes("started") ? true : undefined), "the start");
  return command;
}

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "zeo-proxy-disk-"));
  atEnd(() => rmSync(path, { recursive: true }));
  return path;
}

/** A file system of so many KiB; undefined where this user may make none. */
function smallDisk(kib: number): string | undefined {
  const path = folder();
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${kib}k`, "zeo-proxy-test", path], { stdio: "ignore" });
  } catch {
    return undefined;
  }
  atEnd(() => execFileSync("umount", ["--lazy", path]));
  return path;
}

const CAN_MOUNT = ((): boolean => {
  const disk = smallDisk(64);
  void leave();
  return disk !== undefined;
})();

interface Line {
  readonly n?: number;
  readonly msg: string;
  readonly level: string;
  readonly lines?: number;
  readonly reason?: string;
}

function linesOf(file: string): Line[] {
  const text = readFileSync(file, "utf8");
  return text
    .slice(0, text.lastIndexOf("\n") + 1)
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Line);
}

/** Waits until the file has such a line. */
async function lineIn(file: string, message: string): Promise<readonly Line[]> {
  const deadline = Date.now() + 15_000;
  for (;;) {
    if (readFileSync(file, "utf8").includes(`"msg":"${message}"}\n`)) return linesOf(file);
    if (Date.now() > deadline) throw new Error(`waited in vain for "${message}"`);
    // oxlint-disable-next-line no-await-in-loop -- nothing announces it
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const numbers = (lines: readonly Line[]): number[] => lines.flatMap(({ n }) => (n === undefined ? [] : [n]));
const upTo = (end: number): number[] => Array.from({ length: end }, (_, n) => n);

async function stopped(command: CommandProcess): Promise<string> {
  command.signal("SIGTERM");
  const { status, stderr } = await command.ended();
  expect(status).toBe(0);
  return stderr;
}

describe.skipIf(!CAN_MOUNT)("a full file system", () => {
  const enlarge = (disk: string): unknown => execFileSync("mount", ["-o", "remount,size=64m", disk]);

  it("loses no line while what waits is kept: all is there when there is room, and the log goes on", async () => {
    const disk = smallDisk(64) ?? "";
    const file = join(disk, "log");
    const command = await started(flooding(`>> ${file}`, 1000));
    expect(statSync(file).size).toBe(64 * 1024);
    enlarge(disk);
    expect(numbers(await lineIn(file, "started"))).toEqual(upTo(1000));
    expect(await stopped(command)).toBe("started\n");
    const all = linesOf(file);
    expect(numbers(all)).toEqual(upTo(1000));
    expect(all.slice(-3).map(({ msg }) => msg)).toEqual(["started", "stopping", "stopped"]);
  });

  it("costs what can't be kept; how many lines is told at their place when there is room", async () => {
    const disk = smallDisk(64) ?? "";
    const file = join(disk, "log");
    const command = await started(flooding(`>> ${file}`, 9_000, "", 12));
    enlarge(disk);
    await lineIn(file, "log lines lost");
    expect(await stopped(command)).toBe("started\n");
    const all = linesOf(file);
    const told = all.filter(({ msg }) => msg === "log lines lost");
    expect(told).toMatchObject([{ level: "warn", reason: "ENOSPC" }]);
    const kept = numbers(all);
    expect(kept).toEqual(upTo(kept.length));
    expect(kept.length).toBeLessThan(9_000);
    // "started" came when there was no room, too.
    expect(kept.length + (told[0]?.lines ?? 0)).toBe(9_001);
    expect(all.slice(-3).map(({ msg }) => msg)).toEqual(["log lines lost", "stopping", "stopped"]);
  });

  it("that stays full costs a stop seconds, and what is lost is told on standard error", async () => {
    const disk = smallDisk(64) ?? "";
    const file = join(disk, "log");
    const command = await started(flooding(`>> ${file}`, 1000));
    const stderr = await stopped(command);
    // And "started", "stopping", "stopped".
    const missing = 1003 - linesOf(file).length;
    expect(stderr).toBe(`started\nzeo-proxy: ${missing} log lines lost at the end (ENOSPC)\n`);
  });
});

describe("/dev/full", () => {
  it("never has room: a stop takes seconds, and all is told to be lost", async () => {
    const command = await started(flooding("> /dev/full", 100));
    expect(await stopped(command)).toBe("started\nzeo-proxy: 103 log lines lost at the end (ENOSPC)\n");
  });
});

describe("standard error that shares the log's stuck pipe", () => {
  it("keeps nobody from stopping, though nobody can be told what is lost", async () => {
    const command = flooding("2>&1", 20_000);
    await command.until(() => (command.stdout === "" ? undefined : true), "the flood");
    command.child.stdout?.pause();
    command.signal("SIGTERM");
    const [status] = (await once(command.child, "exit")) as [number | null];
    expect(status).toBe(0);
  });
});

describe("a file that may not grow any more (RLIMIT_FSIZE)", () => {
  it("ends neither the process nor the log: what waits is written when it was rotated", async () => {
    const file = join(folder(), "log");
    writeFileSync(file, "");
    // Blocks of 512 bytes.
    const command = await started(flooding(`>> ${file}`, 300, "ulimit -f 128;"));
    const size = statSync(file).size;
    const first = linesOf(file);
    expect(numbers(first)).toEqual(upTo(first.length));
    expect(first.length).toBeLessThan(300);
    truncateSync(file);
    // What was cut off is the rest of a line.
    const deadline = Date.now() + 15_000;
    while (!readFileSync(file, "utf8").includes('"started"')) {
      expect(Date.now(), "written again").toBeLessThan(deadline);
      // oxlint-disable-next-line no-await-in-loop -- nothing announces it
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(await stopped(command)).toBe("started\n");
    const rest = readFileSync(file, "utf8");
    expect(rest.length).toBeLessThan(size);
    const [, ...whole] = rest.split("\n");
    const numbered = [...whole.join("\n").matchAll(/"n":(\d+)/g)].map(([, n]) => Number(n));
    expect(numbered).toEqual(upTo(300).slice(first.length + 1));
  });
});

describe("a reader that goes away for good", () => {
  it("is told of on standard error, once; the proxy stays", async () => {
    const command = flooding("", 10);
    await command.line(({ msg }) => msg === "started", "the start");
    command.child.stdout?.destroy();
    const stderr = await stopped(command);
    // "stopping" and "stopped": here the stop takes less than a turn.
    expect(stderr).toMatch(
      /^started\nzeo-proxy: the log's output is gone \(EPIPE\), 2 lines lost; nothing more is logged\n$/,
    );
  });
});
