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

  it("keeps at most 64 KiB of a side that does not wait for the other", () => {
    const much = Buffer.alloc(70_000, 1);
    expect(
      play([
        ["server", name("Z5")],
        ["server", much],
      ]),
    ).toMatchObject({ raw: "unknown-protocol", toClient: Buffer.concat([name("Z5"), much]).toString("latin1") });
    expect(
      play([
        ["client", name("Z5")],
        ["client", much],
      ]),
    ).toMatchObject({ raw: "unknown-protocol", toServer: Buffer.concat([name("Z5"), much]).toString("latin1") });
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
