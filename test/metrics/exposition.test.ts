import { describe, expect, it } from "vitest";
import { exposition } from "../../src/metrics/exposition.ts";
import { sample, type Metric, type Sample } from "../../src/metrics/metric.ts";
import { Histogram } from "../../src/storage/histogram.ts";

function text(rest: Partial<Metric<undefined>>, ...samples: Sample[]): string {
  const metric = { name: "a_total", type: "counter", help: "Of a test.", labels: [], ...rest } as const;
  return exposition([{ ...metric, read: () => samples }], undefined);
}

describe("a family", () => {
  it("has its help, its type and its numbers", () => {
    expect(text({}, sample(5))).toBe("# HELP a_total Of a test.\n# TYPE a_total counter\na_total 5\n");
  });

  it("is told of without a number, too", () => {
    expect(text({ type: "gauge" })).toBe("# HELP a_total Of a test.\n# TYPE a_total gauge\n");
  });

  it("has labels in their order", () => {
    expect(
      text({ labels: ["x", "y"] }, sample(0.25, "1", "2"), sample(1e21, "3", "4"))
        .split("\n")
        .slice(2),
    ).toEqual(['a_total{x="1",y="2"} 0.25', 'a_total{x="3",y="4"} 1e+21', ""]);
  });

  it("escapes what would end a label, a line or a help", () => {
    const label = 'a\\b"c\nd} 5\n# TYPE b gauge\nb{x="y"} 1';
    const lines = text({ labels: ["x"], help: "a\\b\nc" }, sample(1, label)).split("\n");
    expect(lines).toEqual([
      "# HELP a_total a\\\\b\\nc",
      "# TYPE a_total counter",
      String.raw`a_total{x="a\\b\"c\nd} 5\n# TYPE b gauge\nb{x=\"y\"} 1"} 1`,
      "",
    ]);
  });

  it("tells endless numbers as the format has them", () => {
    expect(text({}, sample(Infinity), sample(-Infinity), sample(NaN)).split("\n").slice(2, 5)).toEqual([
      "a_total +Inf",
      "a_total -Inf",
      "a_total NaN",
    ]);
  });
});

describe("a histogram", () => {
  it("has cumulative buckets in the metric's unit, a sum and a count", () => {
    const histogram = new Histogram([0.5, 1, 10_000]);
    for (const ms of [0.25, 0.5, 0.75, 2_000, 20_000]) histogram.add(ms);
    const one = text({ name: "a_seconds", type: "histogram", labels: ["x"] }, sample({ histogram, scale: 0.001 }, "y"));
    expect(one.split("\n").slice(1)).toEqual([
      "# TYPE a_seconds histogram",
      'a_seconds_bucket{x="y",le="0.0005"} 2',
      'a_seconds_bucket{x="y",le="0.001"} 3',
      'a_seconds_bucket{x="y",le="10"} 4',
      'a_seconds_bucket{x="y",le="+Inf"} 5',
      'a_seconds_sum{x="y"} 22.0015',
      'a_seconds_count{x="y"} 5',
      "",
    ]);
  });
});
