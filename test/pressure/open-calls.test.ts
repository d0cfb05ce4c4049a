import { expect, it } from "vitest";
import { codecFor } from "../../src/wire/codecs.ts";
import { PyTuple } from "../../src/wire/value.ts";
import { frameOf, type Peer } from "../proxy/peer.ts";
import { bytes8, registered, scripted } from "../proxy/world.ts";

/** A `prefetch` of a large list. */
const CALLS = 200_000;
const AT_ONCE = 10_000;

/** Reads so many bytes, in parts, and compares them with what was written. */
async function reads(peer: Peer, written: readonly Buffer[]): Promise<void> {
  for (const bytes of written) expect((await peer.take(bytes.length)).equals(bytes)).toBe(true);
}

/** Frames of `CALLS` messages, as they are written together. */
function inParts(message: (n: number) => Buffer): Buffer[] {
  const parts: Buffer[] = [];
  for (let at = 0; at < CALLS; at += AT_ONCE) {
    parts.push(Buffer.concat(Array.from({ length: AT_ONCE }, (_, n) => frameOf(message(at + n)))));
  }
  return parts;
}

it.each([
  ["Z5", "pickle3", "by oid and tid"],
  ["M5", "msgpack", "by oid and tid"],
  ["Z4", "pickle3-zeo4", "by number"],
] as const)(
  "200,000 calls in flight to a %s server are all answered (%s, %s)",
  async (greeting, dialect, numbered) => {
    const codec = codecFor(greeting === "M5" ? "msgpack" : "pickle");
    const gateway = await scripted({ greeting, codec, dialect });
    const { client, server } = await registered(gateway, greeting === "Z4" ? null : 1000n, greeting, codec, dialect);
    const id = (n: number) =>
      numbered === "by number" ? n + 2 : new PyTuple([bytes8(BigInt(n)), Buffer.alloc(8, 0x7f)]);
    const load = (n: number): Buffer => client.encode(id(n), 0, "loadBefore", bytes8(BigInt(n)), Buffer.alloc(8, 0x7f));
    const calls = inParts(load);
    for (const part of calls) client.write(part);
    await reads(server, calls);
    // None of them is answered yet.
    const found = new PyTuple([Buffer.from("data"), bytes8(5n), null]);
    const replies = inParts((n) => codec.encode(dialect, id(n), 0, ".reply", found));
    for (const part of replies) server.write(part);
    await reads(client, replies);
    expect(gateway.ended).toEqual([]);
    // They are forgotten, and their ids free.
    client.call(id(0), "lastTransaction");
    await server.expect("lastTransaction");
    expect(client.socket.readableEnded).toBe(false);
  },
  60_000,
);
