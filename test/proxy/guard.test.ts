import { describe, expect, it, vi } from "vitest";
import { ClientCommit } from "../../src/embedded/client-commit.ts";
import { Storage } from "../../src/storage/storage.ts";
import { tidHex, type Tid } from "../../src/wire/ids.ts";
import { bytes8, oid, passes, registered, scripted, shaken, telling, tellings, world } from "./world.ts";

/** A session whose storage places something wrongly: what our own bug would look like. */
describe("an injected wrong placement", () => {
  const announcement = (n: bigint) => ({ tid: n as Tid, oids: bytes8(1n) });

  async function injected(wrong: (tell: (n: bigint) => void) => void, code: string): Promise<void> {
    const join = vi.spyOn(Storage.prototype, "join");
    try {
      const gateway = await scripted({}, { guard: 1 });
      const bad = await registered(gateway);
      const good = await registered(gateway);
      const member = join.mock.calls[0]?.[0];
      wrong((n) => {
        const action = { do: "announce", session: 1, repair: "completed", payload: undefined } as const;
        member?.carryOut({ ...action, announcement: announcement(n) });
      });
      await Promise.all([bad.client.end(), bad.server.end()]);
      expect(gateway.proxy.stats()).toMatchObject({ guard: 1, ended: { [code]: 1 } });
      expect(gateway.lines.filter((line) => line["code"] === code)).toMatchObject([{ level: "error", fault: "proxy" }]);
      await passes(good.client, good.server, good.client.encode(9, 0, "ping"));
    } finally {
      join.mockRestore();
    }
  }

  it("that does not grow ends the session, and nothing of it is written", () =>
    injected((tell) => {
      tell(2000n);
      tell(2000n);
    }, "guard-not-growing"));

  it("of a lower tid, too", () =>
    injected((tell) => {
      tell(2000n);
      tell(1999n);
      tell(3000n);
    }, "guard-not-growing"));
});

describe("what servers do is dealt with before the guard", () => {
  it("an invalidation between register and its reply waits for the reply", async () => {
    for (const name of ["Z4", "Z5"]) {
      const gateway = await scripted({ greeting: name });
      const { client, server } = await shaken(gateway, name);
      client.call(1, "register", "1", false);
      await server.expect("register");
      server.tell("invalidateTransaction", bytes8(1001n), [bytes8(5n)]);
      server.reply(1, name === "Z4" ? null : bytes8(1000n));
      await client.expect(".reply");
      await client.expect("invalidateTransaction");
      expect(gateway.ended).toEqual([]);
    }
  });

  it("a repeated invalidation that names nothing new is swallowed", async () => {
    const gateway = await scripted();
    const { client, server } = await registered(gateway);
    const other = await registered(gateway);
    other.client.tell("tpc_begin", 7, "", "", new Map(), null, " ");
    other.client.tell("storea", bytes8(5n), Buffer.alloc(8, 1), Buffer.from("x"), 7);
    other.client.call(3, "tpc_finish", 7);
    for (const method of ["tpc_begin", "storea", "tpc_finish"]) await other.server.expect(method);
    other.server.reply(3, bytes8(1001n));
    await other.client.expect(".reply");
    for (let n = 0; n < 2; n++) server.tell("invalidateTransaction", bytes8(1001n), [bytes8(5n)]);
    server.tell("info", new Map());
    await client.expect("invalidateTransaction");
    await client.expect("info");
    expect(gateway.ended).toEqual([]);
  });

  it("a lower foreign tid is told under the higher one", async () => {
    const gateway = await scripted();
    const { client, server } = await registered(gateway);
    client.call(1, "get_info");
    await server.expect("get_info");
    server.reply(1, new Map());
    await client.expect(".reply");
    server.tell("invalidateTransaction", bytes8(1002n), [bytes8(5n)]);
    server.tell("invalidateTransaction", bytes8(1001n), [bytes8(6n)]);
    for (const changed of [5n, 6n]) {
      const { payload, envelope } = await client.expect("invalidateTransaction");
      expect(client.codec.invalidation(payload, envelope)).toEqual({ tid: 1002n, oids: bytes8(changed) });
    }
    expect(gateway.proxy.stats()).toMatchObject({ late: 1, guard: 0, ended: {} });
  });

  it.each(["Z4", "Z5", "M5"] as const)(
    "a fan-out server that tells a %s committer of its own commit",
    async (protocol) => {
      const gateway = await world({ protocol });
      const writer = await gateway.connect();
      const commit = new ClientCommit(writer);
      const watcher = await gateway.connect();
      const first = await commit.commit({ create: [oid(1)] });
      const own = gateway.server.connections.find(
        ({ connection }) => connection === writerConnection(gateway.server.connections),
      );
      const second = await commit.commit({ modify: [oid(1)] });
      own?.tellInvalidation(second, [Buffer.from(oid(1), "hex")]);
      // And one before its reply is read.
      const hold = gateway.server.gate.outgoing(({ method }) => method === "tpc_finish");
      const finishing = commit.commit({ modify: [oid(1)] });
      await hold.caught();
      const message = hold.messages[0];
      if (message?.tid !== undefined) own?.tellInvalidation(message.tid, [Buffer.from(oid(1), "hex")]);
      hold.open();
      const third = await finishing;
      expect(await writer.lastTransaction()).toBe(third);
      await watcher.invalidation(third);
      expect(writer.invalidations.map(({ tid: told }) => tidHex(told))).toEqual([]);
      expect(tellings(watcher)).toEqual([telling(first, 1), telling(second, 1), telling(third, 1)]);
      expect(gateway.ended).toEqual([]);
    },
  );
});

/** The writer connected first, behind the proxy's own look at the server. */
function writerConnection(connections: readonly { readonly connection: number }[]): number {
  return Math.min(...connections.map(({ connection }) => connection));
}
