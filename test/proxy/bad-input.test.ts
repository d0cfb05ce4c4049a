import { describe, expect, it } from "vitest";
import type { Codec, Dialect } from "../../src/wire/codec.ts";
import { msgpackCodec } from "../../src/wire/msgpack-codec.ts";
import { pickleCodec } from "../../src/wire/pickle-codec.ts";
import { bytes8, passes, registered, scripted, shaken, type Gateway, type Pair } from "./world.ts";

const MIB = 1024 * 1024;

interface Wrong {
  readonly what: string;
  /** Bytes with their length, or what is behind them. */
  readonly bytes: (pair: Pair) => Buffer;
  readonly code: string;
  readonly from?: "client" | "server";
  readonly msgpack?: true;
}

const length = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};

const framed = (payload: Buffer): Buffer => Buffer.concat([length(payload.length), payload]);

/** `tpc_begin`'s beginning, with these bytes as its arguments. */
const begin = (args: Buffer): Buffer =>
  framed(Buffer.concat([Buffer.from("\x80\x03(K\0K\x01X\x09\0\0\0tpc_begin", "latin1"), args, Buffer.from("t.")]));

const WRONG: readonly Wrong[] = [
  { what: "a frame above the limit", code: "frame-too-long", bytes: () => length(65 * MIB) },
  { what: "an unsigned length", code: "frame-too-long", bytes: () => length(0xfffffff0) },
  { what: "an empty frame", code: "bad-message", bytes: () => length(0) },
  { what: "no pickle", code: "bad-pickle", bytes: () => framed(Buffer.alloc(100, 0xff)) },
  { what: "HTTP in the middle", code: "frame-too-long", bytes: () => Buffer.from("GET / HTTP/1.1\r\n\r\n") },
  {
    what: "a pickle nested deep",
    code: "bad-pickle",
    bytes: () => begin(Buffer.concat([Buffer.alloc(100_000, "("), Buffer.alloc(100_000, "t")])),
  },
  {
    what: "a pickled length beyond the frame",
    code: "bad-pickle",
    bytes: () => begin(Buffer.from("(U\xffabct", "latin1")),
  },
  {
    what: "a pickled length of 2 GiB",
    code: "bad-pickle",
    bytes: () => begin(Buffer.from("(T\xff\xff\xff\x7fabct", "latin1")),
  },
  {
    what: "a pickle that refers to nothing",
    code: "bad-pickle",
    bytes: () => begin(Buffer.from("(h\x05h\x06h\x07NNt", "latin1")),
  },
  {
    what: "an invalidation that is none",
    code: "bad-pickle",
    from: "server",
    bytes: ({ server }) => framed(server.encode(0, 1, "invalidateTransaction", 5, 6)),
  },
  { what: "no pickle at all", code: "bad-pickle", from: "server", bytes: () => framed(Buffer.alloc(100, 0xff)) },
  { what: "a frame above the limit", code: "frame-too-long", from: "server", bytes: () => length(65 * MIB) },
  {
    what: "a tpc_finish without an answer",
    code: "one-way-call",
    bytes: ({ client }) => framed(client.encode(0, 1, "tpc_finish", 1)),
  },
  {
    what: "one id for two calls",
    code: "id-in-use",
    bytes: ({ client }) =>
      Buffer.concat([
        framed(client.encode(9, 0, "lastTransaction")),
        framed(client.encode(9, 0, "getTid", bytes8(1n))),
      ]),
  },
  { what: "no msgpack", code: "bad-msgpack", msgpack: true, bytes: () => framed(Buffer.alloc(100, 0xc1)) },
  {
    what: "msgpack nested 400,000 deep",
    code: "bad-msgpack",
    msgpack: true,
    bytes: ({ client }) => {
      const whole = client.encode(0, 1, "tpc_begin", 1);
      return framed(
        Buffer.concat([whole.subarray(0, -2), Buffer.from([0x96]), Buffer.alloc(400_000, 0x91), Buffer.from([0xc0])]),
      );
    },
  },
  {
    what: "msgpack with a huge count",
    code: "bad-msgpack",
    msgpack: true,
    bytes: ({ client }) =>
      framed(Buffer.concat([client.encode(0, 1, "tpc_begin", 1).subarray(0, -2), Buffer.from("ddffffffff", "hex")])),
  },
  {
    what: "an invalidation nested a million deep",
    code: "bad-msgpack",
    msgpack: true,
    from: "server",
    bytes: ({ server }) =>
      framed(
        Buffer.concat([
          server.encode(0, 1, "invalidateTransaction", 1).subarray(0, -2),
          Buffer.alloc(1_000_000, 0x91),
          Buffer.from([0xc0]),
        ]),
      ),
  },
];

const LIMITS = { limits: { frame: "64MiB" } };

describe("a session ends, and no other, by", () => {
  it.each(WRONG)("$what ($code)", async ({ code, bytes, from = "client", msgpack }) => {
    const coding: [Codec, Dialect] = msgpack ? [msgpackCodec, "msgpack"] : [pickleCodec, "pickle3"];
    const gateway = await scripted({ codec: coding[0], dialect: coding[1], greeting: msgpack ? "M5" : "Z5" }, LIMITS);
    const bad = await registered(gateway, 1000n, msgpack ? "M5" : "Z5", ...coding);
    const good = await registered(gateway, 1000n, msgpack ? "M5" : "Z5", ...coding);
    await passes(bad.client, bad.server, bad.client.encode(8, 0, "ping"));
    const offset = bad[from].socket.bytesWritten;
    bad[from].write(bytes(bad));
    await Promise.all([bad.client.end(), bad.server.end()]);
    const errors = endLines(gateway);
    expect(errors).toHaveLength(1);
    expect(errors[0]).toMatchObject({ level: "error", code, fault: from, upstream: "door0" });
    expect(errors[0]?.["client"]).toMatch(/^127\.0\.0\.1:\d+$/);
    expect(errors[0]?.["expected"]).toBeTypeOf("string");
    expect(errors[0]?.["offset"]).toBeGreaterThanOrEqual(offset);
    expect(errors[0]?.["offset"]).toBeLessThanOrEqual(bad[from].socket.bytesWritten);
    expect(gateway.proxy.stats().ended).toEqual({ [code]: 1 });
    expect(gateway.ended).toMatchObject([{ upstream: "door0", code }]);
    await passes(good.client, good.server, good.client.encode(8, 0, "ping"));
    await passes(good.server, good.client, good.server.codec.encode(coding[1], 8, 0, ".reply", null));
    bad.server.socket.end();
    await gateway.until(() => gateway.proxy.stats().upstreams[0]?.clients === 1, "both sockets are closed");
  });

  it.each(["client", "server"] as const)("a stream of the %s's that ends inside a frame", async (from) => {
    const gateway = await scripted();
    const bad = await registered(gateway);
    const good = await registered(gateway);
    bad[from].write(Buffer.concat([length(1000), bad.client.encode(8, 0, from === "client" ? "ping" : ".reply")]));
    bad[from].socket.end();
    await bad.client.end();
    await bad.server.end();
    expect(endLines(gateway)).toMatchObject([{ level: "error", code: "truncated-frame", fault: from }]);
    expect(endLines(gateway)[0]?.["offset"]).toBe(bad[from].socket.bytesWritten);
    expect(gateway.proxy.stats().ended).toEqual({ "truncated-frame": 1 });
    await passes(good.client, good.server, good.client.encode(8, 0, "ping"));
  });

  it.each(["client", "server"] as const)("more than 64 KiB of the %s's before register", async (from) => {
    const gateway = await scripted();
    const { client, server } = await shaken(gateway);
    const side = from === "client" ? client : server;
    side.write(length(64 * 1024 + 1));
    await Promise.all([client.end(), server.end()]);
    expect(endLines(gateway)).toMatchObject([{ code: "frame-too-long", fault: from }]);
  });

  it("a message above `decode` that must be read", async () => {
    const gateway = await scripted({}, LIMITS);
    const { client, server } = await registered(gateway);
    client.write(
      Buffer.concat([length(9 * MIB), client.encode(0, 1, "tpc_begin", 1).subarray(0, -1), Buffer.alloc(MIB)]),
    );
    await Promise.all([client.end(), server.end()]);
    expect(endLines(gateway)).toMatchObject([{ code: "message-too-long", fault: "client" }]);
  });

  it("an invalidation before anyone registered, which is the server's fault", async () => {
    const gateway = await scripted();
    const { client, server } = await shaken(gateway);
    server.tell("invalidateTransaction", bytes8(5n), [bytes8(1n)]);
    await Promise.all([client.end(), server.end()]);
    expect(endLines(gateway)).toMatchObject([{ code: "invalidation-before-register", fault: "server" }]);
  });
});

describe("what need not be read", () => {
  it("is relayed, whatever is in it", async () => {
    const gateway = await scripted();
    const { client, server } = await registered(gateway);
    const nonsense = Buffer.concat([client.encode(8, 0, "someNewMethod").subarray(0, -3), Buffer.alloc(5000, 0xff)]);
    await passes(client, server, nonsense);
    await passes(
      server,
      client,
      Buffer.concat([server.codec.encode("pickle3", 8, 0, ".reply", null).subarray(0, -3), Buffer.alloc(5000, 0xff)]),
    );
    await passes(server, client, server.encode(0, 1, "someNews", "x"));
    expect(gateway.ended).toEqual([]);
  });

  it("is relayed whatever its size, while nothing is held", async () => {
    const gateway = await scripted({}, { limits: { frame: "64MiB" } });
    const { client, server } = await registered(gateway);
    await passes(client, server, client.encode(8, 0, "storeBlobChunk", Buffer.alloc(MIB, 1)));
    await passes(server, client, server.codec.encode("pickle3", 8, 0, ".reply", Buffer.alloc(MIB, 2)));
    await passes(server, client, server.encode(0, 1, "receiveBlobChunk", Buffer.alloc(MIB, 3)));
    expect(gateway.ended).toEqual([]);
  });
});

function endLines(gateway: Gateway) {
  return gateway.lines.filter(({ level, msg }) => level === "error" && msg === "session ended");
}
