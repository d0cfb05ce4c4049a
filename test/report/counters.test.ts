import { describe, expect, it } from "vitest";
import type { EndCode } from "../../src/happening/ends.ts";
import type { Happening, Observed, RawReason, RefusalReason } from "../../src/happening/happening.ts";
import { Counters } from "../../src/report/counters.ts";
import { asTid } from "../../src/wire/ids.ts";

const session = { upstream: "main", client: "127.0.0.1:1" };
const storage = { upstream: "main", storage: "1", client: "127.0.0.1:5" };
const ended = (code: EndCode): Happening => ({
  what: "ended",
  storage: "1",
  end: { code, fault: "server" },
  ...session,
});
const relayed = (reason: RawReason, upstream = "main"): Happening => ({
  what: "relayed",
  reason,
  ...session,
  upstream,
});
const resumed = (tid?: bigint): Happening => ({
  what: "resumed",
  from: asTid(1n),
  tid: tid === undefined ? undefined : asTid(tid),
  reach: undefined,
  ...storage,
});

function counted(...happenings: Happening[]): Counters {
  const counters = new Counters();
  for (const happening of happenings) counters.count(happening);
  return counters;
}

describe("what is counted", () => {
  it("is nothing at first", () => {
    expect(counted()).toEqual({
      completed: 0,
      synthesized: 0,
      late: 0,
      resumed: 0,
      tooOld: 0,
      guard: 0,
      questions: 0,
      observed: { completed: 0, synthesized: 0, late: 0, resumed: 0, tooOld: 0, ended: 0 },
      ended: new Map(),
      endedBy: new Map(),
      observedEndedBy: new Map(),
      relayed: new Map(),
      refused: new Map(),
    });
  });

  it("apart from that is what would be done for clients that are observed", () => {
    const observed = (happening: Observed): Happening => ({ what: "observed", happening });
    const counters = counted(
      observed({ what: "announced", repair: "completed" }),
      observed({ what: "announced", repair: "synthesized" }),
      observed(resumed(5n) as Observed),
      observed(resumed() as Observed),
      observed(ended("unread-commit") as Observed),
    );
    expect(counters.observed).toEqual({ completed: 1, synthesized: 1, late: 0, resumed: 1, tooOld: 1, ended: 1 });
    expect(counters).toMatchObject({ completed: 0, synthesized: 0, resumed: 0, tooOld: 0, ended: new Map() });
  });

  it("is each invalidation that was written, by its repair, and each question", () => {
    const counters = counted(
      { what: "announced", repair: "completed" },
      { what: "announced", repair: "completed" },
      { what: "announced", repair: "synthesized" },
      { what: "announced", repair: "late" },
      { what: "asked" },
    );
    expect(counters).toMatchObject({ completed: 2, synthesized: 1, late: 1, questions: 1 });
  });

  it("is each getInvalidations reply, apart where the history was too short", () => {
    expect(counted(resumed(5n), resumed(), resumed(6n))).toMatchObject({ resumed: 2, tooOld: 1 });
  });

  it("is each session that was ended, by code; of the guard's also together", () => {
    const counters = counted(
      ended("bad-pickle"),
      ended("guard-not-growing"),
      ended("bad-pickle"),
      ended("guard-own-commit"),
    );
    expect(Object.fromEntries(counters.ended)).toEqual({
      "bad-pickle": 2,
      "guard-not-growing": 1,
      "guard-own-commit": 1,
    });
    expect(counters.guard).toBe(2);
  });

  it("is each session that is relayed, by upstream and reason, but for a monitor's", () => {
    const { relayed: counts } = counted(
      relayed("tls"),
      relayed("tls"),
      relayed("mac"),
      relayed("ruok"),
      relayed("tls", "other"),
    );
    expect([...counts].map(([upstream, reasons]) => [upstream, Object.fromEntries(reasons)])).toEqual([
      ["main", { tls: 2, mac: 1 }],
      ["other", { tls: 1 }],
    ]);
  });

  it("is each client that was refused, by upstream and reason", () => {
    const refused = (reason: RefusalReason, upstream = "main"): Happening => ({
      what: "refused",
      reason,
      ...session,
      upstream,
    });
    const { refused: counts } = counted(
      refused("denied"),
      refused("denied"),
      refused("address-full"),
      refused("no-proxy-header", "other"),
    );
    expect([...counts].map(([upstream, reasons]) => [upstream, Object.fromEntries(reasons)])).toEqual([
      ["main", { denied: 2, "address-full": 1 }],
      ["other", { "no-proxy-header": 1 }],
    ]);
  });

  it("is nothing else", () => {
    const counters = counted(
      { what: "opened", ...session },
      { what: "foreign", isRead: false, tid: asTid(5n), ...storage },
      { what: "held-long", heldMs: 1_500, ...storage },
      { what: "held-over", heldMs: 1_500, ...storage },
      { what: "not-resumed", from: asTid(5n), ...storage },
      { what: "in-limbo", ...storage },
      { what: "down", upstream: "main", server: "server:1", reason: "silent" },
    );
    expect(counters).toEqual(counted());
  });
});
