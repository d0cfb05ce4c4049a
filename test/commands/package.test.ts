import { execFileSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { expectGood } from "./checked.ts";
import { CommandProcess, killRest } from "./command.ts";

// What would be published, as somebody has it who installs it: no file of this checkout is near.

/** What an operator looks for in it, beside what package.json names. */
const SHIPPED = [
  "LICENSE",
  "README.md",
  "CHANGELOG.md",
  "dist/licences.txt",
  "dist/sbom.cdx.json",
  "docs/configuration.md",
  "docs/licences.md",
  "config/zeo-proxy.yaml",
  "config/zeo-proxy.service",
  "config/Containerfile",
  "config/compose/compose.yaml",
  "config/prometheus/alerts.yml",
  "config/grafana/dashboard.json",
];

const folder = mkdtempSync(join(tmpdir(), "zeo-proxy-package-"));
const installed = join(folder, "node_modules/zeo-proxy");
let files: string[] = [];
let tarball = "";

beforeAll(() => {
  const pack = ["pack", "--json", "--ignore-scripts", "--offline", "--pack-destination", folder];
  const [packed] = JSON.parse(execFileSync("npm", pack, { encoding: "utf8" })) as [
    { filename: string; files: { path: string }[] },
  ];
  tarball = join(folder, packed.filename);
  files = packed.files.map(({ path }) => path);
  mkdirSync(installed, { recursive: true });
  execFileSync("tar", ["-xzf", join(folder, packed.filename), "-C", installed, "--strip-components", "1"]);
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
}, 120_000);
afterEach(killRest);
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs one of its files, or a program that imports it. */
function node(...args: string[]): CommandProcess {
  return new CommandProcess(process.execPath, args);
}

function program(name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

describe("the published files", () => {
  it("are all that is named, and no source, test or cache", () => {
    const { exports, bin } = JSON.parse(readFileSync("package.json", "utf8")) as {
      exports: { ".": { types: string; default: string } };
      bin: Record<string, string>;
    };
    const page = ["page.html", "page.css", "main.js", "uPlot.iife.min.js", "uPlot.min.css"];
    const named = [
      ...[...Object.values(exports["."]), ...Object.values(bin), ...SHIPPED],
      ...page.map((file) => `dist/page/${file}`),
    ];
    expect(files).toEqual(expect.arrayContaining(named.map((file) => file.replace("./", ""))));
    expect(files.filter((file) => /^(?:src|test|node_modules|\.)/.test(file))).toEqual([]);
  });

  it("say nothing of the machine that they were built on", () => {
    const top = resolve(".");
    const built = files.filter((file) => file.startsWith("dist/"));
    expect(built.filter((file) => readFileSync(join(installed, file), "utf8").includes(top))).toEqual([]);
  });

  it("are small", () => expect(statSync(tarball).size).toBeLessThan(3 * 1024 * 1024));

  it("have the bill of materials of what they were built with", () => {
    const bill = readFileSync(join(installed, "dist/sbom.cdx.json"), "utf8");
    expect(bill).toBe(execFileSync(process.execPath, [".ci/sbom.js"], { encoding: "utf8" }));
  });

  it("have the licences of all that they hold a copy of", () => {
    const licences = readFileSync(join(installed, "dist/licences.txt"), "utf8");
    const { dependencies } = JSON.parse(readFileSync("package.json", "utf8")) as { dependencies: object };
    for (const [name, version] of Object.entries(dependencies)) expect(licences).toContain(`${name} ${version}\n`);
    expect(licences.match(/Permission (?:is hereby granted|to use)/g)?.length).toBeGreaterThan(20);
  });
});

describe("installed with `npm install --global`", () => {
  const prefix = join(folder, "global");

  it("runs, with no registry, no build and no development dependency", async () => {
    // Its dependencies are in what was built; the registry has them for who uses the library's types.
    const options = [
      "--prefix",
      prefix,
      "--ignore-scripts",
      "--no-audit",
      "--no-fund",
      "--offline",
      "--install-strategy=nested",
    ];
    const unpacked = join(folder, "bare");
    mkdirSync(unpacked);
    execFileSync("tar", ["-xzf", tarball, "-C", unpacked, "--strip-components", "1"]);
    const named = JSON.parse(readFileSync(join(unpacked, "package.json"), "utf8")) as Record<string, unknown>;
    expect(Object.keys(named["dependencies"] as object).length).toBeGreaterThan(3);
    // No registry can be asked here: what it would bring is not needed to run.
    writeFileSync(join(unpacked, "package.json"), JSON.stringify({ ...named, dependencies: {} }));
    const bare = JSON.parse(
      execFileSync("npm", ["pack", "--json", "--ignore-scripts", "--offline", "--pack-destination", folder], {
        cwd: unpacked,
        encoding: "utf8",
      }),
    ) as [{ filename: string }];
    execFileSync("npm", ["install", "--global", ...options, join(folder, bare[0].filename)]);
    const command = join(prefix, "bin/zeo-proxy");
    expect(existsSync(join(prefix, "lib/node_modules/zeo-proxy/node_modules"))).toBe(false);
    const { version } = JSON.parse(readFileSync("package.json", "utf8")) as { version: string };
    const run = new CommandProcess(command, ["--version"]);
    expect(await run.ended()).toMatchObject({ status: 0, stdout: `${version}\n`, stderr: "" });
    const running = new CommandProcess(command, ["run", "--listen", "127.0.0.1:0", "--server", "127.0.0.1:9"]);
    await running.line(({ msg }) => String(msg).includes("not listening"), "its line");
    running.signal("SIGTERM");
    expect(await running.ended()).toMatchObject({ status: 0, stderr: "" });
  }, 120_000);
});

describe("the installed command", () => {
  const command = join(installed, "bin/zeo-proxy");

  it("runs where nothing else is installed", async () => {
    const { version } = JSON.parse(readFileSync("package.json", "utf8")) as { version: string };
    expect(await node(command, "--version").ended()).toMatchObject({ status: 0, stdout: `${version}\n`, stderr: "" });
    const file = join(installed, "config/zeo-proxy.yaml");
    expectGood(await node(command, "check", file).ended());
  });

  it.each(["json", "pretty"])("serves, and stops (%s)", async (format) => {
    const run = ["run", "--listen", "127.0.0.1:0", "--server", "127.0.0.1:9", "--log-format", format];
    const running = node(command, ...run);
    await running.until(() => (running.stdout.includes("not listening") ? true : undefined), "its line");
    running.signal("SIGTERM");
    expect(await running.ended()).toMatchObject({ status: 0, stderr: "" });
  });

  it("shows the demo", async () => {
    const { status, stdout } = await node(
      command,
      "demo",
      "--once",
      "--listen",
      "127.0.0.1:0",
      "--server-port",
      "0",
    ).ended();
    expect(status).toBe(0);
    expect(stdout).toContain("invalidation repaired");
  });
});

describe("the installed library", () => {
  const upstream = `{ listen: "127.0.0.1:0", server: "127.0.0.1:9" }`;

  it("has what it exports, and its errors are instances of the classes that it exports", async () => {
    const file = program(
      "use.js",
      `import * as library from "zeo-proxy";
      const { createProxy, ConfigError, parseConfig } = library;
      const proxy = createProxy({ upstreams: [${upstream}] });
      const errors = [() => parseConfig({}), () => createProxy({ upstreams: [] })].map((wrong) => {
        try { wrong(); } catch (error) { return error instanceof ConfigError; }
      });
      console.log(JSON.stringify({ names: Object.keys(library), errors }));
      await proxy.start();
      await proxy.stop();`,
    );
    const { status, stdout, stderr } = await node(file).ended();
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(JSON.parse(stdout)).toEqual({
      names: ["ConfigError", "ListenError", "createProxy", "loadConfig", "parseConfig"],
      errors: [true, true],
    });
  });

  it("has types that a strict program compiles against", () => {
    for (const name of [
      "pino",
      "pino-std-serializers",
      "sonic-boom",
      "thread-stream",
      "zod",
      "@types/node",
      "undici-types",
    ]) {
      mkdirSync(dirname(join(folder, "node_modules", name)), { recursive: true });
      symlinkSync(resolve("node_modules", name), join(folder, "node_modules", name));
    }
    copyFileSync("tsconfig.json", join(folder, "tsconfig.json"));
    program(
      "use.ts",
      `import { pino } from "pino";
      import { createProxy, ListenError, type Config, type ConfigInput, type Proxy, type RepairEvent } from "zeo-proxy";
      const input: ConfigInput = { upstreams: [${upstream}] };
      const proxy: Proxy = createProxy(input, { logger: pino() });
      export const oids: string[] = [];
      proxy.on("repaired", (event: RepairEvent) => oids.push(...event.oids));
      export const clients = (config: Config): number => config.limits.clients;
      export const code = (error: unknown): string => (error instanceof ListenError ? error.code : "");
      // @ts-expect-error -- types are there
      createProxy({ upstreams: 5 });`,
    );
    const check = ["--noEmit", "--skipLibCheck", "false", "--types", "node", "-p", "tsconfig.json"];
    const config = JSON.parse(readFileSync("tsconfig.json", "utf8")) as object;
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ ...config, include: ["use.ts"] }));
    execFileSync(process.execPath, [resolve("node_modules/typescript/bin/tsc"), ...check], { cwd: folder });
  });
});
