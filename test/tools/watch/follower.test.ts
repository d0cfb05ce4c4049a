import { describe, expect, it, onTestFinished } from "vitest";
import { systemClock } from "../../../src/net/system-clock.ts";
import type { EmbeddedServer } from "../../../src/embedded/server.ts";
import { MemoryStorage } from "../../../src/embedded/memory-storage.ts";
import { TargetTransport } from "../../../src/tools/target-transport.ts";
import { Follower, type FollowerOptions } from "../../../src/tools/watch/follower.ts";
import type { Transaction } from "../../../src/tools/watch/transaction.ts";
import { NO_TID, tidHex, type Tid } from "../../../src/wire/ids.ts";
import { Heard } from "../patience.ts";
import { committing, oid, serve, targetOf } from "../serve.ts";

const NOTHING = Buffer.alloc(0);

type Telling = readonly [what: string, tid?: string, ...rest: unknown[]];

/** A follower of a server, and what it tells. */
function follow(server: EmbeddedServer, options: Partial<FollowerOptions> = {}): Heard<Telling> {
  const heard = new Heard<Telling>();
  const follower = new Follower({
    transport: new TargetTransport(targetOf(server)),
    clock: systemClock,
    storage: "1",
    pollMs: 50,
    timeoutMs: 10_000,
    told: {
      phase: () => undefined,
      up: (last, { name }) => heard.add(["up", tidHex(last), name]),
      transaction: (one) => heard.add(asTelling(one)),
      caughtUp: (last) => heard.add(["caught up", tidHex(last)]),
      down: (reason) => heard.add(["down", reason]),
      unable: (reason) => heard.add(["unable", reason]),
      unread: (reason) => heard.add(["unread", reason]),
      setBack: (last) => heard.add(["set back", tidHex(last)]),
    },
    ...options,
  });
  onTestFinished(() => follower.stop());
  return heard;
}

function asTelling({ tid, oids, source, named }: Transaction): Telling {
  return ["transaction", tidHex(tid), source, [...oids].sort(), named];
}

const transactions = (heard: Heard<Telling>): Telling[] => heard.all.filter(([what]) => what === "transaction");
const isOf =
  (tid: Tid) =>
  ([what, hex]: Telling): boolean =>
    what === "transaction" && hex === tidHex(tid);
const isWhat =
  (what: string) =>
  ([one]: Telling): boolean =>
    one === what;

describe.each(["Z4", "Z5", "M5"] as const)("a follower of an unpatched %s server", (protocol) => {
  const isOld = protocol === "Z4";
  /** What an unpatched server tells of a transaction that only created objects. */
  const onlyCreated = isOld ? ["asked", []] : ["told", []];

  it("tells of every transaction with all its objects, and of what the server has named", async () => {
    const server = await serve({ protocol });
    const commits = await committing(server);
    await commits.commit({ create: [oid(1), oid(2)] });
    const heard = follow(server);
    await heard.until(isWhat("up"));
    expect(heard.all[0]).toEqual(["up", tidHex(server.storage().lastTransaction()), isOld ? "Z4" : "Z5"]);
    const a = await commits.commit({ create: [oid(3)] });
    await heard.until(isOf(a));
    const b = await commits.commit({ modify: [oid(1)], create: [oid(4)] });
    const c = await commits.commit({ modify: [oid(1), oid(2)] });
    await heard.until(isOf(c));
    const d = await commits.commit({ delete: [oid(3)] });
    await heard.until(isOf(d));
    expect(transactions(heard)).toEqual([
      ["transaction", tidHex(a), onlyCreated[0], [oid(3)], []],
      ["transaction", tidHex(b), "told", [oid(1), oid(4)], [oid(1)]],
      ["transaction", tidHex(c), "told", [oid(1), oid(2)], [oid(1), oid(2)]],
      ["transaction", tidHex(d), onlyCreated[0], [oid(3)], []],
    ]);
  });

  it("reads what there is from a tid on, and goes on with what happens, without a gap or twice", async () => {
    const server = await serve({ protocol });
    const commits = await committing(server);
    const tids: Tid[] = [];
    for (let n = 0; n < 50; n++) tids.push(await commits.commit({ create: [oid(n)] }));
    const heard = follow(server, { since: tids[9] as Tid });
    for (let n = 50; n < 80; n++) tids.push(await commits.commit({ create: [oid(n)], modify: [oid(n - 1)] }));
    await heard.until(isOf(tids.at(-1) as Tid));
    expect(transactions(heard).map(([, tid, , oids]) => [tid, oids])).toEqual(
      tids.map((tid, n) => [tidHex(tid), n < 50 ? [oid(n)] : [oid(n - 1), oid(n)]]).slice(10),
    );
    const caughtUp = heard.all.findIndex(isWhat("caught up"));
    expect(heard.all.slice(0, caughtUp).filter(isWhat("transaction")).length).toBeGreaterThanOrEqual(40);
    expect(heard.all.filter(isWhat("caught up"))).toHaveLength(1);
  });

  it("catches up behind a restart of the server with what was committed meanwhile", async () => {
    const server = await serve({ protocol });
    const before = await committing(server);
    const heard = follow(server, { since: NO_TID });
    await heard.until(isWhat("caught up"));
    const a = await before.commit({ create: [oid(1)] });
    await heard.until(isOf(a));
    await server.close();
    await heard.until(isWhat("down"));
    const pending = server.storage().begin({ user: NOTHING, description: NOTHING, extension: new Map(), status: " " });
    pending.restore(Buffer.from(oid(7), "hex"), Buffer.from("data"));
    pending.finish(false, () => undefined);
    await server.start();
    await heard.until(isOf(pending.tid));
    const after = await committing(server);
    const c = await after.commit({ create: [oid(2)] });
    await heard.until(isOf(c));
    expect(transactions(heard).map(([, tid, source, oids]) => [tid, source, oids])).toEqual([
      [tidHex(a), onlyCreated[0], [oid(1)]],
      [tidHex(pending.tid), "read", [oid(7)]],
      [tidHex(c), onlyCreated[0], [oid(2)]],
    ]);
  });

  it("finds what nobody was told of", async () => {
    const server = await serve({ protocol, skipClient: () => true });
    const heard = follow(server);
    await heard.until(isWhat("up"));
    const commits = await committing(server);
    const tid = await commits.commit({ create: [oid(1), oid(2)] });
    expect(await heard.until(isOf(tid))).toEqual(["transaction", tidHex(tid), "asked", [oid(1), oid(2)], []]);
  });
});

describe("a follower", () => {
  it("says that nobody is there, and is there as soon as somebody is", async () => {
    const server = await serve();
    await server.close();
    const heard = follow(server);
    expect(await heard.until(isWhat("down"))).toEqual(["down", "ECONNREFUSED"]);
    await server.start();
    await heard.until(isWhat("up"));
  });

  it("says that there is no such storage", async () => {
    expect(await follow(await serve(), { storage: "2" }).until(isWhat("unable"))).toEqual(["unable", "no-storage"]);
  });

  it("tells of what is committed while it reads", async () => {
    const server = await serve();
    const commits = await committing(server);
    const tids = [await commits.commit({ create: [oid(1)] })];
    const reading = server.gate.outgoing(({ method }) => method === "iterator_start");
    const heard = follow(server, { since: NO_TID });
    await reading.caught();
    // It is told of these before the answer: on one connection, in order.
    tids.push(await commits.commit({ modify: [oid(1)] }), await commits.commit({ modify: [oid(1)] }));
    reading.open();
    await heard.until(isOf(tids.at(-1) as Tid));
    expect(transactions(heard).map(([, tid]) => tid)).toEqual(tids.map(tidHex));
  });

  it.each([
    ["the last one on", {}],
    ["the first one on", { since: NO_TID }],
  ])("that follows from %s goes on from an older last transaction: another database, or a backup", async (_, from) => {
    const server = await serve();
    const other = await serve({ storages: { "1": server.storage() } });
    const commits = await committing(server);
    await commits.commit({ create: [oid(1)] });
    // Another one that is older, at the same address later on.
    const older = await serve({ storages: { "1": new MemoryStorage({ now: () => Date.now() - 60_000 }) } });
    const old = await (await committing(older)).commit({ create: [oid(9)] });
    let target = targetOf(other);
    const transport = {
      dial: (...args: Parameters<TargetTransport["dial"]>) => new TargetTransport(target).dial(...args),
      listen: () => () => undefined,
      shortage: () => undefined,
    };
    const heard = follow(other, { transport, ...from });
    await heard.until(isWhat("up"));
    const newest = await commits.commit({ create: [oid(2)] });
    await heard.until(isOf(newest));
    target = targetOf(older);
    await other.close();
    expect(await heard.until(isWhat("set back"))).toEqual(["set back", tidHex(old)]);
    const next = await (await committing(older)).commit({ create: [oid(10)] });
    await heard.until(isOf(next));
  });
});
