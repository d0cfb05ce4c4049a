import { expect, it } from "vitest";
import { Gate, HANDSHAKE_MS } from "./gate.ts";

// What a reload changes of an upstream that goes on.

it("a dial waits as long as limits.handshake is when it begins", () => {
  const gate = new Gate().listens();
  gate.settings.limits.handshakeMs = 100;
  const client = gate.arrives();
  gate.clock.move(99);
  expect(gate.state).toBe("listening");
  gate.clock.move(1);
  expect(gate.told.at(-1)).toBe("down: ETIMEDOUT");
  gate.clock.move(100);
  expect(client.isClosed || client.commands.includes("destroy")).toBe(true);
  gate.leave();
});

it("a client registers within limits.handshake as it was when it came", () => {
  const gate = new Gate().listens();
  const { server } = gate.connects();
  server.reads(gate.speech.name);
  gate.settings.limits.handshakeMs = 100;
  gate.clock.move(HANDSHAKE_MS - 1);
  expect(gate.ends).toEqual([]);
  const next = gate.connects();
  next.server.reads(gate.speech.name);
  gate.clock.move(1);
  expect(gate.ends).toEqual(["not-registered by client"]);
  gate.clock.move(99);
  expect(gate.ends).toHaveLength(2);
  gate.settles();
  gate.leave();
});

it("whether what is unknown is refused, and the upstream's name, are asked for when they are needed", () => {
  const gate = new Gate().listens();
  const { client, server } = gate.connects();
  server.reads(gate.speech.name);
  gate.settings.refuseUnknown = true;
  gate.upstream.rename("other");
  client.reads(Buffer.from([0x16, 3, 1, 0, 5]));
  expect(gate.happenings.filter(({ what }) => what === "ended")).toMatchObject([
    { upstream: "other", end: { code: "unknown-protocol" } },
  ]);
  expect(gate.upstream.name).toBe("other");
  gate.settles();
  gate.leave();
});

it("who is registered is told of by the new name", () => {
  const gate = new Gate().listens();
  const { client } = gate.registers();
  gate.upstream.rename("other");
  client.closes();
  gate.settles();
  expect(gate.happenings.at(-1)).toMatchObject({ what: "closed", upstream: "other" });
  gate.leave();
});

it("who is observed is told of by the new name, too", () => {
  const gate = new Gate().listens();
  gate.upstream.repair = "observe";
  const { client, server } = gate.registers();
  gate.upstream.rename("other");
  server.reads(gate.speech.nonsense);
  expect(gate.happenings.filter(({ what }) => what === "observed").at(-1)).toMatchObject({
    happening: { what: "ended", upstream: "other" },
  });
  client.closes();
  gate.settles();
  gate.leave();
});

it("behind a stop it hears no more of the process's room, which outlives it", () => {
  const gate = new Gate({ clients: 1 }).listens();
  gate.leave();
  const { length } = gate.transport.listenings;
  gate.room.take();
  gate.room.free();
  gate.room.limit = 5;
  expect(gate.transport.listenings).toHaveLength(length);
});
