import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "zeo-proxy-audit-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** `.ci/audit.js` with an npm that says this; undefined: there is none. */
function audit(answer: unknown, stderr = ""): { readonly status: number | null; readonly stdout: string } {
  const npm = join(folder, "npm");
  const said = typeof answer === "string" ? answer : JSON.stringify(answer);
  writeFileSync(
    npm,
    `#!/bin/sh\n[ "$*" = "audit --omit=dev --json" ] || exit 9\ncat <<'END'\n${said}\nEND\necho '${stderr}' >&2\nexit 1\n`,
  );
  chmodSync(npm, 0o755);
  const PATH = answer === undefined ? "/nowhere" : `${folder}:/usr/bin:/bin`;
  const { status, stdout } = spawnSync(process.execPath, [".ci/audit.js"], { encoding: "utf8", env: { PATH } });
  return { status, stdout };
}

it("passes where no advisory is known", () => {
  const { status, stdout } = audit({ metadata: { vulnerabilities: { total: 0 } }, vulnerabilities: {} });
  expect({ status, stdout }).toEqual({
    status: 0,
    stdout: "audited: no advisory is known about what the proxy is made with\n",
  });
});

it("fails for one, and names it", () => {
  const vulnerabilities = { yaml: { name: "yaml", severity: "low", range: "<2.9.2" } };
  const { status, stdout } = audit({ metadata: { vulnerabilities: { low: 1, total: 1 } }, vulnerabilities });
  expect({ status, stdout }).toEqual({ status: 1, stdout: "low: yaml <2.9.2\naudited: 1 packages with advisories\n" });
});

it.each([
  ["the registry's message", { message: "405 Method Not Allowed" }, "", "405 Method Not Allowed"],
  ["npm's summary", { error: { summary: "offline" } }, "", "offline"],
  ["what npm writes", "no JSON", "npm error network", "npm error network"],
  ["that there is no npm", undefined, "", "spawnSync npm ENOENT"],
])("says that nothing was audited, and why: %s", (_, answer, stderr, reason) => {
  const { status, stdout } = audit(answer, stderr);
  expect({ status, stdout }).toEqual({
    status: 0,
    stdout: `not audited: the registry gives no advisories (${reason})\n`,
  });
});
