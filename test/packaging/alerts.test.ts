import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { linter } from "./linters.ts";
import { unknownIn } from "./metrics.ts";

const FILE = "config/prometheus/alerts.yml";

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly description: string };
}

const { groups } = parse(readFileSync(FILE, "utf8")) as { groups: readonly { readonly rules: readonly Rule[] }[] };
const rules = groups.flatMap((group) => group.rules);

const folder = mkdtempSync(join(tmpdir(), "zeo-proxy-alerts-"));
afterAll(() => rmSync(folder, { recursive: true }));

describe("the alerts", () => {
  it.each(rules.map((rule) => [rule.alert, rule] as const))("%s is of metrics and labels that there are", (_, rule) => {
    expect(unknownIn(rule.expr)).toEqual([]);
    expect(["critical", "warning", "info"]).toContain(rule.labels.severity);
    const said = Object.values(rule.annotations).join(" ");
    const labels = [...said.matchAll(/\$labels\.(\w+)/g)].map(([, label = ""]) => label);
    // Where labels are summed up, only those that are left can be told.
    const left = /\bby \(([^)]*)\)/.exec(rule.expr)?.[1]?.split(", ");
    if (left !== undefined) expect(labels.filter((label) => !left.includes(label))).toEqual([]);
    expect(unknownIn(`${rule.expr} by (${labels.join(", ")})`)).toEqual([]);
  });

  it("have names of their own", () => {
    expect(rules.length).toBeGreaterThan(10);
    expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
  });
});

it("a name that there is not is found", () => {
  expect(unknownIn('rate(zeo_proxy_commit_total{storages="1"}[5m])')).toEqual(["zeo_proxy_commit_total", "storages"]);
  expect(unknownIn("sum by (upstream) (zeo_proxy_commits_total_sum)")).toEqual([
    "zeo_proxy_commits_total_sum",
    "upstream",
  ]);
  expect(unknownIn("1 > 0")).toEqual(["no metric in 1 > 0"]);
});

const promtool = linter("usr/bin", "promtool", "--version");

describe.skipIf(!promtool.isThere)("promtool", () => {
  it("takes the alerts", () => {
    const { status, output } = promtool.run("check", "rules", FILE);
    expect(status, output).toBe(0);
    expect(output).toContain(`${rules.length} rules found`);
  }, 60_000);

  it("raises those of a bad day, and none of a good one", () => {
    const series = join(folder, "series.yml");
    writeFileSync(series, readFileSync("test/packaging/alert-series.yml", "utf8").replace("RULES", resolve(FILE)));
    const { status, output } = promtool.run("test", "rules", series);
    expect(status, output).toBe(0);
  }, 60_000);
});
