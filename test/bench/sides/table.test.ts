import { expect, it } from "vitest";
import { evaluate } from "../evaluate.ts";
import { sampleOf } from "../example.ts";
import { GOALS } from "../goals.ts";
import { sideRows, sideTable } from "./table.ts";

const TURN = {
  direct: sampleOf([1], 1),
  proxy: sampleOf([2], 1, 10),
  "looked-at": sampleOf([2], 1, 11),
  tls: sampleOf([3], 1, 15),
};
const result = evaluate({ name: "load-200-c1", title: "loads", figure: "p50", goals: GOALS.none }, [TURN]);

it("has each side as a ratio to the proxy without", () => {
  expect(result.ratios["looked-at:proxy"]?.figure?.median).toBeCloseTo(1);
  expect(result.ratios["tls:proxy"]?.figure?.median).toBeCloseTo(1.5);
  expect(result.ratios["tls:proxy"]?.cpu?.median).toBeCloseTo(1.5);
  expect(result.ratios["tls-both:proxy"]).toBeUndefined();
});

it("is shown with a dash where it was not measured", () => {
  expect(sideTable([result]).split("\n")[2]).toMatch(
    /^\| loads \| µs \| [\d,.]+ \| 1\.00 \| 1\.10 \| 1\.50 \| 1\.50 \| - \| - \|$/,
  );
  expect(sideRows(result)).toMatch(/^ {2}TLS on both sides +- +CPU +-$/m);
  expect(sideTable([])).toBe("");
});
