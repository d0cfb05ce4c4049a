import { describe, expect, it } from "vitest";
import { parseConfig, type ConfigInput, type Config } from "../../src/config/load.ts";
import { planUpstreams } from "../../src/proxy/plan.ts";

type Input = ConfigInput["upstreams"][number];

function upstreams(...input: Input[]): Config["upstreams"] {
  return parseConfig({ upstreams: input }).upstreams;
}

/** What becomes of each, by the new names, or the addresses that are listened on. */
function planned(before: Input[], after: Input[]): { steps: string[]; closed: string[] } {
  const { steps, closed } = planUpstreams(upstreams(...before), upstreams(...after));
  return {
    steps: steps.map(
      (step) => `${step.is} ${step.after.name}${step.is === "opened" ? "" : ` was ${step.before.name}`}`,
    ),
    closed: closed.map(({ name }) => name),
  };
}

const at = (listen: number, server = 8100, rest: Partial<Input> = {}): Input => ({
  listen: `127.0.0.1:${listen}`,
  server: `127.0.0.1:${server}`,
  ...rest,
});
const named = (name: string, listen: number, server = 8100): Input => at(listen, server, { name });

describe("an upstream", () => {
  it("of which nothing is changed goes on, wherever it stands", () => {
    const [a, b] = [named("a", 1), named("b", 2, 8101)];
    expect(planned([a, b], [b, a])).toEqual({ steps: ["kept b was b", "kept a was a"], closed: [] });
  });

  it("comes, or goes", () => {
    expect(planned([named("a", 1)], [named("a", 1), named("b", 2)]).steps).toEqual(["kept a was a", "opened b"]);
    expect(planned([named("a", 1), named("b", 2)], [named("b", 2)])).toEqual({
      steps: ["kept b was b"],
      closed: ["a"],
    });
  });

  it.each([
    ["listen", named("a", 2)],
    ["server", named("a", 1, 8101)],
    ["witness", { ...named("a", 1), witness: "off" as const }],
    ["storages", { ...named("a", 1), storages: ["1"] }],
  ])("whose %s is changed is opened anew", (_, after) => {
    expect(planned([named("a", 1)], [after])).toEqual({ steps: ["reopened a was a"], closed: [] });
  });

  it("that is only renamed goes on: it listens where it did", () => {
    expect(planned([named("a", 1)], [named("b", 1)])).toEqual({ steps: ["kept b was a"], closed: [] });
    expect(planned([at(1)], [named("b", 1)]).steps).toEqual(["kept b was 127.0.0.1:8100"]);
  });

  it("is found by a name that somebody gave it, sooner than by its address", () => {
    const after = [named("a", 2, 8100), named("b", 1, 8101)];
    expect(planned([named("a", 1, 8100), named("b", 2, 8101)], after).steps).toEqual([
      "reopened a was a",
      "reopened b was b",
    ]);
  });

  it("without a name is found by its address: its derived name says how many stand before it", () => {
    expect(planned([at(1)], [at(2), at(1)])).toEqual({
      steps: ["opened 127.0.0.1:8100", "kept 127.0.0.1:8100#2 was 127.0.0.1:8100"],
      closed: [],
    });
    expect(planned([at(1)], [at(1, 8101)]).steps).toEqual(["reopened 127.0.0.1:8101 was 127.0.0.1:8100"]);
  });

  it("without a name, and with any free port, is found by its server", () => {
    expect(planned([at(0)], [at(0)]).steps).toEqual(["kept 127.0.0.1:8100 was 127.0.0.1:8100"]);
    expect(planned([at(0), at(0)], [at(0)])).toEqual({
      steps: ["kept 127.0.0.1:8100 was 127.0.0.1:8100"],
      closed: ["127.0.0.1:8100#2"],
    });
  });

  it("at every address is not the one at some address, though both can't be had at once", () => {
    const wide = { name: "b", listen: "0.0.0.0:1", server: "127.0.0.1:8100" };
    expect(planned([named("a", 1)], [wide])).toEqual({ steps: ["opened b"], closed: ["a"] });
  });
});
