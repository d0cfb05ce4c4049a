import { expect, it } from "vitest";
import type { UpstreamStats } from "../../src/proxy/api.ts";
import { statusText } from "../../src/systemd/status-text.ts";

type Shown = Pick<UpstreamStats, "name" | "state" | "clients">;

const one = (name: string, state: UpstreamStats["state"] = "listening", clients = 0): Shown => ({
  name,
  state,
  clients,
});

it("counts upstreams and clients", () => {
  expect(statusText([one("main", "listening", 1)])).toBe("1 upstream listening, 1 client");
  expect(statusText([one("a", "listening", 2), one("b", "listening", 3)])).toBe("2 upstreams listening, 5 clients");
});

it("names three that don't listen, with why, and counts the rest", () => {
  const some = [one("main"), one("archive", "down", 4), one("third", "blocked")];
  expect(statusText(some)).toBe("1 of 3 upstreams listening (archive: down, third: blocked), 4 clients");
  const many = ["a", "b", "c", "d", "e"].map((name) => one(name, "full"));
  expect(statusText(many)).toBe("0 of 5 upstreams listening (a: full, b: full, c: full, and 2 more), 0 clients");
});

it("is one short line of text, whatever the names", () => {
  const text = statusText(["a\u202eb", "x".repeat(300), "y".repeat(300)].map((name) => one(name, "down")));
  expect(text).toMatch(/^0 of 3 upstreams listening \(a\\u\{202e\}b: down, x{37}\.\.\.: down, y{37}\.\.\.: down\)/);
  expect(text.length).toBeLessThan(200);
});
