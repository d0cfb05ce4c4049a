import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { linter } from "./linters.ts";
import { METRICS, unknownIn } from "./metrics.ts";

interface Place {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly gridPos: Place;
  readonly datasource?: { readonly uid: string };
  readonly targets?: readonly { readonly refId: string; readonly expr: string; readonly legendFormat: string }[];
}

const dashboard = JSON.parse(readFileSync("config/grafana/dashboard.json", "utf8")) as {
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly definition?: string }[] };
};
const { panels } = dashboard;
const variables = dashboard.templating.list;
const shown = panels.filter(({ type }) => type !== "row");
const targets = shown.flatMap(({ title, targets: all = [] }) => all.map((one) => ({ title, ...one })));

const folder = mkdtempSync(join(tmpdir(), "zeo-proxy-dashboard-"));
afterAll(() => rmSync(folder, { recursive: true }));

describe("the dashboard", () => {
  it.each(targets)("$title: $legendFormat is of metrics and labels that there are", ({ expr, legendFormat }) => {
    expect(unknownIn(expr)).toEqual([]);
    const labels = [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label = ""]) => label);
    const left = /\bby \(([^)]*)\)/.exec(expr)?.[1]?.split(", ");
    if (left !== undefined) expect(labels.filter((label) => !left.includes(label))).toEqual([]);
    expect(unknownIn(`${expr} by (${labels.join(", ")})`)).toEqual([]);
  });

  it("shows every metric but a few that say the same", () => {
    const text = targets.map(({ expr }) => expr).join("\n");
    const absent = Object.keys(METRICS).filter((name) => !text.includes(name));
    expect(absent).toEqual([
      "zeo_proxy_upstream_state",
      "zeo_proxy_repaired_transactions_total",
      "zeo_proxy_history_transactions",
      "zeo_proxy_observed_repaired_transactions_total",
      "process_start_time_seconds",
    ]);
  });

  it("asks the source that is chosen, with variables that it has", () => {
    expect(new Set(shown.map(({ datasource }) => datasource?.uid))).toEqual(new Set(["${source}"]));
    const names = new Set(["__rate_interval", ...variables.map(({ name }) => name)]);
    const used = [...targets.map(({ expr }) => expr), ...variables.map(({ definition = "" }) => definition)].flatMap(
      (text) => [...text.matchAll(/\$(\w+)/g)].map(([, name = ""]) => name),
    );
    expect(used.filter((name) => !names.has(name))).toEqual([]);
    for (const { definition } of variables) {
      if (definition !== undefined) expect(unknownIn(definition.replace(/, \w+\)$/, ")"))).toEqual([]);
    }
  });

  it("has panels with numbers of their own that lie beside each other", () => {
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, n) => `${x + (n % w)} ${y + Math.floor(n / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
    for (const { gridPos } of panels) expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
  });
});

const promtool = linter("usr/bin", "promtool", "--version");

it.skipIf(!promtool.isThere)(
  "promtool takes the dashboard's expressions",
  () => {
    const rules = targets.map(({ expr }, n) => ({
      record: `panel:${n}`,
      expr: expr.replaceAll("$__rate_interval", "5m").replaceAll(/\$\w+/g, "x"),
    }));
    const file = join(folder, "rules.yml");
    writeFileSync(file, JSON.stringify({ groups: [{ name: "dashboard", rules }] }));
    const { status, output } = promtool.run("check", "rules", file);
    expect(status, output).toBe(0);
  },
  60_000,
);
