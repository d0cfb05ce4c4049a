import { beforeAll, describe, expect, it } from "vitest";
import { METRICS } from "../../src/metrics/all-metrics.ts";
import { exposition } from "../../src/metrics/exposition.ts";
import { sample } from "../../src/metrics/metric.ts";
import { ClientCommit } from "../../src/embedded/client-commit.ts";
import { numbers } from "../admin/numbers.ts";
import { Visitor } from "../admin/visitor.ts";
import { oid, world } from "../proxy/world.ts";
import { prometheusParser, type Family } from "./prometheus.ts";

let parse: ((text: string) => Family[]) | undefined;

beforeAll(async () => {
  parse = await prometheusParser();
}, 180_000);

/** As the parser for Python names it. */
function pythonName({ name, type }: { readonly name: string; readonly type: string }): string {
  return type === "counter" ? name.replace(/_total$/, "") : name;
}

describe("what Prometheus's parser for Python reads", () => {
  it("of a scrape is every family with its type and help, and each number once", async (context) => {
    if (parse === undefined) {
      context.skip();
      return;
    }
    const gateway = await world({}, { isWatched: true, admin: { listen: "127.0.0.1:0" } });
    const [writer, watcher] = [await gateway.connect(), await gateway.connect()];
    await watcher.invalidation(await new ClientCommit(writer).commit({ create: [oid(1)] }));
    const visitor = await Visitor.to(String(gateway.told("admin listening")[0]?.["address"]));
    const { body, headers } = await visitor.ask("/metrics");
    expect(headers["content-type"]).toBe("text/plain; version=0.0.4; charset=utf-8");
    const families = parse(body);
    expect(families.map(({ name, type, help }) => [name, type, help])).toEqual(
      METRICS.map((metric) => [pythonName(metric), metric.type, metric.help]),
    );
    const read = families.flatMap(({ samples }) => samples);
    expect(read.length).toBe(numbers(body).size);
    const of = (wanted: string) => read.filter(([name]) => name === wanted);
    const labels = { server: `127.0.0.1:${gateway.server.port}`, storage: "1" };
    expect(of("zeo_proxy_commits_total")).toEqual([["zeo_proxy_commits_total", labels, "1.0"]]);
    expect(of("zeo_proxy_hold_seconds_bucket").at(-1)?.[1]).toEqual({ ...labels, le: "+Inf" });
  });

  it("of hostile labels is what they were, and nothing more", (context) => {
    if (parse === undefined) {
      context.skip();
      return;
    }
    const hostile = [
      '"',
      "\\",
      "\\n",
      "a\nb 1",
      '"} 5\n# TYPE x counter\nx 1\n',
      "é\u{1f600}",
      '{le="1"}',
      'a,b="c"',
      "\r",
      "",
    ];
    const metric = { name: "a_total", type: "counter", help: 'Of "a" \\ test.\n# b', labels: ["x", "y"] } as const;
    const text = exposition([{ ...metric, read: () => hostile.map((one) => sample(1, one, "z")) }], undefined);
    expect(parse(text)).toEqual([
      {
        name: "a",
        type: "counter",
        help: metric.help,
        samples: hostile.map((x) => ["a_total", { x, y: "z" }, "1.0"]),
      },
    ]);
  });
});
