import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, it, test } from "vitest";
import { withoutLimits } from "./checked.ts";
import { CommandProcess, killRest, zeoProxy } from "./command.ts";

const folder = mkdtempSync(join(tmpdir(), "zeo-proxy-main-"));
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(killRest);

describe("the command line", () => {
  it("prints the package's version", async () => {
    const { version } = JSON.parse(readFileSync("package.json", "utf8")) as { version: string };
    for (const option of ["--version", "-V"]) {
      // oxlint-disable-next-line no-await-in-loop -- one process at a time
      expect(await zeoProxy([option]).ended()).toMatchObject({ status: 0, stdout: `${version}\n`, stderr: "" });
    }
  });

  test.each([
    [
      ["--help"],
      ["run", "check", "demo", "zeo-proxy run --listen 127.0.0.1:9100 --server 127.0.0.1:8100", "Exit status"],
    ],
    [
      ["run", "--help"],
      ["--config <file>", "--listen <address>", "--server <address>", "--log-level", "Examples:"],
    ],
    [
      ["check", "--help"],
      ["<file>", "Example:"],
    ],
    [["demo", "--help"], ["--once"]],
    // As docs/configuration.md has it: what is waited for is no failure.
    [
      ["--help"],
      ["where a listening address is in use or not permitted", "a name or an address that is not there yet"],
    ],
  ])("%j explains itself with examples", async (args, parts) => {
    const { status, stdout, stderr } = await zeoProxy(args).ended();
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    for (const part of parts) expect(stdout).toContain(part);
  });

  test.each([
    [["help"], ["--help"]],
    [
      ["help", "probe"],
      ["probe", "--help"],
    ],
    [
      ["help", "help"],
      ["help", "--help"],
    ],
  ])("%j is %j", async (args, same) => {
    const [one, other] = await Promise.all([zeoProxy(args).ended(), zeoProxy(same).ended()]);
    expect(one.stdout).toContain("Usage: zeo-proxy");
    expect(one).toEqual(other);
  });

  test.each([
    [["serve"], "error: unknown command 'serve'"],
    [["help", "serve"], "value 'serve' is invalid for argument 'command'. Allowed choices are run, check, demo,"],
    [["--quiet"], "error: unknown option '--quiet'"],
    [["run"], "error: expected --config FILE, or both --listen ADDRESS and --server ADDRESS"],
    [["run", "--listen", "127.0.0.1:0"], "error: expected --config FILE, or both"],
    [["run", "--config", "a", "--server", "b:1"], "error: option '-c, --config <file>' cannot be used with option"],
    [["run", "--config"], "error: option '-c, --config <file>' argument missing"],
    [["run", "a.yaml"], "error: too many arguments for 'run'"],
    [["run", "--listen", "127.0.0.1:0", "--server", "a:1", "--log-level", "loud"], "Allowed choices are trace, debug"],
    [
      ["run", "--listen", "127.0.0.1:0", "--server", "a:1", "--log-oids", "many"],
      "expected a whole number below 100000",
    ],
    [["run", "--listen", "127.0.0.1", "--server", "a:0"], "--listen: expected HOST:PORT such as 127.0.0.1:9100"],
    [["run", "--listen", "127.0.0.1", "--server", "a:0"], "--server: expected HOST:PORT such as 127.0.0.1:8100"],
    [["run", "--listen", "127.0.0.1:9", "--server", "127.0.0.1:9"], "--server: expected a ZEO server, got 127.0.0.1:9"],
    [["check"], "error: missing required argument 'file'"],
  ])("%j is refused with status 2", async (args, message) => {
    const { status, stdout, stderr } = await zeoProxy(args).ended();
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(stderr).toContain(message);
  });

  it("without a word prints its help and has status 2", async () => {
    const { status, stderr } = await zeoProxy([]).ended();
    expect(status).toBe(2);
    expect(stderr).toContain("Usage: zeo-proxy");
  });
});

describe("an output that can't be written to", () => {
  const demo = "demo --once --listen 127.0.0.1:0 --server-port 0";

  test.each(["check config/zeo-proxy.yaml", "--help", "run --help", "--version", demo])(
    "a full disk for what %s says is one line, not a stack",
    async (args) => {
      const line = `exec ${process.execPath} bin/zeo-proxy ${args} > /dev/full`;
      const { status, stderr } = await new CommandProcess("sh", ["-c", line]).ended();
      expect(withoutLimits(stderr)).toBe("zeo-proxy: can't write: ENOSPC\n");
      // The demo's status says what it found.
      expect(status).toBe(args === demo ? 0 : 1);
    },
  );

  test.each([
    ["run", 2],
    ["run --listen 127.0.0.1 --server a:0", 2],
    ["check missing.yaml", 2],
    ["serve", 2],
  ])("a full disk for what is wrong with %s leaves its status as it is", async (args, expected) => {
    const line = `exec ${process.execPath} bin/zeo-proxy ${args} 2> /dev/full`;
    expect((await new CommandProcess("sh", ["-c", line]).ended()).status).toBe(expected);
  });

  it("a reader that has gone is no error", async () => {
    const command = zeoProxy(["--help"]);
    command.child.stdout?.destroy();
    expect(await command.ended()).toMatchObject({ status: 0, stderr: "" });
  });
});

describe("a checkout that is not built", () => {
  const top = join(folder, "unbuilt");
  mkdirSync(join(top, "bin"), { recursive: true });
  mkdirSync(join(top, ".ci"));
  copyFileSync("bin/zeo-proxy", join(top, "bin/zeo-proxy"));
  copyFileSync(".ci/prepare.js", join(top, ".ci/prepare.js"));
  writeFileSync(join(top, "package.json"), '{ "type": "module" }');

  it("answers with one line and status 1", async () => {
    const { status, stdout, stderr } = await new CommandProcess(process.execPath, [
      join(top, "bin/zeo-proxy"),
      "run",
    ]).ended();
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(stderr).toMatch(/^zeo-proxy: not built; run "npm install --include=dev", then "npm run build" \(.*\)\n$/);
  });

  it("installs without development dependencies, and says that nothing was built", async () => {
    const { status, stderr } = await new CommandProcess(process.execPath, [join(top, ".ci/prepare.js")]).ended();
    expect(status).toBe(0);
    expect(stderr).toMatch(/^zeo-proxy: not built, since development dependencies are left out .*; there is no dist/);
    expect(stderr).toContain("npm install --include=dev");
  });
});

describe("a program that can't be loaded", () => {
  /** The command with this instead of the program that was built. */
  function built(name: string, program: string): CommandProcess {
    const top = join(folder, name);
    mkdirSync(join(top, "bin"), { recursive: true });
    mkdirSync(join(top, "dist/commands"), { recursive: true });
    copyFileSync("bin/zeo-proxy", join(top, "bin/zeo-proxy"));
    writeFileSync(join(top, "package.json"), '{ "type": "module" }');
    writeFileSync(join(top, "dist/commands/main.js"), program);
    return new CommandProcess(process.execPath, [join(top, "bin/zeo-proxy"), "run"]);
  }

  test.each([
    [
      "a missing package",
      'import "no-such-package";',
      /^not installed completely; run "npm install" \(.*no-such-package.*\)$/,
    ],
    ["a missing file", 'import "./missing.js";', /^not installed completely; run "npm install" \(.*missing\.js.*\)$/],
    [
      "an error",
      'throw new RangeError("nobody\\nhas thought of this");',
      /^can't be loaded by Node v[\d.]+ \(RangeError: nobody\)$/,
    ],
    ["no error", "throw undefined;", /^can't be loaded by Node v[\d.]+ \(error: undefined\)$/],
    ["a newer syntax", "export const x = #;", /^can't be loaded by Node v[\d.]+ \(SyntaxError: .*\)$/],
  ])("for %s is one line that says why, and status 1", async (name, program, expected) => {
    const { status, stdout, stderr } = await built(name.replaceAll(" ", "-"), program).ended();
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(stderr).toMatch(/^zeo-proxy: [^\n]*\n$/);
    expect(stderr.slice("zeo-proxy: ".length, -1)).toMatch(expected);
  });
});
