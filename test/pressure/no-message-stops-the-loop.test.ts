import { describe, expect, it } from "vitest";
import type { Codec, Dialect } from "../../src/wire/codec.ts";
import { MAX_CALL_BYTES } from "../../src/wire/bounds.ts";
import { bytes8, passes, registered, scripted, type Gateway, type Pair } from "../proxy/world.ts";
import { beginOf, FILLINGS, messageOf } from "../wire/hostile.ts";

// What a message costs is counted in test/wire/work.test.ts. Here: what becomes of the largest that are read, of larger
// ones, and of those that no rule needs; and whether others are served.

const MIB = 1024 * 1024;

interface Scene {
  readonly gateway: Gateway;
  readonly bad: Pair;
  readonly good: Pair;
  /** A call of the other client's goes to its server, and the reply comes back. */
  readonly roundTrip: () => Promise<void>;
}

async function scene(codec: Codec): Promise<Scene> {
  const isPickle = codec.encoding === "pickle";
  const dialect: Dialect = isPickle ? "pickle3" : "msgpack";
  const name = isPickle ? "Z5" : "M5";
  const gateway = await scripted({ codec, dialect, greeting: name });
  const bad = await registered(gateway, 1000n, name, codec, dialect);
  const good = await registered(gateway, 1000n, name, codec, dialect);
  let id = 100;
  const roundTrip = async (): Promise<void> => {
    id += 1;
    await passes(good.client, good.server, good.client.encode(id, 0, "ping"));
    await passes(good.server, good.client, codec.encode(dialect, id, 0, ".reply", null));
  };
  return { gateway, bad, good, roundTrip };
}

describe("no message stops the loop:", () => {
  it.each(FILLINGS)("a tpc_begin full of %s", { timeout: 60_000 }, async (_name, codec, grown) => {
    const { gateway, bad, roundTrip } = await scene(codec);
    // As large as one may be.
    const largest = beginOf(codec, grown(MAX_CALL_BYTES - 61_500));
    bad.client.send(largest);
    const read = bad.server.frame();
    await roundTrip();
    expect((await read).equals(largest)).toBe(true);

    // A larger one is refused by its length: nothing of it is waited for, or kept.
    const length = Buffer.alloc(4);
    length.writeUInt32BE(64 * MIB);
    bad.client.write(Buffer.concat([length, largest.subarray(0, 10_000)]));
    await roundTrip();
    await Promise.all([bad.client.end(), bad.server.end()]);
    expect(gateway.ended).toMatchObject([{ code: "message-too-long" }]);
    const [line] = gateway.lines.filter(({ msg }) => msg === "session ended");
    expect(line).toMatchObject({
      fault: "client",
      expected: `at most ${MAX_CALL_BYTES} bytes in a call that must be read whole`,
    });
    await roundTrip();
  });

  it.each(FILLINGS)(
    "a call that no rule needs, full of %s, passes unread",
    { timeout: 60_000 },
    async (_name, codec, grown) => {
      const { gateway, bad, roundTrip } = await scene(codec);
      const call = messageOf(codec, 7, 0, "undoInfo", grown(2 * MIB));
      bad.client.send(call);
      const read = bad.server.frame();
      await roundTrip();
      expect((await read).equals(call)).toBe(true);
      expect(gateway.ended).toEqual([]);
    },
  );

  it.each(FILLINGS)(
    "a reply full of %s, while a commit is on its way",
    { timeout: 60_000 },
    async (_name, codec, grown) => {
      const { gateway, bad, good } = await scene(codec);
      await passes(good.client, good.server, good.client.encode(0, 1, "tpc_begin", 1, "", "", new Map(), null, " "));
      await passes(good.client, good.server, good.client.encode(0, 1, "storea", bytes8(1n), bytes8(0n), bytes8(5n), 1));
      await passes(good.client, good.server, good.client.encode(50, 0, "tpc_finish", 1));
      await passes(bad.client, bad.server, bad.client.encode(7, 0, "undoInfo", 0, 20));
      const reply = messageOf(codec, 7, 0, ".reply", grown(2 * MIB));
      bad.server.send(reply);
      // What others are told does not wait for it; nor does it for ever: it may show anything, so it waits for the commit.
      await passes(good.client, good.server, good.client.encode(60, 0, "getTid", bytes8(1n)));
      const finished = codec.encode(good.client.dialect, 50, 0, ".reply", bytes8(2000n));
      await passes(good.server, good.client, finished);
      bad.server.send(codec.encodeInvalidation(bad.server.dialect, "plain", 2000n as never, bytes8(1n)));
      const received: Buffer[] = [await bad.client.frame(), await bad.client.frame()];
      expect(received.some((payload) => payload.equals(reply))).toBe(true);
      expect(gateway.ended).toEqual([]);
    },
  );
});
