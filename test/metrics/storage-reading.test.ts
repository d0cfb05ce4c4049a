import { describe, expect, it } from "vitest";
import { exposition } from "../../src/metrics/exposition.ts";
import { STORAGE_METRICS } from "../../src/metrics/storage-metrics.ts";
import { lagOf, MAX_STORAGES, readStorages } from "../../src/metrics/storage-reading.ts";
import type { Reading } from "../../src/metrics/reading.ts";
import { Memory } from "../../src/session/memory.ts";
import { Storages } from "../../src/storage/storages.ts";
import { asTid, tidTimeMs } from "../../src/wire/ids.ts";
import { numbers } from "../admin/numbers.ts";
import { MovedClock } from "../storage/moved-clock.ts";

/** Storages that the configuration names, so that their servers need not be there. */
function named(...names: readonly string[]): Storages {
  const memory = new Memory(1_000_000);
  const witness = {
    of: () => () => ({ progress: 0, ask() {}, read() {}, retry() {}, stop() {} }),
    settings: { pollMs: 1000, holdMs: 1000 },
  };
  const share = (free: () => void) => memory.share(free);
  const host = { clock: new MovedClock(), report: () => undefined, historyBytes: 1_000_000, share, witness };
  const storages = new Storages("server:1", host);
  storages.expect(names, "new", "main");
  return storages;
}

describe("storages", () => {
  it("beyond the hundredth are told of together, but for what can't be added up", () => {
    const storages = named(...Array.from({ length: MAX_STORAGES + 5 }, (_, at) => `s${at}`));
    for (const { counts } of storages.all()) counts.questions = 2;
    const readings = readStorages(storages.all());
    expect(readings).toHaveLength(MAX_STORAGES + 1);
    expect(readings.at(-2)).toMatchObject({ server: "server:1", storage: "s99", questions: 2 });
    expect(readings.at(-1)).toMatchObject({ server: "other", storage: "other", questions: 10 });
    const found = numbers(exposition(STORAGE_METRICS, { storages: readings } as unknown as Reading));
    expect(found.get('zeo_proxy_questions_total{server="other",storage="other"}')).toBe(10);
    expect(found.get('zeo_proxy_witness_up{server="server:1",storage="s99"}')).toBe(0);
    expect(found.has('zeo_proxy_witness_up{server="other",storage="other"}')).toBe(false);
  });

  it("of one name are one, also where their server was of the other family before", () => {
    const storages = named("1");
    storages.expect(["1"], "old", "main");
    for (const { counts } of storages.all()) counts.oidsAdded = 3;
    expect(readStorages(storages.all())).toMatchObject([{ storage: "1", oidsAdded: 6, isWitnessUp: false }]);
  });

  it("that nobody has accepted are not there", () => {
    const storages = named("1");
    storages.get("a client's text", "new");
    expect(readStorages(storages.all()).map(({ storage }) => storage)).toEqual(["1"]);
  });
});

describe("the witness's lag", () => {
  const figures = (highest: bigint, readUpTo?: bigint) =>
    ({ highest: asTid(highest), readUpTo: readUpTo === undefined ? undefined : asTid(readUpTo) }) as Parameters<
      typeof lagOf
    >[0];
  const [first, later] = [0x03e7a1c200000000n, 0x03e7a1c300000000n];

  it("is the time between the newest tid and the one up to which all is known", () => {
    expect(tidTimeMs(asTid(later)) - tidTimeMs(asTid(first))).toBe(60_000);
    expect(lagOf(figures(later, first))).toBe(60_000);
    expect(lagOf(figures(first, first))).toBe(0);
    expect(lagOf(figures(first, later))).toBe(0);
    expect(lagOf(figures(first))).toBeUndefined();
  });
});
