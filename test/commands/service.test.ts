import { execFileSync, spawnSync } from "node:child_process";
import { accessSync, constants, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { parseConfig } from "../../src/config/load.ts";

// The systemd unit, as the README's steps install it.

const folder = mkdtempSync(join(tmpdir(), "zeo-proxy-service-"));
afterAll(() => rmSync(folder, { recursive: true }));

const UNIT = "config/zeo-proxy.service";
const TARGET = "/etc/systemd/system/zeo-proxy.service";

/** A machine that has the command where npm puts it there, and the unit that the README's step makes there. */
function installed(): { readonly unit: string; readonly bin: string } {
  const bin = join(folder, "opt/node-20/bin");
  mkdirSync(bin, { recursive: true });
  symlinkSync(process.execPath, join(bin, "node"));
  symlinkSync(resolve("bin/zeo-proxy"), join(bin, "zeo-proxy"));
  const step = /^ {4}(sed (?:.*\\\n)*.*zeo-proxy\.service)$/m.exec(readFileSync("README.md", "utf8"))?.[1] ?? "";
  expect(step).toContain(`> ${TARGET}`);
  const unit = join(folder, "zeo-proxy.service");
  const PATH = [bin, process.env["PATH"]].join(delimiter);
  execFileSync("sh", ["-euc", step.replace(TARGET, unit)], { env: { ...process.env, PATH } });
  return { unit: readFileSync(unit, "utf8"), bin };
}

/** The values of a unit's key, in their sections: `Service.ExecStart`. */
function valuesIn(unit: string): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  let section = "";
  for (const line of unit.split("\n")) {
    section = /^\[(\w+)\]$/.exec(line)?.[1] ?? section;
    const [, key, value] = /^(\w+)=(.*)$/.exec(line) ?? [];
    if (key !== undefined && value !== undefined) values.set(`${section}.${key}`, value);
  }
  return values;
}

const { unit, bin } = installed();
const hasAnalyze = spawnSync("systemd-analyze", ["--version"]).status === 0;
const values = valuesIn(unit);

describe("the systemd unit", () => {
  it("starts the Node and the command that are there, with the README's configuration", () => {
    const [node = "", option = "", command = "", ...rest] = (values.get("Service.ExecStart") ?? "").split(" ");
    expect([dirname(node), dirname(command)]).toEqual([bin, bin]);
    for (const file of [node, command]) accessSync(file, constants.X_OK);
    expect(rest).toEqual(["run", "--config", "/etc/zeo-proxy.yaml"]);
    expect(readFileSync("README.md", "utf8")).toContain("config/zeo-proxy.yaml /etc/zeo-proxy.yaml ");
    // As a service has it: nothing of the caller's environment.
    const { status, stdout } = spawnSync(node, [option, command, "check", "config/zeo-proxy.yaml"], { env: {} });
    expect({ status, stdout: stdout.toString() }).toMatchObject({ status: 0 });
  });

  it("opens no debugger, as the command that it starts, and starts again what a signal has ended too early", () => {
    const inspectPort = /--inspect-port=\S+?(?=["\s])/;
    const [option] = inspectPort.exec(readFileSync("bin/zeo-proxy", "utf8")) ?? [];
    expect(option).toBeDefined();
    expect(values.get("Service.ExecStart")?.split(" ")[1]).toBe(option);
    expect(values.get("Service.RestartForceExitStatus")).toBe("SIGHUP");
  });

  it("names no path that the steps don't fill in", () => {
    const code = unit.replaceAll(/^#.*$/gm, "");
    expect(code).not.toContain("/usr/local");
    expect(readFileSync(UNIT, "utf8").match(/\/usr\/local\/\S+/g)).toEqual([
      "/usr/local/bin/node",
      "/usr/local/bin/zeo-proxy",
    ]);
  });

  it("waits for a slow boot as long as it takes, and not for a configuration that is wrong", () => {
    expect(values.get("Unit.StartLimitIntervalSec")).toBe("0");
    expect(values.get("Service.Restart")).toBe("on-failure");
    expect(values.get("Service.RestartPreventExitStatus")).toBe("2");
    // Only the main process's status counts there.
    expect(values.has("Service.ExecStartPre")).toBe(false);
    for (const key of ["Wants", "After"]) expect(values.get(`Unit.${key}`)).toContain("network-online.target");
  });

  it("reads its configuration again when it is reloaded", () => {
    expect(values.get("Service.ExecReload")).toBe("/bin/kill -HUP $MAINPID");
  });

  it("lets the defaults' limits be reached", () => {
    const { limits } = parseConfig({ upstreams: [{ listen: "127.0.0.1:0", server: "127.0.0.1:1" }] });
    expect(Number(values.get("Service.LimitNOFILE"))).toBeGreaterThan(2 * limits.clients + 100);
    const stopMs = Number(/^(\d+)s$/.exec(values.get("Service.TimeoutStopSec") ?? "")?.[1]) * 1000;
    // And the log's end, and what closes a connection.
    expect(stopMs).toBeGreaterThan(limits.drainMs + 8_000);
  });

  it("is told by the proxy that it serves and that its loop turns, soon enough for a stuck one to be found", () => {
    expect(values.get("Service.Type")).toBe("notify");
    expect(values.get("Service.NotifyAccess")).toBe("all");
    expect(values.get("Service.WatchdogSec")).toMatch(/^\d+s$/);
    expect(values.get("Service.KillMode")).toBe("mixed");
  });

  it("runs nothing as root, and with no privilege", () => {
    expect(values.get("Service.DynamicUser")).toBe("yes");
    expect(values.get("Service.User")).not.toBe("root");
    expect(values.get("Service.NoNewPrivileges")).toBe("yes");
    for (const key of ["CapabilityBoundingSet", "AmbientCapabilities"]) expect(values.get(`Service.${key}`)).toBe("");
    expect(unit.match(/^Exec\w+=[+!@:-]/gm)).toBeNull();
  });

  it.skipIf(!hasAnalyze)("has nothing that systemd does not know", () => {
    const { status, stderr } = spawnSync("systemd-analyze", ["verify", join(folder, "zeo-proxy.service")]);
    expect({ status, stderr: stderr.toString() }).toEqual({ status: 0, stderr: "" });
  });

  it.skipIf(!hasAnalyze)("exposes little: 2.0 at most of the 10 that systemd gives a unit without any of it", () => {
    const args = ["security", "--offline=yes", "--threshold=20", "--no-pager", join(folder, "zeo-proxy.service")];
    const { status, stdout } = spawnSync("systemd-analyze", args);
    expect(status, stdout.toString()).toBe(0);
  });
});

it("nobody is told to install a package from the registry that is not there", () => {
  for (const file of ["README.md", "CONTRIBUTING.md", "docs/configuration.md", UNIT, "config/Containerfile"]) {
    const wrong = readFileSync(file, "utf8").match(/npm (?:i|install|exec)\b(?: -\S+)* zeo-proxy\b|npx zeo-proxy\b/g);
    expect(wrong, file).toBeNull();
  }
});
