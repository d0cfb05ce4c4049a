import { describe, expect, it } from "vitest";
import { frameOf } from "../proxy/peer.ts";
import { bytes8, passes, registered, scripted, type Pair } from "../proxy/world.ts";
import { until } from "./limited.ts";

// A server that hangs reads nothing and closes nothing. Whoever leaves it is let go all the same, with its server's connection:
// nobody can tell a client that has closed its half from one that has closed all.

/** It has registered, and its server's connection hangs. */
async function hung(gateway: Awaited<ReturnType<typeof scripted>>): Promise<Pair> {
  const pair = await registered(gateway);
  pair.server.socket.pause();
  return pair;
}

describe("a client that leaves a server that hangs", () => {
  it("is let go, and its server's connection with it", async () => {
    const gateway = await scripted();
    const left = [await hung(gateway), await hung(gateway), await hung(gateway)];
    const stays = await hung(gateway);
    const [half, whole, asks] = left;
    half?.client.socket.end();
    whole?.client.socket.destroySoon();
    asks?.client.call(2, "loadBefore", bytes8(1n), bytes8(2n));
    asks?.client.socket.end();
    await until(() => gateway.proxy.stats().upstreams[0]?.clients === 1, "the count is back");
    for (const { client, server } of left) {
      await client.end();
      server.socket.resume();
      await server.end();
      // Closed on both sides: what the server writes now is answered by a reset.
      await until(() => {
        server.socket.write("x");
        return server.socket.destroyed;
      }, "its server's connection is closed");
    }
    // Who has not left waits on.
    stays.server.socket.resume();
    await passes(stays.client, stays.server, stays.client.encode(2, 0, "ping"));
    expect(gateway.ended).toEqual([]);
    expect(gateway.told("the server is down: not listening")).toEqual([]);
  });

  it("with a tpc_finish on its way: the reply is still read, and others are told", async () => {
    const gateway = await scripted();
    const [one, other] = [await hung(gateway), await registered(gateway)];
    one.client.tell("tpc_begin", 7, "", "", new Map(), null, " ");
    one.client.tell("storea", bytes8(1n), bytes8(0n), Buffer.from("x"), 7);
    one.client.call(3, "tpc_finish", 7);
    one.client.socket.end();
    await until(() => one.client.ended, "it is let go");
    expect(gateway.proxy.stats().upstreams[0]?.clients).toBe(2);
    one.server.socket.resume();
    for (const method of ["tpc_begin", "storea", "tpc_finish"]) await one.server.expect(method);
    one.server.reply(3, bytes8(2000n));
    other.server.tell("invalidateTransaction", bytes8(2000n), []);
    const { payload, envelope } = await other.client.expect("invalidateTransaction");
    expect(other.client.codec.invalidation(payload, envelope).oids).toEqual(bytes8(1n));
    await until(() => gateway.proxy.stats().upstreams[0]?.clients === 1, "the count is back");
    expect(gateway.ended).toEqual([]);
  });
});

describe.runIf(process.platform === "linux")("a client that a hung server has left unread", () => {
  /** Its server takes no more, and it is read no more. */
  async function stuck(gateway: Awaited<ReturnType<typeof scripted>>): Promise<Pair> {
    const pair = await hung(gateway);
    const chunk = frameOf(pair.client.encode(0, 1, "storeBlobChunk", Buffer.alloc(1024 * 1024)));
    // What goes out no more waits in the client's own process, and so in its socket.
    while (pair.client.socket.writableLength < chunk.length * 2) {
      pair.client.socket.write(chunk);
      await new Promise((resolve) => setImmediate(resolve));
    }
    return pair;
  }

  it("is let go when it leaves, and who stays is not", async () => {
    const gateway = await scripted();
    const [leaves, stays] = [await stuck(gateway), await stuck(gateway)];
    leaves.client.socket.resetAndDestroy();
    await until(() => gateway.proxy.stats().upstreams[0]?.clients === 1, "the count is back");
    expect(gateway.ended).toEqual([]);
    // All that it has said arrives as soon as its server reads on.
    const { socket } = stays.client;
    stays.server.socket.resume();
    await until(() => socket.writableLength === 0, "its server takes all");
    expect(socket.destroyed).toBe(false);
    expect(gateway.proxy.stats().upstreams[0]?.clients).toBe(1);
  }, 60_000);
});
