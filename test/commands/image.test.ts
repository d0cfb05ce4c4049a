import { spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { fixture } from "../net/certificates.ts";
import { freePort } from "../net/free-port.ts";
import { expectGood } from "./checked.ts";
import { CommandProcess, killRest } from "./command.ts";

// The image, as far as that goes without a registry of images: what config/Containerfile copies is copied, what it would build
// is what was built, and what it starts is started by another user, from files that nobody can write to.

interface Instruction {
  readonly word: string;
  readonly rest: string;
}

const STAGES = stagesIn(readFileSync("config/Containerfile", "utf8"));
const [build = [], image = []] = STAGES;

/** The instructions from each FROM on. */
function stagesIn(text: string): Instruction[][] {
  const stages: Instruction[][] = [];
  for (const line of text.replaceAll("\\\n", " ").split("\n")) {
    const [, word = "", rest = ""] = /^([A-Z]+) +(.*)$/.exec(line) ?? [];
    if (word === "FROM") stages.push([]);
    if (word !== "") stages.at(-1)?.push({ word, rest });
  }
  return stages;
}

function only(word: string): string {
  const found = image.filter((one) => one.word === word);
  expect(found, word).toHaveLength(1);
  return found[0]?.rest ?? "";
}

/** What is copied from the checkout: files and where to. */
function copiesOf(
  stage: readonly Instruction[],
): { readonly from: string | undefined; readonly files: string[]; readonly to: string }[] {
  return stage
    .filter(({ word }) => word === "COPY")
    .map(({ rest }) => {
      const words = rest.split(/ +/);
      const from = words[0]?.startsWith("--from=") ? words.shift()?.slice("--from=".length) : undefined;
      return { from, files: words.slice(0, -1), to: words.at(-1) ?? "" };
    });
}

const root = mkdtempSync(join(tmpdir(), "zeo-proxy-image-"));
/** The user's own. */
const owns = mkdtempSync(join(tmpdir(), "zeo-proxy-image-user-"));
const app = join(root, "app");

function everything(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" }).map((name) => join(folder, name));
}

beforeAll(() => {
  mkdirSync(app);
  // The folders that it goes through belong to root, as in an image.
  chmodSync(root, 0o755);
  for (const { from, files, to } of copiesOf(image)) {
    for (const file of files) {
      if (file === "/usr/local/bin/node") continue;
      const source = from === "build" ? file.replace(/^\/build\//, "") : file;
      const target = join(app, to.endsWith("/") || to === "." ? join(to, basename(source)) : to);
      mkdirSync(dirname(target), { recursive: true });
      cpSync(source, target, { recursive: true });
    }
  }
  for (const path of everything(app)) chmodSync(path, statSync(path).mode & ~0o222);
});
afterEach(killRest);
afterAll(() => {
  for (const path of [app, ...everything(app)]) if (statSync(path).isDirectory()) chmodSync(path, 0o755);
  for (const made of [root, owns]) rmSync(made, { recursive: true });
});

/** As the image's user, if this process may become that one. */
function asUser(program: string, args: readonly string[]): [string, readonly string[]] {
  if (process.getuid?.() !== 0 || spawnSync("setpriv", ["--version"]).status !== 0) return [program, args];
  const [uid = "", gid = ""] = only("USER").split(":");
  return ["setpriv", [`--reuid=${uid}`, `--regid=${gid}`, "--clear-groups", "--no-new-privs", program, ...args]];
}

/** A file that only the image's user can read. */
function owned(name: string, text: string): string {
  const path = join(owns, name);
  writeFileSync(path, text);
  chmodSync(path, 0o600);
  const [uid, gid] = only("USER").split(":").map(Number);
  if (process.getuid?.() === 0) for (const one of [owns, path]) chownSync(one, uid ?? 0, gid ?? 0);
  return path;
}
const fixtureFor = (name: string): string => owned(name, readFileSync(fixture(name), "utf8"));
const token = (): string => owned("token", `${"x".repeat(32)}\n`);

const start = (...args: readonly string[]): CommandProcess => {
  const [entry = ""] = JSON.parse(only("ENTRYPOINT")) as string[];
  return new CommandProcess(...asUser(join(root, entry), args), { HOME: "/nowhere", TMPDIR: "/nowhere" });
};

describe("the image", () => {
  it("has all that the build needs, and what is built with it", () => {
    const copied = copiesOf(build).flatMap(({ files }) => files);
    const imported = [...readFileSync(".ci/build.js", "utf8").matchAll(/from "\.\/([\w.]+)"/g)].map(([, name]) => name);
    const further = [...readFileSync(".ci/sbom.js", "utf8").matchAll(/from "\.\/([\w.]+)"/g)].map(([, name]) => name);
    expect([...imported, ...further].length).toBeGreaterThan(1);
    expect(copied).toEqual(expect.arrayContaining([...imported, ...further].map((name) => `.ci/${name}`)));
    expect(build.filter(({ word }) => word === "RUN").map(({ rest }) => rest)).toEqual([
      "npm ci --ignore-scripts",
      "npm run build",
    ]);
    const { scripts } = JSON.parse(readFileSync("package.json", "utf8")) as { scripts: Record<string, string> };
    expect(scripts["build"]).toBe("node .ci/build.js && tsc -p tsconfig.build.json");
    expect(copied).toEqual(expect.arrayContaining(["package.json", "package-lock.json", "tsconfig.build.json", "src"]));
  });

  it("is sent what it copies, and not much more", () => {
    const lines = readFileSync(".dockerignore", "utf8").split("\n");
    const sent = lines.filter((line) => line.startsWith("!")).map((line) => line.slice(1));
    const copied = STAGES.flatMap(copiesOf)
      .filter(({ from }) => from === undefined)
      .flatMap(({ files }) => files);
    expect(lines).toContain("*");
    expect(new Set(copied.map((file) => file.split("/")[0]))).toEqual(new Set(sent));
  });

  it("is of one Debian, with a Node that is maintained, and runs as nobody in particular", () => {
    const froms = STAGES.map(([first]) => first?.rest);
    expect(froms).toEqual([
      "docker.io/library/node:24-bookworm-slim AS build",
      "docker.io/library/debian:bookworm-slim",
    ]);
    expect(only("USER")).toMatch(/^[1-9]\d{3,}:[1-9]\d{3,}$/);
    expect(image.filter(({ word }) => word === "RUN")).toEqual([]);
    expect(only("STOPSIGNAL")).toBe("SIGTERM");
  });

  it("runs from files that nobody can write to, as its user", async () => {
    const { version } = JSON.parse(readFileSync("package.json", "utf8")) as { version: string };
    expect(await start("--version").ended()).toMatchObject({ status: 0, stdout: `${version}\n`, stderr: "" });
    expectGood(await start("check", join(app, "config/zeo-proxy.yaml")).ended());
    const running = start("run", "--listen", "127.0.0.1:0", "--server", "127.0.0.1:9");
    await running.line(({ msg }) => String(msg).includes("not listening"), "its line");
    running.signal("SIGTERM");
    expect(await running.ended()).toMatchObject({ status: 0, stderr: "" });
    expect(everything(app).some((path) => (statSync(path).mode & 0o222) !== 0)).toBe(false);
  });

  it.each(["TCP", "a Unix socket, TLS and a token"])("has a health check that asks by %s", async (way) => {
    const file = join(owns, `${way.length}.yaml`);
    const listen = way === "TCP" ? `127.0.0.1:${await freePort()}` : join(owns, "admin.sock");
    const pem = (name: string): string => fixtureFor(`${name}.pem`);
    const secure = `, token-file: ${token()}, tls: { certificate: ${pem("proxy")}, key: ${fixtureFor("proxy.key")} }`;
    writeFileSync(
      file,
      `upstreams: [{ listen: 127.0.0.1:0, server: 127.0.0.1:9 }]\nadmin: { listen: "${listen}"${way === "TCP" ? "" : secure} }\n`,
    );
    chmodSync(file, 0o644);
    const [program = "", ...args] = JSON.parse(/CMD (\[.*\])$/.exec(only("HEALTHCHECK"))?.[1] ?? "[]") as string[];
    // The configuration stands where the image has it.
    const asked = args.map((one) => (one === "/etc/zeo-proxy.yaml" ? file : one));
    expect(asked).not.toEqual(args);
    const check = () => new CommandProcess(...asUser(join(root, program), asked)).ended();
    expect(await check()).toMatchObject({ status: 1, stdout: "" });
    const running = start("run", "--config", file);
    await running.line(({ msg }) => msg === "admin listening", "its admin address");
    expect(await check()).toMatchObject({ status: 0, stdout: "", stderr: "" });
    running.signal("SIGTERM");
    await running.ended();
    expect(await check()).toMatchObject({ status: 1, stdout: "" });
  });

  it("has the licences of what is in it", () => {
    for (const file of ["LICENSE", "dist/licences.txt", "dist/sbom.cdx.json"]) {
      expect(statSync(join(app, file)).size).toBeGreaterThan(500);
    }
  });
});
