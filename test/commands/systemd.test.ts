import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { CommandProcess, killRest, zeoProxy } from "./command.ts";

// The command as systemd starts it, with the real systemd-notify, and a socket that stands for systemd's.

const folders: string[] = [];
afterEach(() => {
  killRest();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

const isThere = (program: string): boolean => spawnSync(program, ["--version"]).status === 0;
const RUN = ["run", "--listen", "127.0.0.1:0", "--server", "127.0.0.1:9"];

/** A service manager that listens; its lines are the messages. */
async function manager(): Promise<{ readonly ear: CommandProcess; readonly socket: string }> {
  const folder = mkdtempSync(join(tmpdir(), "zeo-proxy-notify-"));
  folders.push(folder);
  const socket = join(folder, "notify");
  const ear = new CommandProcess("python3", ["test/commands/fixtures/notify-socket.py", socket]);
  await ear.line(({ ready }) => ready === true, "the ear");
  return { ear, socket };
}

const says = (ear: CommandProcess, what: RegExp) =>
  ear.line(({ fields }) => ((fields as string[] | undefined) ?? []).some((field) => what.test(field)), String(what));

describe.skipIf(!isThere("systemd-notify") || !isThere("python3"))("a service manager", () => {
  it("is told that it serves, how its upstreams are, that its loop turns, and that it stops", async () => {
    const { ear, socket } = await manager();
    const command = zeoProxy(RUN, { NOTIFY_SOCKET: socket, WATCHDOG_USEC: "400000" });
    expect(await says(ear, /^READY=1$/)).toMatchObject({
      fields: expect.arrayContaining(["STATUS=0 of 1 upstream listening (127.0.0.1:9: down), 0 clients"]),
    });
    await says(ear, /^WATCHDOG=1$/);
    command.signal("SIGTERM");
    await says(ear, /^STOPPING=1$/);
    expect(await command.ended()).toMatchObject({ status: 0, stderr: "" });
    expect(command.lines.filter(({ msg }) => String(msg).includes("systemd"))).toEqual([]);
  });

  it("hears that the configuration is read again, and that it serves, whatever has come of it", async () => {
    const { ear, socket } = await manager();
    const file = join(dirname(socket), "zeo-proxy.yaml");
    const text = (port: number) => `upstreams: [{ listen: "127.0.0.1:0", server: "127.0.0.1:${port}" }]\n`;
    writeFileSync(file, text(9));
    const command = zeoProxy(["run", "--config", file], { NOTIFY_SOCKET: socket });
    const heard = () =>
      ear.lines.flatMap(({ at, fields }) => {
        const all = (fields ?? []) as string[];
        const state = all.find((field) => /^(?:READY|RELOADING|STOPPING)=1$/.test(field));
        return state === undefined ? [] : [{ at: Number(at), state, all }];
      });
    const states = (number: number) =>
      ear.until(() => (heard().length === number ? heard() : undefined), `${number} states`);
    await states(1);
    const spoilt = ["wrong", "gone", "fine"];
    for (const [n, is] of spoilt.entries()) {
      if (is === "wrong") writeFileSync(file, "upstreams: []\n");
      else if (is === "gone") rmSync(file);
      else writeFileSync(file, text(8));
      command.signal("SIGHUP");
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const [reloading, ready] = (await states(3 + 2 * n)).slice(-2);
      expect([reloading?.state, ready?.state], is).toEqual(["RELOADING=1", "READY=1"]);
      const micros = reloading?.all.find((field) => field.startsWith("MONOTONIC_USEC="))?.split("=")[1];
      // The clock of the system, by which systemd knows which READY=1 is behind which reload.
      expect(micros).toMatch(/^\d+$/);
      expect(Number(micros) / 1e6).toBeLessThanOrEqual(Number(reloading?.at));
      expect(Number(micros) / 1e6).toBeGreaterThan(Number(heard()[2 * n]?.at));
    }
    // With it, or in a message before it.
    await says(ear, /^STATUS=0 of 1 upstream listening \(127\.0\.0\.1:8: down\), 0 clients$/);
    command.signal("SIGTERM");
    await states(2 + 2 * spoilt.length);
    expect(heard().at(-1)?.state).toBe("STOPPING=1");
    expect(await command.ended()).toMatchObject({ status: 0, stderr: "" });
    expect(heard()).toHaveLength(2 + 2 * spoilt.length);
  });

  it("hears nothing of a loop that does not turn", async () => {
    const { ear, socket } = await manager();
    // Its half is 20 ms; the loop stands still for a second.
    const command = new CommandProcess(process.execPath, [".cache/commands/test/commands/fixtures/stuck.js", "1000"], {
      NOTIFY_SOCKET: socket,
      WATCHDOG_USEC: "40000",
    });
    await command.until(() => (command.stderr.includes("stuck") ? true : undefined), "that it was stuck");
    const heard = () => ear.lines.filter(({ fields }) => (fields as string[] | undefined)?.includes("WATCHDOG=1"));
    const before = heard().length;
    await ear.until(() => (heard().length > before + 1 ? true : undefined), "more of the watchdog");
    const times = heard().map(({ at }) => Number(at));
    const gaps = times.slice(1).map((at, n) => at - (times[n] ?? 0));
    expect(Math.max(...gaps)).toBeGreaterThan(0.7);
  });

  it("that does not listen is one line, and no harm", async () => {
    const command = zeoProxy(RUN, { NOTIFY_SOCKET: "/nowhere/notify", WATCHDOG_USEC: "100000" });
    const line = await command.line(({ msg }) => msg === "systemd can't be told how the proxy is", "the line");
    expect(line).toMatchObject({
      level: "warn",
      socket: "/nowhere/notify",
      reason: expect.stringMatching(/No such file/),
    });
    command.signal("SIGTERM");
    expect(await command.ended()).toMatchObject({ status: 0, stderr: "" });
    expect(command.lines.filter(({ msg }) => String(msg).includes("systemd"))).toHaveLength(1);
  });
});

it("the last word is said, though who was to answer for the one before it has gone", async () => {
  const folder = mkdtempSync(join(tmpdir(), "zeo-proxy-notify-"));
  folders.push(folder);
  const [program, said, go] = ["systemd-notify", "said", "go"].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  const waits = `case $1 in WATCHDOG*) while [ ! -e ${go} ]; do sleep 0.01; done ;; esac`;
  writeFileSync(program, `#!/bin/sh\necho "$1" >>${said}\n${waits}\n`, { mode: 0o755 });
  const PATH = [folder, process.env["PATH"]].join(delimiter);
  const command = zeoProxy(RUN, { NOTIFY_SOCKET: "/nowhere/notify", WATCHDOG_USEC: "400000", PATH });
  const heard = (): string => (existsSync(said) ? readFileSync(said, "utf8") : "");
  await expect.poll(heard, { timeout: 15_000 }).toMatch(/^WATCHDOG=1$/m);
  command.signal("SIGTERM");
  expect(await command.ended()).toMatchObject({ status: 0, stderr: "" });
  writeFileSync(go, "");
  await expect.poll(heard, { timeout: 15_000 }).toMatch(/^STOPPING=1$/m);
});

it("a machine without systemd-notify is one line, and no harm", async () => {
  const command = zeoProxy(RUN, { NOTIFY_SOCKET: "/nowhere/notify", PATH: "/nowhere" });
  const line = await command.line(({ msg }) => msg === "systemd can't be told how the proxy is", "the line");
  expect(line).toMatchObject({ reason: expect.stringMatching(/systemd-notify.*not found/) });
  command.signal("SIGTERM");
  expect(await command.ended()).toMatchObject({ status: 0, stderr: "" });
});
