import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { METRICS } from "../../src/metrics/all-metrics.ts";

it("docs/metrics.md has every metric as it is told, and no other", () => {
  const text = readFileSync("docs/metrics.md", "utf8");
  const rows = text.split("\n").filter((line) => /^\| `(?:zeo_proxy|process)_/.test(line));
  const wanted = METRICS.map(
    ({ name, type, labels, help }) =>
      `| \`${name}\` | ${type} | ${labels.map((label) => `\`${label}\``).join(", ")} | ${help} |`,
  );
  expect(rows).toEqual(wanted);
});
