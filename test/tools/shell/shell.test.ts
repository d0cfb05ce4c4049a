import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished, test } from "vitest";
import { program } from "../../../src/commands/main.ts";
import { bashCompletion } from "../../../src/tools/shell/bash.ts";
import { fishCompletion } from "../../../src/tools/shell/fish.ts";
import { manPage } from "../../../src/tools/shell/man.ts";
import { treeOf, type CommandNode } from "../../../src/tools/shell/tree.ts";
import { zshCompletion } from "../../../src/tools/shell/zsh.ts";

const root = treeOf(program());
const all = (node: CommandNode): CommandNode[] => [node, ...node.commands.flatMap(all)];

/** What bash offers behind this command line, whose last word is being typed. Mostly it takes = for a word. */
function completed(line: string, breaksAtSign = true): string[] {
  const atSign = (word: string): string[] => word.split(/(=)/).filter((part, at) => part !== "" || at === 0);
  const words = line
    .split(" ")
    .flatMap((word) => (breaksAtSign ? atSign(word) : [word]))
    .map((word) => `'${word}'`);
  const script = `${bashCompletion(root)}
compopt() { :; }
COMP_WORDS=(${words.join(" ")}); COMP_CWORD=${words.length - 1}
_zeo_proxy
printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { status, stdout, stderr } = spawnSync("bash", ["--norc", "-u", "-c", script], {
    encoding: "utf8",
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  return stdout.split("\n").filter((word) => word !== "");
}

describe("bash", () => {
  test.each([
    ["zeo-proxy ", root.commands.map(({ name }) => name)],
    ["zeo-proxy wa", ["watch"]],
    ["zeo-proxy watch --sto", ["--storage"]],
    ["zeo-proxy run --log-level w", ["warn"]],
    ["zeo-proxy run --log-format ", ["auto", "json", "pretty"]],
    ["zeo-proxy run --listen ", []],
    ["zeo-proxy completion ", ["bash", "zsh", "fish"]],
    ["zeo-proxy check pack", ["package-lock.json", "package.json"]],
    ["zeo-proxy run -c pack", ["package-lock.json", "package.json"]],
    ["zeo-proxy -", ["-V", "--version", "-h", "--help"]],
    ["zeo-proxy nothing ", []],
    ["zeo-proxy run --log-level=de", ["debug"]],
    ["zeo-proxy run --log-format=", ["auto", "json", "pretty"]],
    ["zeo-proxy run --listen=", []],
    ["zeo-proxy run --config=pack", ["package-lock.json", "package.json"]],
    ["zeo-proxy run --config=pack --log-level=w", ["warn"]],
    ["zeo-proxy completion --help=ba", []],
    ["zeo-proxy run --config=pack --log-le", ["--log-level"]],
  ])("%s", (line, words) => {
    expect(completed(line).sort()).toEqual([...words].sort());
  });

  test.each([
    ["zeo-proxy run --log-level=de", ["--log-level=debug"]],
    ["zeo-proxy run --listen=", []],
    ["zeo-proxy run --config=pack", ["--config=package-lock.json", "--config=package.json"]],
    ["zeo-proxy run --log-level w", ["warn"]],
  ])("%s, where = breaks no words", (line, words) => {
    expect(completed(line, false).sort()).toEqual([...words].sort());
  });
});

/** Where the machine has that shell, it must take the script. */
function checked(shell: string, args: readonly string[], script: string): void {
  const file = join(emptyFolder(), "script");
  writeFileSync(file, script);
  const { error, status, stderr } = spawnSync(shell, [...args, file], { encoding: "utf8" });
  if (error === undefined) expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
}

describe.each([
  ["zsh", zshCompletion(root), ["-n"]],
  ["fish", fishCompletion(root), ["--no-execute"]],
  ["bash", bashCompletion(root), ["-n"]],
] as const)("%s", (shell, script, args) => {
  it("has every command and every option", () => {
    for (const node of all(root)) {
      expect(script).toContain(node.name);
      for (const { names } of node.options) {
        for (const name of names) expect(script).toContain(shell === "fish" ? name.replace(/^-+/, "") : name);
      }
    }
  });

  it("is taken by that shell", () => {
    checked(shell, args, script);
  });
});

function emptyFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "zeo-proxy-shell-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

const has = (shell: string): boolean => spawnSync(shell, ["--version"]).status === 0;

it.skipIf(!has("fish"))("fish completes with it", () => {
  const file = join(emptyFolder(), "zeo-proxy.fish");
  writeFileSync(file, fishCompletion(root));
  const completedBy = (line: string): string[] => {
    const commands = [`source ${file}`, `complete -C "${line}"`].flatMap((command) => ["-c", command]);
    const { status, stdout, stderr } = spawnSync("fish", ["--no-config", ...commands], {
      encoding: "utf8",
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    return stdout.split("\n").flatMap((row) => row.split("\t")[0] || []);
  };
  expect(completedBy("zeo-proxy pro")).toEqual(["probe"]);
  expect(completedBy("zeo-proxy run --log-l")).toEqual(["--log-level"]);
  expect(completedBy("zeo-proxy run --log-level w")).toEqual(["warn"]);
  expect(completedBy("zeo-proxy run --log-level=de")).toEqual(["--log-level=debug"]);
  expect(completedBy("zeo-proxy run --config=pack").sort()).toEqual([
    "--config=package-lock.json",
    "--config=package.json",
  ]);
  expect(completedBy("zeo-proxy completion ").sort()).toEqual(["bash", "fish", "zsh"]);
});

it("zsh takes a value behind = as well as the next word, and none where there is none", () => {
  const script = zshCompletion(root);
  expect(script).toMatch(/'--log-level=\[[^\]]*\]:value:\(/);
  expect(script).toMatch(/\{-c\+,--config=\}'\[[^\]]*\]:value:_files'/);
  expect(script).toMatch(/'--json\[/);
});

it.skipIf(!has("zsh"))("zsh loads it by its name", () => {
  const folder = emptyFolder();
  writeFileSync(join(folder, "_zeo-proxy"), zshCompletion(root));
  const script = `fpath=(${folder} $fpath); autoload -U compinit; compinit -u -D; print $_comps[zeo-proxy]; autoload +X _zeo-proxy`;
  const { status, stdout, stderr } = spawnSync("zsh", ["-f", "-c", script], { encoding: "utf8" });
  expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: "_zeo-proxy\n", stderr: "" });
});

describe("the manual", () => {
  const page = manPage(root, "1.2.3");

  it("has every command, option, example and exit status", () => {
    const plain = page.replaceAll("\\-", "-").replaceAll("\\e", "\\");
    for (const { name, options, documentation } of all(root)) {
      expect(plain).toContain(name);
      for (const { flags } of options) expect(plain).toContain(`.B ${flags}\n`);
      for (const example of documentation.examples) {
        expect(plain).toContain(typeof example === "string" ? example : example[1]);
      }
      for (const [status, meaning] of documentation.exits ?? []) expect(plain).toContain(`.B ${status}\n${meaning}`);
    }
  });

  it("has no line that roff would take for something else", () => {
    const known = /^\.(?:TH|SH|SS|TP|PP|B|I|br|nf|fi|RS|RE)\b/;
    expect(page.split("\n").filter((line) => /^[.']/.test(line) && !known.test(line))).toEqual([]);
  });

  it("is taken by groff, where the machine has it", () => {
    const { error, stdout, stderr } = spawnSync("groff", ["-man", "-Tutf8", "-ww"], { encoding: "utf8", input: page });
    if (error === undefined) expect({ stderr, isThere: stdout.includes("zeo") }).toEqual({ stderr: "", isThere: true });
  });
});

it("every command has an example, and every option says what it is for", () => {
  for (const { name, options, documentation } of all(root)) {
    expect(documentation.examples.length, name).toBeGreaterThan(0);
    for (const { flags, description } of options) expect(description, `${name} ${flags}`).not.toBe("");
  }
});
