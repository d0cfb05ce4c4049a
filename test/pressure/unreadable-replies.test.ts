import { describe, expect, it } from "vitest";
import { codecFor } from "../../src/wire/codecs.ts";
import { bytes8, passes, registered, scripted, type Pair } from "../proxy/world.ts";
import { messageOf, unreadable } from "../wire/hostile.ts";
import { filling, latin } from "../wire/raw.ts";

// What no rule needs never ends a session: a server's message that can't be read passes byte for byte, also where somebody's
// commit is on its way, and its client is told of that commit.

const OID = bytes8(1n);
const MIB = 1024 * 1024;

/** Values that can't be read, and some that are large besides. */
const LARGE = {
  pickle: {
    "an integer of a megabyte": Buffer.concat([latin("\x8b\x00\x00\x10\x00"), Buffer.alloc(MIB, 0x7f)]),
    "a list nested 100,000 deep": Buffer.concat([filling(100_000, "]"), filling(99_999, "a")]),
  },
  msgpack: {
    "an extension of a megabyte": Buffer.concat([latin("\xc9\x00\x10\x00\x00\x05"), Buffer.alloc(MIB, 0x7f)]),
    "an array nested 100,000 deep": Buffer.concat([filling(100_000, "\x91"), latin("\xc0")]),
    "a map that is cut off": latin("\x83\xa1a\x01\xa1b"),
  },
} as const;

/** Calls with their arguments: of some a rule would like to see the reply, of others nobody knows what it is. */
const CALLS = {
  undoInfo: [0, 20],
  history: [OID, 20],
  loadBefore: [OID, bytes8(5n)],
  getExtensionMethods: [],
  frobnicate: [OID],
} as const;

describe.each([
  ["Z4", "pickle3-zeo4"],
  ["Z5", "pickle3"],
  ["M5", "msgpack"],
] as const)("what a %s server says that nobody can read (%s)", (name, dialect) => {
  const codec = codecFor(dialect === "msgpack" ? "msgpack" : "pickle");
  const values: Readonly<Record<string, Buffer>> = { ...unreadable(codec), ...LARGE[codec.encoding] };

  const scene = async (): Promise<{ reader: Pair; writer: Pair; commit: () => Promise<void>; ended: unknown[] }> => {
    const gateway = await scripted({ codec, dialect, greeting: name });
    const join = () => registered(gateway, name === "Z4" ? null : 1000n, name, codec, dialect);
    const [reader, writer] = [await join(), await join()];
    const { client, server } = writer;
    let transaction = 0;
    /** Somebody else's commit, of which the reader's server tells the reader. */
    const commit = async (): Promise<void> => {
      transaction += 1;
      const tid = bytes8(BigInt(2000 + transaction));
      await passes(client, server, client.encode(0, 1, "tpc_begin", transaction, "", "", new Map(), null, " "));
      await passes(client, server, client.encode(0, 1, "storea", OID, bytes8(0n), bytes8(5n), transaction));
      await passes(client, server, client.encode(1000 + transaction, 0, "tpc_finish", transaction));
      reader.server.tell("invalidateTransaction", tid, [OID]);
      await passes(server, client, codec.encode(dialect, 1000 + transaction, 0, ".reply", tid));
      expect((await reader.client.expect("invalidateTransaction")).payload.includes(tid)).toBe(true);
    };
    return { reader, writer, commit, ended: gateway.ended };
  };

  it.each(Object.entries(values))("%s, as a reply or a message, passes", { timeout: 60_000 }, async (_what, value) => {
    const { reader, commit, ended } = await scene();
    let id = 10;
    for (const [method, args] of Object.entries(CALLS)) {
      id += 1;
      await passes(reader.client, reader.server, reader.client.encode(id, 0, method, ...args));
      await passes(reader.server, reader.client, messageOf(codec, id, 0, ".reply", value));
    }
    for (const method of ["info", "frobnicate"]) {
      await passes(reader.server, reader.client, messageOf(codec, 0, 1, method, value));
    }
    await commit();
    expect(ended).toEqual([]);
  });

  it.each(Object.entries(values))(
    "%s, while a commit is on its way, passes when that is told",
    { timeout: 60_000 },
    async (_what, value) => {
      const { reader, writer, commit, ended } = await scene();
      const { client, server } = writer;
      await passes(client, server, client.encode(0, 1, "tpc_begin", 77, "", "", new Map(), null, " "));
      await passes(client, server, client.encode(0, 1, "storea", OID, bytes8(0n), bytes8(5n), 77));
      await passes(client, server, client.encode(50, 0, "tpc_finish", 77));
      const replies: Buffer[] = [];
      for (const [method, args] of Object.entries(CALLS)) {
        const id = 10 + replies.length;
        await passes(reader.client, reader.server, reader.client.encode(id, 0, method, ...args));
        replies.push(messageOf(codec, id, 0, ".reply", value));
      }
      // What stands behind it on the server's connection may show anything: it goes out behind the commit, or before it.
      for (const reply of replies) reader.server.send(reply);
      reader.server.tell("invalidateTransaction", bytes8(2000n), [OID]);
      await passes(server, client, codec.encode(dialect, 50, 0, ".reply", bytes8(2000n)));
      const received: Buffer[] = [];
      while (received.length <= replies.length) received.push(await reader.client.frame());
      for (const reply of replies) expect(received.some((payload) => payload.equals(reply))).toBe(true);
      expect(received.filter((payload) => payload.includes(bytes8(2000n)))).toHaveLength(1);
      await commit();
      expect(ended).toEqual([]);
    },
  );
});
