import { describe, expect, it } from "vitest";
import { Handshake, type HandshakeStep } from "../../src/session/handshake.ts";
import { frameOf } from "../proxy/peer.ts";
import { bytes8, scripted } from "../proxy/world.ts";

const name = (text: string): Buffer => frameOf(Buffer.from(text, "latin1"));

/** Everything that went to each side, and the last step that says more. */
function play(pieces: readonly (readonly ["client" | "server", Buffer])[]) {
  const handshake = new Handshake();
  const out = { toServer: "", toClient: "" };
  let last: HandshakeStep = {};
  for (const [from, bytes] of pieces) {
    const step = handshake[from](bytes);
    out.toServer += step.toServer?.toString("latin1") ?? "";
    out.toClient += step.toClient?.toString("latin1") ?? "";
    if (step.protocol !== undefined || step.raw !== undefined) {
      last = step;
      break;
    }
  }
  return { ...out, protocol: last.protocol?.name, raw: last.raw, last };
}

const bytewise = (from: "client" | "server", bytes: Buffer) =>
  [...bytes].map((byte) => [from, Buffer.from([byte])] as const);

describe("a handshake", () => {
  it("passes each side's name on as soon as it is whole, and tells the client's", () => {
    const whole = play([
      ["server", name("Z5")],
      ["client", name("Z4")],
    ]);
    expect(whole).toMatchObject({
      toClient: name("Z5").toString("latin1"),
      toServer: name("Z4").toString("latin1"),
      protocol: "Z4",
    });
    const single = play([...bytewise("server", name("Z5")), ...bytewise("client", name("Z4"))]);
    expect(single).toMatchObject({ toClient: whole.toClient, toServer: whole.toServer, protocol: "Z4" });
  });

  it("may begin with the client, and have more behind the names", () => {
    const more = Buffer.from("more");
    const { last, toServer, toClient } = play([
      ["client", Buffer.concat([name("M5"), more])],
      ["client", more],
      ["server", Buffer.concat([name("Z5"), more])],
    ]);
    expect(toServer).toBe(name("M5").toString("latin1"));
    expect(toClient).toBe(name("Z5").toString("latin1"));
    expect(last).toMatchObject({
      clientRest: Buffer.from("moremore"),
      serverRest: more,
      clientStart: 6,
      serverStart: 6,
    });
  });

  it.each([
    ["tls", Buffer.from("1603010200010001fc", "hex")],
    ["unknown-protocol", Buffer.from("GET / HTTP/1.1\r\n")],
    ["unknown-protocol", name("")],
    ["unknown-protocol", name("Z6")],
    ["unknown-protocol", name("a name that is too long")],
    ["ruok", name("ruok")],
  ])("gives up with %s, and loses no byte of it", (reason, bytes) => {
    const cut = play([
      ["server", name("Z5")],
      ["client", bytes.subarray(0, 1)],
      ["client", bytes.subarray(1)],
    ]);
    expect(cut.raw).toBe(reason);
    const first = play([["client", bytes]]);
    expect(first).toMatchObject({ raw: reason, toServer: bytes.toString("latin1"), toClient: "" });
  });

  it.each(["client", "server"] as const)("keeps at most 64 KiB of a %s that does not wait for the other", (side) => {
    const out = side === "client" ? "toServer" : "toClient";
    const most = Buffer.alloc(64 * 1024, 1);
    const kept = new Handshake();
    kept[side](name("Z5"));
    expect(kept[side](most)).toEqual({});
    expect(kept[side](Buffer.of(2))).toEqual({ raw: "unknown-protocol", [out]: Buffer.concat([most, Buffer.of(2)]) });
  });

  it("keeps what a server says behind its name, also what looks like a name", () => {
    const handshake = new Handshake();
    expect(handshake.server(name("Z5"))).toEqual({ toClient: name("Z5") });
    expect(handshake.server(name("Z4"))).toEqual({});
    expect(handshake.client(name("Z5"))).toMatchObject({
      toServer: name("Z5"),
      serverStart: 6,
      serverRest: name("Z4"),
      clientRest: undefined,
    });
  });

  it("lets a server greet with any short name, and with nothing else", () => {
    const longest = name("x".repeat(16));
    expect(new Handshake().server(longest)).toEqual({ toClient: longest });
    for (const bytes of [name("x".repeat(17)), name(""), Buffer.from("HTTP/1.1 400 Bad Request\r\n")]) {
      expect(new Handshake().server(bytes)).toEqual({ raw: "unknown-protocol", toClient: bytes });
    }
  });

  it("counts what it keeps of both sides, and knows whether the client's waits for the greeting", () => {
    const handshake = new Handshake();
    const kept = (): unknown[] => [handshake.keptBytes, handshake.keepsClient];
    expect(kept()).toEqual([0, false]);
    handshake.client(name("Z5").subarray(0, 5));
    expect(kept()).toEqual([5, false]);
    handshake.client(name("Z5").subarray(5));
    expect(kept()).toEqual([0, false]);
    handshake.client(Buffer.alloc(100));
    expect(kept()).toEqual([100, true]);
    handshake.server(name("Z5").subarray(0, 3));
    expect(kept()).toEqual([103, true]);
  });
});

it("a client that says everything at once, before the greeting, is registered", async () => {
  const gateway = await scripted({ greeting: undefined });
  const client = await gateway.peer();
  client.write(
    Buffer.concat([
      name("Z5"),
      frameOf(client.encode(1, 0, "register", "1", false)),
      frameOf(client.encode(2, 0, "ping")),
    ]),
  );
  const server = await gateway.server.accept();
  expect((await server.frame()).toString()).toBe("Z5");
  server.send(Buffer.from("Z5"));
  await server.expect("register");
  await server.expect("ping");
  server.reply(1, bytes8(1000n));
  server.reply(2, null);
  expect((await client.frame()).toString()).toBe("Z5");
  await client.expect(".reply");
  await client.expect(".reply");
  expect(gateway.proxy.stats().storages).toMatchObject([{ storage: "1" }]);
});
