import { describe, expect, it } from "vitest";
import { Memory, type Share } from "../../src/session/memory.ts";
import type { Member } from "../../src/storage/storage.ts";
import { Storages } from "../../src/storage/storages.ts";
import type { StorageWitness, WitnessSource, WitnessTold } from "../../src/storage/witness.ts";
import { NO_TID, asTid } from "../../src/wire/ids.ts";
import { MovedClock } from "./moved-clock.ts";

/** A witness of which nothing comes. */
const IDLE: StorageWitness = {
  progress: 0,
  ask: () => undefined,
  read: () => undefined,
  retry: () => undefined,
  stop: () => undefined,
};

function newStorages(of?: (storage: string) => WitnessSource) {
  const clock = new MovedClock();
  const memory = new Memory(100_000);
  const share = (free: () => void): Share => memory.share(free);
  const witness = of && { of, settings: { pollMs: 1_000, holdMs: 2_000 } };
  const host = { clock, report: () => undefined, historyBytes: 1_000, share, witness };
  return { clock, storages: new Storages("server:1", host) };
}

const member: Member = {
  upstream: "main",
  client: "client:1",
  server: "server:1",
  carryOut: () => undefined,
  failed: () => undefined,
  look: () => undefined,
};

describe("the storages of a server", () => {
  it("are made when they are first asked for, one for each name and family", () => {
    const { storages } = newStorages();
    const one = storages.get("1", "new");
    expect(storages.get("1", "new")).toBe(one);
    const others = [storages.get("2", "new"), storages.get("1", "old")];
    expect(new Set([one, ...others]).size).toBe(3);
    expect([...storages.all()]).toEqual([one, ...others]);
    expect([one.server, one.name, one.ledger.state.server]).toEqual(["server:1", "1", "new"]);
  });

  it("do not mix up names and families that look alike", () => {
    const { storages } = newStorages();
    expect(storages.get("new 1", "old")).not.toBe(storages.get("1", "old"));
    expect(storages.get("", "old")).not.toBe(storages.get(" ", "old"));
  });

  it("are forgotten when nobody is there and nothing is known, each for itself", () => {
    const { storages } = newStorages();
    const [one, other] = [storages.get("1", "new"), storages.get("2", "new")];
    const number = one.join(member);
    storages.forgetUnused(one);
    expect([...storages.all()]).toEqual([one, other]);
    one.leave(number);
    storages.forgetUnused(one);
    expect([...storages.all()]).toEqual([other]);
    expect(storages.get("1", "new")).not.toBe(one);
  });

  it("that are expected have a witness before anybody registers, and are kept; without a witness there are none", () => {
    const asked: string[] = [];
    const { storages } = newStorages((storage) => () => {
      asked.push(storage);
      return IDLE;
    });
    storages.expect(["1", "2"], "old", "main");
    storages.expect(["1"], "old", "other");
    expect(asked).toEqual(["1", "2"]);
    const one = storages.get("1", "old");
    storages.forgetUnused(one);
    expect(storages.get("1", "old")).toBe(one);
    expect([...storages.all()].map(({ name, ledger }) => [name, ledger.family])).toEqual([
      ["1", "old"],
      ["2", "old"],
    ]);
    for (const storage of storages.all()) storage.stop();
    const without = newStorages().storages;
    without.expect(["1"], "old", "main");
    expect([...without.all()]).toEqual([]);
  });

  it("of another family than the server's are forgotten when nobody is there, whatever is known, expected or not", () => {
    const told: WitnessTold[] = [];
    const { storages } = newStorages(() => (one) => {
      told.push(one);
      return IDLE;
    });
    storages.expect(["1"], "old", "main");
    const one = storages.get("1", "old");
    told[0]?.up(asTid(NO_TID + 5n));
    const number = one.join(member);
    told[0]?.unable("family");
    expect([...storages.all()]).toEqual([one]);
    one.leave(number);
    storages.forgetUnused(one);
    expect([...storages.all()]).toEqual([]);
    // Or at once.
    storages.expect(["2"], "old", "main");
    told[1]?.up(asTid(NO_TID + 5n));
    expect([...storages.all()]).toHaveLength(1);
    told[1]?.unable("family");
    expect([...storages.all()]).toEqual([]);
  });

  it("of observed sessions are kept as long as anybody observes; then each is forgotten with its witness, expected or not", () => {
    const told: WitnessTold[] = [];
    const stopped: string[] = [];
    const { clock, storages } = newStorages((name) => (one) => {
      told.push(one);
      return { ...IDLE, stop: () => void stopped.push(name) };
    });
    const [upstream, other] = [{}, {}];
    storages.observedBy(upstream, true);
    storages.observedBy(other, true);
    const { shadows } = storages;
    shadows.expect(["1", "2"], "old", "main");
    storages.expect(["1"], "old", "main");
    const [one, two] = [shadows.get("1", "old"), shadows.get("2", "old")];
    for (const witness of told) witness.up(asTid(NO_TID + 5n));
    const number = one.join(member);
    storages.observedBy(upstream, false);
    expect([...storages.allShadows()]).toEqual([one, two]);
    storages.observedBy(other, false);
    // Who is still observed turns later.
    expect([...storages.allShadows()]).toEqual([one]);
    expect(stopped).toEqual(["2"]);
    one.leave(number);
    shadows.forgetUnused(one);
    expect([...storages.allShadows()]).toEqual([]);
    expect(stopped).toEqual(["2", "1"]);
    // Those of repaired sessions are another matter.
    expect([...storages.all()]).toHaveLength(1);
    storages.stop();
    expect(clock.pending).toEqual([]);
  });

  it("have no timer when they are forgotten", () => {
    const { clock, storages } = newStorages();
    const one = storages.get("1", "old");
    const number = one.join(member);
    one.ledger.registerForwarded(number);
    const envelope = { id: 1, flags: 0, method: ".reply", argsAt: 0 };
    const read = { payload: { frame: Buffer.alloc(0), envelope, tid: NO_TID, role: undefined, since: 0 }, bytes: 0 };
    one.ledger.registerReply(number, undefined, read);
    const finish = one.ledger.finishForwarded(number, 7);
    one.run(number);
    expect(clock.pending).toHaveLength(1);
    one.ledger.finishReply(number, finish, undefined, 0, { ...read, order: 0 });
    one.ledger.clientGone(number);
    one.run(number);
    one.leave(number);
    storages.forgetUnused(one);
    expect([...storages.all()]).toEqual([]);
    expect(clock.pending).toEqual([]);
  });

  it("are kept while something is known that a client may come back for", () => {
    const { storages } = newStorages();
    const one = storages.get("1", "new");
    const number = one.join(member);
    one.ledger.registerForwarded(number);
    const envelope = { id: 1, flags: 0, method: ".reply", argsAt: 0 };
    const payload = { frame: Buffer.alloc(0), envelope, tid: NO_TID, role: undefined, since: 0 };
    one.ledger.registerReply(number, asTid(NO_TID + 5n), { payload, bytes: 0 });
    one.ledger.clientGone(number);
    one.run(number);
    one.leave(number);
    storages.forgetUnused(one);
    expect(storages.get("1", "new")).toBe(one);
  });
});
