import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Command } from "commander";
import { describe, expect, it } from "vitest";
import { program } from "../../src/commands/main.ts";
import { parseConfig } from "../../src/config/load.ts";
import { configSchema } from "../../src/config/schema.ts";
import { ENDS } from "../../src/happening/ends.ts";
import { ALL_RULES } from "../../src/ledger/rules.ts";
import { logLinesIn } from "./log-lines.ts";
import { optionRows, withOptionTable } from "./option-table.ts";

/** What a machine can check of the documents: that they name everything there is, and nothing that there isn't. */
const DOCUMENTS = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", ...markdownIn("docs")];
const CONFIGURATION = "docs/configuration.md";
const TROUBLESHOOTING = "docs/troubleshooting.md";

function markdownIn(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith(".md"))
    .map((name) => join(folder, name));
}

function filesIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? filesIn(path) : [path];
  });
}

function read(file: string): string {
  return readFileSync(file, "utf8");
}

/** All that stands in `code`, over line ends too, as indented code does not. */
function codeIn(text: string): string[] {
  return [...text.matchAll(/`([^`]+)`/g)].map(([, code = ""]) => code.replaceAll(/\s+/g, " "));
}

/** The first cells of all table rows, without their quotes. */
function firstCells(text: string): string[] {
  return [...text.matchAll(/^\| ([^|]+) \|/gm)].flatMap(([, cell = ""]) => codeIn(cell));
}

/** From a heading to the next one of its level. */
function sectionOf(text: string, heading: string): string {
  const [, behind = ""] = text.split(`\n## ${heading}\n`);
  return behind.split("\n## ")[0] ?? "";
}

/** Does a table's cell speak of that line of the log? Dots stand for what the line goes on with. */
function isOf(line: string, cell: string): boolean {
  return cell.endsWith("...") ? line.startsWith(cell.slice(0, -3).trim()) : line === cell;
}

/** Of each line of the log in a table: its level. */
function levelsIn(text: string): Map<string, string> {
  const rows = [...text.matchAll(/^\| ([^|]+) \| (debug|info|warn|error|fatal) \|/gm)];
  return new Map(rows.flatMap(([, cell = "", level = ""]) => codeIn(cell).map((line) => [line, level] as const)));
}

function missingFrom(text: string, wanted: readonly string[]): string[] {
  const named = new Set(codeIn(text));
  return wanted.filter((one) => !named.has(one));
}

describe.each(DOCUMENTS)("%s", (document) => {
  const text = read(document);

  it("links to files and headings that exist", () => {
    // Pictures of both colours are HTML.
    const broken = [...text.matchAll(/\]\(([^)\s]+)\)|\bsrc(?:set)?="([^"]+)"/g)]
      .map(([, link, picture]) => link ?? picture ?? "")
      .filter((target) => !/^[a-z]+:/.test(target))
      .filter((target) => {
        const [file = "", heading] = target.split("#");
        const path = file === "" ? document : join(dirname(document), file);
        return !existsSync(path) || (heading !== undefined && !anchorsOf(read(path)).includes(heading));
      });
    expect(broken).toEqual([]);
  });

  it("has tables that are whole, and say nothing twice", () => {
    const blocks = text.split(/\n(?!\|)/).filter((block) => block.startsWith("|") || block.includes("\n|"));
    for (const block of blocks) {
      const rows = block.split("\n").filter((line) => line.startsWith("|"));
      // A blank line between two rows ends a table, and what follows is no table.
      expect(rows[1]).toMatch(/^\|(?: :?-+:? \|)+$/);
      expect(rows.filter((row, at) => rows.indexOf(row) < at)).toEqual([]);
    }
  });

  it("names files and folders that exist", () => {
    const names = new Set(filesIn("src").map((path) => path.split("/").at(-1)));
    const absent = codeIn(text).filter((code) => {
      if (/^(?:src|test|docs|config|bin|\.ci)\/[\w./-]+$/.test(code)) return !existsSync(code);
      return /^[\w-]+\.ts$/.test(code) && !names.has(code);
    });
    expect(absent).toEqual([]);
  });

  it("names npm scripts and test projects that exist", () => {
    const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };
    const projects = new Set([...read("vitest.config.ts").matchAll(/name: "([^"]+)"/g)].map(([, name]) => name));
    projects.add("peers"); // in a configuration of its own
    const absent = [
      ...[...text.matchAll(/\bnpm (?:run )?([a-z][a-z:-]*)/g)]
        .map(([, name = ""]) => name)
        .filter((name) => !OF_NPM.has(name) && !(name in scripts)),
      ...[...text.matchAll(/--project ([a-z]+)/g)].map(([, name = ""]) => name).filter((name) => !projects.has(name)),
    ];
    expect(absent).toEqual([]);
  });

  it("says nothing of the machine that it was written on", () => {
    expect(text.match(/\/(?:work|root|tmp|home)\/[^\s`]*/g)).toBeNull();
  });
});

/** What npm does itself. */
const OF_NPM = new Set(["install", "ci", "pack", "prune"]);

/** Headings as GitHub links to them. */
function anchorsOf(text: string): string[] {
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, title = ""]) =>
    title
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-"),
  );
}

it("docs/README.md says of every document for whom it is, and README.md has them all but the licences in its list", () => {
  const all = markdownIn("docs").filter((path) => path !== "docs/README.md");
  const linked = (text: string, folder: string): string[] =>
    [...text.matchAll(/\[([^\]]+\.md)\]\(([^)#]+)\)/g)].map(([, , file = ""]) => join(folder, file));
  const rows = read("docs/README.md")
    .split("\n")
    .filter((line) => line.startsWith("| "));
  expect(linked(rows.join("\n"), "docs").toSorted()).toEqual(all.toSorted());
  const list = sectionOf(read("README.md"), "Documents");
  expect(all.filter((path) => path !== "docs/licences.md" && !linked(list, ".").includes(path))).toEqual([]);
});

it("every path of the admin address has its row", () => {
  const sources = ["src/admin/routes.ts", "src/page/routes.ts"].map(read).join("\n");
  const paths = [...sources.matchAll(/\bpath: "([^"]+)"/g)].map(([, path = ""]) => path);
  expect(paths.length).toBeGreaterThan(6);
  const told = firstCells(sectionOf(read(CONFIGURATION), "The admin address") + read("docs/status-page.md"));
  const without = new Set(told.map((cell) => cell.replace(/\?.*/, "")));
  expect([...paths, "/"].filter((path) => !without.has(path))).toEqual([]);
});

describe("the configuration", () => {
  const rows = optionRows(configSchema);
  const text = read(CONFIGURATION);

  it("has a table of all options as the schema says (npm run docs writes it)", () => {
    expect(rows.map(({ path }) => path)).toEqual(
      expect.arrayContaining(["upstreams[].listen", "log.level", "witness.catch-up.time", "unknown-protocol"]),
    );
    expect(text).toBe(withOptionTable(text, rows));
  });

  it("has no option that nobody reads", () => {
    const sources = filesIn("src")
      .filter((path) => path.endsWith(".ts") && (!path.startsWith("src/config/") || path === "src/config/tls-files.ts"))
      .map(read)
      .join("\n")
      .replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*/g, "");
    const config = parseConfig({ upstreams: [{ listen: "127.0.0.1:0", server: "127.0.0.1:1" }] });
    const off = ["socket", "tls", "server-tls"].flatMap((key) =>
      rows.flatMap(({ path }) =>
        path.startsWith(`upstreams[].${key}.`) ? [path.slice(path.lastIndexOf(".") + 1)] : [],
      ),
    );
    expect(off.length).toBeGreaterThan(10);
    const names = [...leavesOf({ ...config, upstreams: config.upstreams[0] }), ...off];
    expect(names.length).toBeGreaterThan(10);
    expect(names.filter((name) => !new RegExp(`(?:\\.|[{,]\\s*)${name}\\b`).test(sources))).toEqual([]);
  });

  it("has no option that doesn't exist", () => {
    const section = text.slice(0, text.indexOf("## The command line"));
    const known = new Set(rows.map(({ path }) => path));
    expect(firstCells(section).filter((cell) => !known.has(cell))).toEqual([]);
  });
});

/** The names of a configuration's values; an address is one. */
function leavesOf(value: object): string[] {
  return Object.entries(value).flatMap(([key, inner]: [string, unknown]) =>
    typeof inner === "object" && inner !== null && !("port" in inner) ? leavesOf(inner) : [key],
  );
}

function commandsOf(command: Command): Command[] {
  return [command, ...command.commands.flatMap(commandsOf)];
}

describe("the command line", () => {
  const tools = read("docs/tools.md");
  const text = `${read(CONFIGURATION)}${tools}`;
  const commands = commandsOf(program());

  it.each(commands.map((command) => [command.name(), command] as const))(
    "%s: every option is explained",
    (_, command) => {
      const options = command.createHelp().visibleOptions(command);
      const flags = options
        .flatMap(({ short, long }) => [short, long])
        .filter((flag) => flag !== undefined && flag !== null);
      expect(flags).toContain("--help");
      expect(missingFrom(text, flags)).toEqual([]);
    },
  );

  it("every sub-command is shown, the tools with docs/tools.md, and in both lists", () => {
    for (const command of program().commands) expect(text).toContain(`zeo-proxy ${command.name()}`);
    const own = ["run", "check", "demo", "help"];
    const names = program()
      .commands.map((command) => command.name())
      .filter((name) => !own.includes(name));
    const [, list = ""] = /and the tools, which \[tools\.md\]\(tools\.md\) explains: (.*)\.\n/.exec(text) ?? [];
    expect(codeIn(list).toSorted()).toEqual(names.toSorted());
    for (const name of names) expect(tools).toMatch(new RegExp(`^ {4}zeo-proxy ${name}\\b`, "m"));
  });

  it("has no option that doesn't exist", () => {
    const known = new Set(
      commands.flatMap((command) =>
        command
          .createHelp()
          .visibleOptions(command)
          .map(({ long }) => long),
      ),
    );
    known.add("--version");
    const section = text.slice(text.indexOf("## The command line"), text.indexOf("## The log"));
    expect(codeIn(`${section}${tools}`).filter((code) => /^--\S+$/.test(code) && !known.has(code))).toEqual([]);
  });
});

it("docs/testing.md says what each test of a bad day is for", () => {
  const tests = filesIn("test/pressure").filter((path) => path.endsWith(".test.ts"));
  expect(missingFrom(read("docs/testing.md"), tests)).toEqual([]);
});

describe("the rules", () => {
  it("docs/ordering.md has each of them in a heading", () => {
    const headings = read("docs/ordering.md")
      .split("\n")
      .filter((line) => line.startsWith("### "));
    expect(missingFrom(headings.join("\n"), Object.keys(ALL_RULES))).toEqual([]);
  });

  it("docs/ordering.md has no rule in a heading that doesn't exist", () => {
    const headings = read("docs/ordering.md")
      .split("\n")
      .filter((line) => line.startsWith("### "));
    expect(codeIn(headings.join("\n")).filter((name) => !(name in ALL_RULES))).toEqual([]);
  });
});

describe("what the proxy says", () => {
  const text = read(CONFIGURATION);
  const sources = filesIn("src")
    .filter((path) => path.endsWith(".ts") && !/^src\/(?:embedded|demo)\//.test(path))
    .map(read);

  it("every code that ends a session is explained, with whose fault it is, and no other", () => {
    const rows = [...text.matchAll(/^\| ((?:`[a-z-]+`(?:, )?)+) \| (client|server|proxy|sender) \| (warn|error) \|/gm)];
    const explained = rows.flatMap(([, codes = "", fault, level]) =>
      codeIn(codes).map((code) => [code, `${fault}, ${level}`] as const),
    );
    const told = { verify: "warn", error: "error", hourly: "error" } as const;
    expect(Object.fromEntries(explained)).toEqual(
      Object.fromEntries(Object.entries(ENDS).map(([code, end]) => [code, `${end.fault}, ${told[end.told]}`])),
    );
  });

  it("every code that ends a session is said somewhere", () => {
    // Beside its union and the table of ends.
    const said = (code: string): number => sources.join("\n").split(`"${code}"`).length - 1;
    const encodings = ["bad-pickle", "bad-msgpack"];
    expect(Object.keys(ENDS).filter((code) => said(code) < 3 && !encodings.includes(code))).toEqual([]);
  });

  const lines = sources.flatMap(logLinesIn);

  it("is found in the sources", () => {
    expect(new Set(lines).size).toBeGreaterThan(35);
    // Of the report, of the log itself, of the command; one by its level in a variable, one by a condition.
    expect(lines).toEqual(
      expect.arrayContaining([
        "invalidations repaired",
        "log lines lost",
        "internal error, the process ends",
        "listening",
        "getInvalidations answered None: the history does not reach back so far",
      ]),
    );
  });

  it.each([CONFIGURATION, TROUBLESHOOTING])("every line of the log is explained in %s", (document) => {
    const told = firstCells(read(document));
    expect(lines.filter((line) => !told.some((cell) => isOf(line, cell)))).toEqual([]);
  });

  it("docs/troubleshooting.md explains no line that is never written", () => {
    const told = firstCells(sectionOf(read(TROUBLESHOOTING), "Every line of the log"));
    expect(told.length).toBeGreaterThan(30);
    expect(told.filter((cell) => !lines.some((line) => isOf(line, cell)))).toEqual([]);
  });

  it("docs/troubleshooting.md says once of each code that ends a session what to do", () => {
    const told = firstCells(sectionOf(read(TROUBLESHOOTING), "Every code"));
    expect(told.toSorted()).toEqual(Object.keys(ENDS).toSorted());
  });

  it("docs/troubleshooting.md says the same level of a line as docs/configuration.md", () => {
    const levels = levelsIn(text);
    const other = levelsIn(sectionOf(read(TROUBLESHOOTING), "Every line of the log"));
    expect(other.size).toBeGreaterThan(30);
    expect([...other].filter(([line, level]) => levels.get(line) !== level)).toEqual([]);
  });

  it("every statistic is explained", () => {
    const interfaces = read("src/proxy/api.ts").matchAll(/^export interface \w+Stats \{\n([^}]*)\}/gm);
    const fields = [...interfaces].flatMap(([, body = ""]) => [...body.matchAll(/^ {2}readonly (\w+): (readonly)?/gm)]);
    const names = fields.map(([, name = "", isList]) => (isList === undefined ? name : `${name}[]`));
    expect(names).toContain("upstreams[]");
    expect(names).toContain("patched");
    const section = text.slice(text.indexOf("## Statistics"));
    expect(missingFrom(section, names)).toEqual([]);
  });
});
