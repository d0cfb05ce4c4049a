import { describe, expect, it } from "vitest";
import { pickleCodec } from "../../src/wire/pickle-codec.ts";
import { bytes8, passes, registered, scripted, shaken, type Gateway, type Pair } from "./world.ts";
import type { ScriptedServer } from "./peer.ts";

const CHANGED =
  "the server's last transaction is older than a known one: another database or a backup; its sessions end";
const COPIED =
  "a transaction was copied to a place before known ones: the next commit ends the storage's other sessions, to verify";

type Played = Gateway & { readonly server: ScriptedServer };

async function asks(pair: Pair, id: number, tid: bigint): Promise<void> {
  pair.client.call(id, "lastTransaction");
  await pair.server.expect("lastTransaction");
  pair.server.reply(id, bytes8(tid));
}

async function newcomer(gateway: Played, tid: bigint): Promise<Pair> {
  const pair = await shaken(gateway);
  pair.client.call(1, "register", "1", false);
  await pair.server.expect("register");
  pair.server.reply(1, bytes8(tid));
  return pair;
}

async function commits(pair: Pair, id: number, tid: bigint, explicit: Buffer | null = null): Promise<void> {
  pair.client.tell("tpc_begin", id, "", "", new Map(), explicit, " ");
  pair.client.tell("storea", bytes8(5n), Buffer.alloc(8, 1), Buffer.from("x"), id);
  pair.client.call(id, "tpc_finish", id);
  for (const method of ["tpc_begin", "storea", "tpc_finish"]) await pair.server.expect(method);
  pair.server.reply(id, bytes8(tid));
  await pair.client.expect(".reply");
}

describe("another database behind the same address", () => {
  it.each(["register", "lastTransaction"])(
    "is seen by a %s reply below what was known: the ledger ends",
    async (method) => {
      const gateway = await scripted();
      const a = await registered(gateway, 1000n);
      await commits(a, 7, 2000n);
      const b = method === "register" ? await newcomer(gateway, 1500n) : a;
      if (method === "lastTransaction") await asks(a, 9, 1500n);
      await Promise.all([a.client.end(), b.client.end()]);
      expect(gateway.told(CHANGED)).toMatchObject([
        { level: "warn", upstream: "door0", storage: "1", tid: "00000000000005dc", known: "00000000000007d0" },
      ]);
      expect(gateway.proxy.stats().ended).toEqual({ "database-changed": method === "register" ? 2 : 1 });
      // From here on there is a new ledger.
      const c = await registered(gateway, 1500n);
      await commits(c, 7, 1600n);
      expect(gateway.told(CHANGED)).toHaveLength(1);
      expect(gateway.proxy.stats().storages).toMatchObject([{ known: "0000000000000640" }]);
    },
  );

  it("is not seen by an answer that was merely on its way", async () => {
    const gateway = await scripted();
    const a = await registered(gateway, 1000n);
    const b = await registered(gateway, 1000n);
    b.client.call(9, "lastTransaction");
    await b.server.expect("lastTransaction");
    await commits(a, 7, 2000n);
    b.server.reply(9, bytes8(1000n));
    await b.client.expect(".reply");
    const late = await shaken(gateway);
    late.client.call(1, "register", "1", false);
    await late.server.expect("register");
    await commits(a, 8, 3000n);
    late.server.reply(1, bytes8(2000n));
    await late.client.expect(".reply");
    expect(gateway.told(CHANGED)).toEqual([]);
    expect(gateway.ended).toEqual([]);
  });

  it("after an outage is seen by the first who comes: ended once, it connects again", async () => {
    const gateway = await scripted();
    const a = await registered(gateway, 1000n);
    await commits(a, 7, 2000n);
    a.server.socket.end();
    // The proxy looks for itself whether the server answers.
    await gateway.server.accept();
    await a.client.end();
    a.client.socket.end();
    const first = await newcomer(gateway, 500n);
    await first.client.end();
    const b = await registered(gateway, 500n);
    await commits(b, 7, 600n);
    expect(gateway.told(CHANGED)).toHaveLength(1);
    expect(gateway.proxy.stats().ended).toEqual({ "database-changed": 1 });
    await passes(b.client, b.server, b.client.encode(9, 0, "ping"));
  });
});

describe("history copied with explicit tids", () => {
  it("below what is known has one warning, and the next commit ends the storage's other sessions", async () => {
    const gateway = await scripted();
    const a = await registered(gateway, 1000n);
    const b = await registered(gateway, 1000n);
    await commits(a, 7, 2000n);
    b.server.send(pickleCodec.encodeInvalidation("pickle3", "plain", 2000n as never, bytes8(5n)));
    await b.client.expect("invalidateTransaction");
    const copier = await registered(gateway, 2000n);
    await commits(copier, 8, 1500n, bytes8(1500n));
    await commits(copier, 9, 1600n, bytes8(1600n));
    await passes(b.client, b.server, b.client.encode(9, 0, "ping"));
    copier.client.socket.end();
    await copier.server.end();
    copier.server.socket.end();
    await copier.client.end();
    await commits(a, 8, 3000n);
    await b.client.end();
    expect(gateway.told(COPIED)).toMatchObject([{ level: "warn", tid: "00000000000005dc", known: "00000000000007d0" }]);
    expect(gateway.proxy.stats().ended).toEqual({ "copied-history": 1 });
    await passes(a.client, a.server, a.client.encode(9, 0, "ping"));
  });

  it("above it is a commit like any other", async () => {
    const gateway = await scripted();
    const a = await registered(gateway, 1000n);
    const b = await registered(gateway, 1000n);
    await commits(a, 8, 1500n, bytes8(1500n));
    b.server.send(pickleCodec.encodeInvalidation("pickle3", "plain", 1500n as never, bytes8(5n)));
    await b.client.expect("invalidateTransaction");
    expect(gateway.ended).toEqual([]);
  });
});
