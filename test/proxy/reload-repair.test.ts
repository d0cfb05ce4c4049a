import { describe, expect, it } from "vitest";
import { ClientCommit } from "../../src/embedded/client-commit.ts";
import { tidHex } from "../../src/wire/ids.ts";
import { client, door, started, type Scene } from "./reloaded.ts";
import { embeddedServer, oid, telling, tellings } from "./world.ts";

// `repair` by a reload: who is connected stays, and is told whole, or as the server tells it, from a moment of his own on.

async function observed(scene: Scene, number: number): Promise<void> {
  await scene.gateway.until(() => scene.proxy.stats().upstreams[0]?.observed === number, `${number} are observed`);
}

describe.each(["Z4", "Z5", "M5"] as const)("before an unpatched %s server", (protocol) => {
  it("clients turn while commits go on: nobody is disconnected, and all is told whole behind the turn", async () => {
    const server = await embeddedServer({ protocol });
    const main = await door("main", server.port, { repair: "observe" });
    const scene = await started([main]);
    const [writer, watcher, busy] = [await client(main.port), await client(main.port), await client(main.port)];
    let made = 0;
    let isOver = false;
    const goesOn = (async () => {
      const commit = new ClientCommit(busy);
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      while (!isOver) await commit.commit({ create: [oid(1_000 + made++)] });
    })();
    const commit = new ClientCommit(writer);
    await commit.commit({ create: [oid(1)] });
    for (const [n, repair] of [
      [2, "on"],
      [3, "observe"],
      [4, "on"],
    ] as const) {
      // oxlint-disable no-await-in-loop -- one after the other
      expect(await scene.reload([{ ...main, repair }])).toMatchObject({ reopened: [], needRestart: [] });
      await observed(scene, repair === "on" ? 0 : 3);
      const committed = await commit.commit({ create: [oid(n)], modify: [oid(1)] });
      await watcher.invalidation(await commit.commit({ modify: [oid(1)] }));
      const told = tellings(watcher).filter(({ tid }) => tid === tidHex(committed));
      expect(told).toEqual([repair === "on" ? telling(committed, 1, n) : telling(committed, 1)]);
      // oxlint-enable no-await-in-loop
    }
    const before = made;
    await scene.gateway.until(() => made > before + 20, "commits go on");
    isOver = true;
    await goesOn;
    const last = await commit.commit({ create: [oid(5)] });
    await watcher.invalidation(last);
    expect(tellings(watcher).at(-1)).toEqual(telling(last, 5));
    const { accepted, clients } = scene.proxy.stats().upstreams[0] ?? {};
    expect({ accepted, clients, ended: scene.gateway.ended }).toEqual({ accepted: 3, clients: 3, ended: [] });
  });
});

it("an upstream that is opened anew has the new one from its first client on", async () => {
  const server = await embeddedServer();
  const main = await door("main", server.port, { witness: "on" });
  const scene = await started([main]);
  const before = await client(main.port);
  const first = await new ClientCommit(before).commit({ create: [oid(1)] });
  const moved = await door("main", server.port, { witness: "on", repair: "observe" });
  expect(await scene.reload([moved])).toMatchObject({ reopened: ["main"] });
  await before.whenClosed();
  const [writer, watcher] = [await client(moved.port), await client(moved.port)];
  const commit = new ClientCommit(writer);
  const created = await commit.commit({ create: [oid(2)] });
  await watcher.invalidation(created);
  expect(tellings(watcher)).toEqual([telling(created)]);
  expect(scene.proxy.stats().upstreams).toMatchObject([{ repair: "observe", observed: 2 }]);
  await scene.reload([{ ...moved, repair: "on" }]);
  await observed(scene, 0);
  const whole = await commit.commit({ create: [oid(3)] });
  await watcher.invalidation(whole);
  expect(tellings(watcher).at(-1)).toEqual(telling(whole, 3));
  expect(first).toBeLessThan(created);
});

it("of two upstreams of one server each has its own", async () => {
  const server = await embeddedServer();
  const [one, two] = [await door("one", server.port), await door("two", server.port)];
  const scene = await started([one, two]);
  const [writer, seen, whole] = [await client(one.port), await client(one.port), await client(two.port)];
  await scene.reload([{ ...one, repair: "observe" }, two]);
  await observed(scene, 2);
  const created = await new ClientCommit(writer).commit({ create: [oid(1)] });
  for (const told of [seen, whole]) await told.invalidation(created);
  expect(tellings(seen)).toEqual([telling(created)]);
  // Who observes does not report what it commits to those who are repaired: a witness would.
  expect(scene.proxy.stats().upstreams.map(({ repair }) => repair)).toEqual(["observe", "on"]);
  // The one that is observed is closed: the other one inherits, and is repaired as before.
  expect(await scene.reload([two])).toMatchObject({ closed: ["one"] });
  const next = await new ClientCommit(await client(two.port)).commit({ create: [oid(2)] });
  await whole.invalidation(next);
  expect(tellings(whole).at(-1)).toEqual(telling(next, 2));
});
