import { describe, expect, it } from "vitest";
import { History } from "./history.ts";
import { planOf } from "./plan.ts";
import { readOptions } from "./options.ts";
import type { LogLine } from "./proxy-process.ts";
import { verdictOn } from "./verdict.ts";

const SET_BACK =
  "the server's last transaction is older than a known one: another database or a backup; its sessions end";
const NONE = "getInvalidations answered None: the history does not reach back so far";

/** What a strict judge finds in the proxy's log. */
function found(line: string, ...lines: Record<string, string>[]): string[] {
  const options = readOptions(line.split(" "), () => 1);
  if (options === undefined) throw new Error("these are options of the usage alone");
  const log = lines.map((one) => ({ level: "info", at: "", msg: "", ...one }) satisfies LogLine);
  const plan = { name: "proxy-1", folder: "", port: 0, server: 0, witness: undefined };
  const evidence = {
    history: new History([]),
    records: [],
    files: new Map(),
    memories: new Map(),
    there: new Set<string>(),
    logs: [{ plan, lines: log }],
    done: {
      counts: new Map(),
      away: [{ from: Date.parse("2026-01-01T00:00:10Z"), to: Date.parse("2026-01-01T00:00:12Z") }],
    },
    findings: [],
  };
  return verdictOn(evidence, planOf(options, 0), true).faults.map(({ kind }) => kind);
}

describe("the log of a proxy", () => {
  it("shows who was answered None", () => {
    expect(found("--only direct", { msg: NONE, from: "0a", reach: "0b" })).toEqual(["answered None"]);
  });

  it("excuses that of who comes from before a server's step back, which only a killed one may do", () => {
    const back = { msg: SET_BACK, known: "0c", tid: "0a" };
    const of = (from: string): Record<string, string> => ({ msg: NONE, from, reach: "0e" });
    expect(found("--only server-kills", back, of("0a"), of("0c"), of("0d"))).toEqual(["answered None"]);
    expect(found("--only server-kills", of("0a"), back)).toEqual(["answered None"]);
    expect(found("--only direct", back, of("0a"))).toEqual(["stuck"]);
  });

  it("shows whom the proxy has disconnected", () => {
    const end = { msg: "session ended, so that its client verifies its cache", code: "unread-commit", fault: "server" };
    expect(found("--only direct", end)).toEqual(["disconnected"]);
    expect(found("--only direct", { ...end, fault: "client" })).toEqual([]);
  });

  it("excuses who could not begin to read since the server was away", () => {
    const off = { msg: "there is no witness: commits that do not", reason: "it has not come about" };
    const none = { msg: NONE, from: "0a", reach: "0b" };
    const at = (seconds: string): Record<string, string> => ({ ...off, at: `2026-01-01T00:00:${seconds}Z` });
    expect(found("--only server-kills", at("13"), none)).toEqual([]);
    expect(found("--only server-kills", at("15"), none)).toEqual(["answered None"]);
    expect(found("--only server-kills", { ...at("13"), reason: "tls" }, none)).toEqual(["answered None"]);
  });

  it("excuses what could not be read since the server was away", () => {
    const end = { msg: "session ended, so that its client verifies its cache", code: "unread-commit", fault: "server" };
    const at = (seconds: string): string[] =>
      found("--only server-kills", { ...end, at: `2026-01-01T00:00:${seconds}Z` });
    expect([at("09.9"), at("10.0"), at("14.0"), at("14.1")]).toEqual([["disconnected"], [], [], ["disconnected"]]);
    const other = { ...end, code: "unknown-commit", at: "2026-01-01T00:00:11Z" };
    expect(found("--only server-kills", other)).toEqual(["disconnected"]);
  });
});
