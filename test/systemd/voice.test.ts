import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { shellVoice, type Voice } from "../../src/systemd/voice.ts";

const top = mkdtempSync(join(tmpdir(), "zeo-proxy-voice-"));
const opened: Voice[] = [];
afterEach(() => {
  for (const voice of opened.splice(0)) voice.close();
});
afterAll(() => rmSync(top, { recursive: true }));

/** A voice whose program does this; `said` is what the program was given, one message a line. */
function voiceOf(program: string): { readonly voice: Voice; readonly said: () => string[]; readonly folder: string } {
  const folder = mkdtempSync(join(top, "bin-"));
  const file = join(folder, "systemd-notify");
  writeFileSync(file, `#!/bin/sh\nprintf '<%s>' "$@" >>${folder}/said\necho >>${folder}/said\n${program}\n`);
  chmodSync(file, 0o755);
  const PATH = [folder, process.env["PATH"]].join(delimiter);
  const voice = shellVoice({ PATH, NOTIFY_SOCKET: "/nowhere/notify" });
  opened.push(voice);
  return { voice, said: () => readFileSync(join(folder, "said"), "utf8").trimEnd().split("\n"), folder };
}

function say(voice: Voice, ...message: string[]): Promise<string | undefined> {
  return new Promise((resolve) => voice.say(message, resolve));
}

describe("a message", () => {
  it("reaches the program as it is, and its socket", async () => {
    const { voice, said } = voiceOf('echo "$NOTIFY_SOCKET" >>"${0%/*}/said"');
    const status = "STATUS=1 of 2 (a  *: $(down) `x` \\n \"'), 3 clients";
    expect(await say(voice, "READY=1", "WATCHDOG=1", status)).toBeUndefined();
    expect(await say(voice, "RELOADING=1", "MONOTONIC_USEC=5", "WATCHDOG=1", "STATUS=x")).toBeUndefined();
    expect(said()).toEqual([
      `<READY=1><WATCHDOG=1><${status}>`,
      "/nowhere/notify",
      "<RELOADING=1><MONOTONIC_USEC=5><WATCHDOG=1><STATUS=x>",
      "/nowhere/notify",
    ]);
  });

  it("that was said last is said behind the end, and the shell leaves", async () => {
    const { voice, folder, said } = voiceOf('echo $PPID >>"${0%/*}/shell"');
    await say(voice, "READY=1");
    voice.say(["STOPPING=1"], () => undefined);
    voice.close();
    const shell = Number(readFileSync(join(folder, "shell"), "utf8"));
    await expect.poll(() => isAlive(shell), { timeout: 15_000 }).toBe(false);
    expect(said()).toEqual(["<READY=1>", "<STOPPING=1>"]);
  });

  it("survives the signals that the whole service gets", async () => {
    const { voice, said } = voiceOf("kill -TERM $PPID; kill -INT $PPID; kill -HUP $PPID");
    expect(await say(voice, "READY=1")).toBeUndefined();
    expect(await say(voice, "STOPPING=1")).toBeUndefined();
    expect(said()).toEqual(["<READY=1>", "<STOPPING=1>"]);
  });
});

describe("a failure", () => {
  it("is what the program says, in one line", async () => {
    const { voice } = voiceOf("echo 'can not: *'; echo '  gone' >&2; exit 1");
    expect(await say(voice, "READY=1")).toBe("can not: * gone");
  });

  it("is the program's status where it says nothing", async () => {
    expect(await say(voiceOf("exit 3").voice, "READY=1")).toBe("systemd-notify ended with 3");
  });

  it("is that there is no such program", async () => {
    const voice = shellVoice({ PATH: top, NOTIFY_SOCKET: "/nowhere/notify" });
    opened.push(voice);
    expect(await say(voice, "READY=1")).toMatch(/systemd-notify: not found/);
  });

  it("is the shell's end; another one says the next message", async () => {
    const { voice, said } = voiceOf('[ -e "${0%/*}/once" ] || { touch "${0%/*}/once"; kill -KILL $PPID; }');
    expect(await say(voice, "READY=1")).toBe("the shell that says it has ended (SIGKILL)");
    expect(await say(voice, "READY=1")).toBeUndefined();
    expect(said()).toEqual(["<READY=1>", "<READY=1>"]);
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
