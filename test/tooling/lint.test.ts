import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

interface Report {
  readonly diagnostics: readonly { readonly code: string; readonly filename: string; readonly message: string }[];
}

const top = mkdtempSync(join(tmpdir(), "zeo-proxy-lint-"));
afterAll(() => rmSync(top, { recursive: true }));

/** A file and the rule that must refuse it. */
const FORBIDDEN: readonly (readonly [file: string, rule: string, text: string])[] = [
  ["src/wire/a.ts", "no-restricted-imports", 'export { connect } from "node:net";'],
  ["src/wire/b.ts", "no-restricted-imports", 'import { readFileSync } from "fs";\nexport const x = readFileSync;'],
  ["src/wire/c.ts", "no-restricted-imports", 'export { setTimeout } from "node:timers/promises";'],
  ["src/wire/d.ts", "no-restricted-imports", 'import { pino } from "pino";\nexport const x = pino();'],
  ["src/wire/e.ts", "no-restricted-imports", 'export type { A } from "../ledger/good.ts";'],
  ["src/wire/pickle/f.ts", "no-restricted-imports", 'export type { A } from "../../ledger/good.ts";'],
  ["src/wire/pickle/g.ts", "no-restricted-imports", 'export type { A } from "../../proxy/good.ts";'],
  ["src/wire/h.ts", "no-restricted-properties", "export const now = (): number => Date.now();"],
  ["src/wire/i.ts", "no-restricted-globals", "export const later = (f: () => void): unknown => setTimeout(f, 1);"],
  ["src/ledger/a.ts", "no-restricted-imports", 'export { connect } from "net";'],
  ["src/ledger/b.ts", "no-restricted-imports", 'export type { A } from "../proxy/good.ts";'],
  ["src/ledger/c.ts", "no-restricted-imports", 'export type { A } from "../storage/good.ts";'],
  ["src/ledger/d.ts", "no-restricted-imports", 'export { EventEmitter } from "node:events";'],
  ["src/ledger/e.ts", "no-restricted-properties", "export const now = (): number => Date.now();"],
  ["src/ledger/f.ts", "no-restricted-properties", "export const chance = (): number => Math.random();"],
  ["src/ledger/g.ts", "no-restricted-globals", "export const later = (f: () => void): unknown => setInterval(f, 1);"],
  ["src/ledger/h.ts", "no-restricted-globals", "export const now = (): number => performance.now();"],
  ["src/happening/a.ts", "no-restricted-imports", 'export type { A } from "../storage/good.ts";'],
  ["src/storage/a.ts", "no-restricted-imports", 'export type { A } from "../session/good.ts";'],
  ["src/storage/b.ts", "no-restricted-imports", 'export { connect } from "node:tls";'],
  ["src/storage/c.ts", "no-restricted-globals", "export const later = (f: () => void): unknown => setImmediate(f);"],
  ["src/session/a.ts", "no-restricted-imports", 'export { connect } from "node:net";'],
  ["src/session/b.ts", "no-restricted-imports", 'export { pino } from "pino";'],
  ["src/session/c.ts", "no-restricted-imports", 'export type { A } from "../upstream/good.ts";'],
  ["src/session/d.ts", "no-restricted-imports", 'export type { A } from "../report/good.ts";'],
  ["src/session/e.ts", "no-restricted-globals", "export const later = (f: () => void): unknown => setTimeout(f, 1);"],
  ["src/session/f.ts", "no-restricted-properties", "export const now = (): number => Date.now();"],
  ["src/upstream/a.ts", "no-restricted-imports", 'export type { A } from "../net/good.ts";'],
  ["src/upstream/b.ts", "no-restricted-imports", 'export { connect } from "node:net";'],
  ["src/upstream/c.ts", "no-restricted-globals", "export const later = (f: () => void): unknown => setTimeout(f, 1);"],
  ["src/witness/a.ts", "no-restricted-imports", 'export type { A } from "../ledger/good.ts";'],
  ["src/witness/b.ts", "no-restricted-imports", 'export type { A } from "../storage/good.ts";'],
  ["src/witness/c.ts", "no-restricted-imports", 'export type { A } from "../session/good.ts";'],
  ["src/witness/d.ts", "no-restricted-imports", 'export { connect } from "node:net";'],
  ["src/witness/e.ts", "no-restricted-globals", "export const later = (f: () => void): unknown => setTimeout(f, 1);"],
  ["src/upstream/d.ts", "no-restricted-imports", 'export type { A } from "../witness/good.ts";'],
  ["src/net/a.ts", "no-restricted-imports", 'export type { A } from "../storage/good.ts";'],
  ["src/report/a.ts", "no-restricted-imports", 'export type { A } from "../session/good.ts";'],
  ["src/report/hourly.ts", "no-restricted-properties", "export const now = (): number => Date.now();"],
  ["src/metrics/a.ts", "no-restricted-imports", 'export { createServer } from "node:http";'],
  ["src/metrics/b.ts", "no-restricted-imports", 'export type { A } from "../admin/good.ts";'],
  ["src/admin/a.ts", "no-restricted-imports", 'export type { A } from "../proxy/good.ts";'],
  ["src/admin/b.ts", "no-restricted-imports", 'export type { A } from "../ledger/good.ts";'],
  ["src/page/a.ts", "no-restricted-imports", 'export type { A } from "../session/good.ts";'],
  ["src/page/b.ts", "no-restricted-imports", 'export type { A } from "../proxy/good.ts";'],
  ["src/report/b.ts", "no-restricted-imports", 'export type { A } from "../page/good.ts";'],
  ["src/proxy/a.ts", "no-restricted-imports", 'export type { A } from "../commands/good.ts";'],
  ["src/proxy/b.ts", "no-restricted-imports", 'export type { A } from "../embedded/good.ts";'],
  ["src/systemd/a.ts", "no-restricted-imports", 'export type { A } from "../session/good.ts";'],
  ["src/systemd/b.ts", "no-restricted-imports", 'export type { A } from "../proxy/good.ts";'],
  ["src/embedded/a.ts", "no-restricted-imports", 'export type { A } from "../ledger/good.ts";'],
  ["src/tools/a.ts", "no-restricted-imports", 'export type { A } from "../ledger/good.ts";'],
  ["src/tools/status/e.ts", "no-restricted-imports", 'export type { A } from "../../admin/good.ts";'],
  ["src/tools/b.ts", "no-restricted-imports", 'export type { A } from "../commands/good.ts";'],
  ["src/tools/probe/c.ts", "no-restricted-imports", 'export type { A } from "../../embedded/good.ts";'],
  ["src/tools/probe/d.ts", "no-restricted-imports", 'export type { A } from "../../storage/good.ts";'],
  ["src/proxy/g.ts", "no-restricted-imports", 'export type { A } from "../tools/good.ts";'],
  ["src/proxy/ring-a.ts", "no-cycle", 'import { b } from "./ring-b.ts";\nexport const a = (): unknown => b;'],
  ["src/proxy/ring-b.ts", "no-cycle", 'import { a } from "./ring-a.ts";\nexport const b = (): unknown => a;'],
  [
    "src/proxy/c.ts",
    "no-floating-promises",
    "const f = async (): Promise<void> => {};\nexport const g = (): void => { f(); };",
  ],
  [
    "src/ledger/i.ts",
    "switch-exhaustiveness-check",
    'export function f(x: "a" | "b"): number {\n  switch (x) {\n    case "a":\n      return 1;\n  }\n  return 2;\n}',
  ],
  ["src/proxy/d.ts", "no-explicit-any", "export const x = (y: any): unknown => y;"],
  ["src/proxy/e.ts", "ban-ts-comment", "// @ts-ignore\nexport const x = 5;"],
  ["src/proxy/f.ts", "no-console", 'export const x = (): void => console.log("x");'],
];

/** Files that no rule may refuse. */
const ALLOWED: readonly (readonly [file: string, text: string])[] = [
  [
    "src/wire/good.ts",
    'import { Buffer } from "node:buffer";\nexport type A = number;\nexport const x = Buffer.alloc(1);',
  ],
  ["src/ledger/good.ts", 'export type { A } from "../wire/good.ts";\nexport const day = Date.UTC(2026, 1);'],
  [
    "src/storage/good.ts",
    'export type { A } from "../ledger/good.ts";\nexport type { A as B } from "../wire/good.ts";',
  ],
  ["src/session/good.ts", 'export type { A } from "../storage/good.ts";'],
  ["src/upstream/good.ts", 'export type { A } from "../session/good.ts";'],
  ["src/upstream/transport.ts", 'export type { A } from "../wire/good.ts";'],
  [
    "src/witness/good.ts",
    'export type { A } from "../upstream/transport.ts";\nexport type { A as B } from "../wire/good.ts";',
  ],
  ["src/net/good.ts", 'export type { A } from "../upstream/good.ts";\nexport { connect } from "node:net";'],
  ["src/report/good.ts", 'export type { A } from "../ledger/good.ts";\nexport const now = (): number => Date.now();'],
  ["src/metrics/good.ts", 'export type { A } from "../report/good.ts";'],
  ["src/admin/shape.ts", 'export type { A } from "../metrics/good.ts";'],
  ["src/tools/status/good.ts", 'export type { A } from "../../admin/shape.ts";'],
  ["src/admin/good.ts", 'export type { A } from "../metrics/good.ts";\nexport { createServer } from "node:http";'],
  ["src/page/good.ts", 'export type { A } from "../wire/good.ts";\nexport { createHash } from "node:crypto";'],
  ["src/proxy/good.ts", 'export type { A } from "../ledger/good.ts";\nexport const now = (): number => Date.now();'],
  ["src/tools/good.ts", 'export type { A } from "../wire/good.ts";\nexport const now = (): number => Date.now();'],
  ["src/proxy/api.ts", 'export type { A } from "../ledger/good.ts";'],
  ["src/systemd/good.ts", 'export type { A } from "../proxy/api.ts";\nexport { spawn } from "node:child_process";'],
  ["src/commands/good.ts", 'export type { A } from "../proxy/good.ts";'],
  ["src/embedded/good.ts", 'export type { A } from "../wire/good.ts";\nexport { connect } from "node:net";'],
];

describe("the project's lint rules", () => {
  let report: Report = { diagnostics: [] };

  beforeAll(() => {
    for (const [file, text] of [...FORBIDDEN.map(([name, , content]) => [name, content] as const), ...ALLOWED]) {
      mkdirSync(join(top, dirname(file)), { recursive: true });
      writeFileSync(join(top, file), `${text}\n`);
    }
    for (const file of [".oxlintrc.json", "tsconfig.json", "package.json"]) cpSync(file, join(top, file));
    symlinkSync(resolve("node_modules"), join(top, "node_modules"));
    const args = [resolve("node_modules/oxlint/bin/oxlint"), "--type-aware", "--format", "json", "src"];
    const lint = spawnSync(process.execPath, args, { cwd: top, encoding: "utf8", timeout: 60_000 });
    expect(lint.stderr).toBe("");
    expect(lint.status).toBe(1);
    report = JSON.parse(lint.stdout) as Report;
  }, 90_000);

  it.each(FORBIDDEN)("refuse %s (%s)", (file, rule) => {
    const rules = report.diagnostics.filter(({ filename }) => filename === file).map(({ code }) => code);
    expect(
      rules.some((code) => code.includes(`(${rule})`)),
      `${file}: ${rules.join(", ")}`,
    ).toBe(true);
  });

  it.each(ALLOWED)("accept %s", (file) => {
    expect(report.diagnostics.filter(({ filename }) => filename === file)).toEqual([]);
  });
});
