import { describe, expect, it } from "vitest";
import { Gate, HANDSHAKE_MS } from "./gate.ts";

const GRACE_MS = 1_000;

describe("sessions that end", () => {
  it("the last one by its server: the server is tried at once, and nobody is told if it answers", () => {
    const gate = new Gate().listens();
    const [one, other] = [gate.registers(), gate.registers()];
    one.server.ends();
    expect(gate.state).toBe("listening");
    other.server.ends();
    gate.clock.move(0);
    gate.answers();
    // The address was open all the time.
    expect(gate.transport.listenings).toHaveLength(1);
    expect(gate.told).toEqual(["listening"]);
    gate.leave();
  });

  it("the last one by its server, which answers nobody: that is told", () => {
    const gate = new Gate().listens();
    const one = gate.registers();
    one.server.closes();
    gate.clock.move(0);
    gate.transport.dialling.fails();
    expect(gate.told).toEqual(["listening", "down: ECONNREFUSED"]);
    gate.leave();
  });

  it("by their clients, or before they have registered, are no outage", () => {
    const gate = new Gate().listens();
    const [one, early] = [gate.registers(), gate.connects()];
    one.client.closes();
    one.server.ends();
    early.server.reads(gate.speech.name);
    early.server.ends();
    expect(gate.state).toBe("listening");
    expect(gate.told).toEqual(["listening"]);
    gate.leave();
  });

  it("make room once, when both their connections are closed", () => {
    const gate = new Gate().listens();
    const { client, server } = gate.registers();
    client.closes();
    expect(gate.room.taken).toBe(1);
    server.settles();
    expect(gate.room.taken).toBe(0);
    expect(gate.upstream.sessions.size).toBe(0);
    gate.leave();
  });
});

describe("a server that accepts and says nothing", () => {
  it("is down after limits.handshake where it has greeted before, and must greet again", () => {
    const gate = new Gate().listens();
    const { client, server } = gate.connects();
    gate.clock.move(HANDSHAKE_MS);
    expect(gate.told.at(-1)).toBe("down: silent");
    expect(client.commands).toContain("destroy");
    expect(server.commands).toContain("destroy");
    expect(gate.ends).toEqual([]);
    gate.clock.move(100);
    const silent = gate.transport.dialling.connects();
    gate.clock.move(HANDSHAKE_MS - 1);
    expect(silent.commands).toEqual([]);
    gate.clock.move(1);
    expect(silent.commands).toEqual(["destroy"]);
    gate.clock.move(1_000);
    gate.answers();
    gate.transport.listening.opens();
    expect(gate.state).toBe("listening");
    gate.leave();
  });

  it("waits for its client to speak where it has never greeted: it is the client that is late", () => {
    const gate = new Gate().begins();
    gate.transport.dialling.connects();
    gate.clock.move(GRACE_MS);
    const { client, server } = gate.connects();
    gate.clock.move(HANDSHAKE_MS);
    expect(gate.state).toBe("listening");
    expect(gate.ends).toEqual(["not-registered by client"]);
    expect([client.commands.at(-1), server.commands.at(-1)]).toEqual(["destroy", "destroy"]);
    gate.leave();
  });

  it("is known to greet from the first client on that it greets, if it was slow at the first try", () => {
    const gate = new Gate().begins();
    gate.transport.dialling.connects();
    gate.clock.move(GRACE_MS);
    const first = gate.connects();
    first.server.reads(gate.speech.name);
    first.client.closes();
    gate.connects();
    gate.clock.move(HANDSHAKE_MS);
    expect(gate.told.at(-1)).toBe("down: silent");
    gate.leave();
  });
});

describe("a server's name that leads to several addresses", () => {
  function several(gate: Gate): unknown[] {
    return gate.happenings.filter(({ what }) => what === "several-addresses");
  }

  it("is told of when registered sessions at both of them hear something, until one of them is over", () => {
    const gate = new Gate().listens();
    const { speech } = gate;
    const one = gate.registers("10.0.0.1");
    const two = gate.registers("10.0.0.2");
    expect(several(gate)).toEqual([]);
    expect(gate.upstream.serverAddresses).toEqual(["10.0.0.1", "10.0.0.2"]);
    one.server.reads(speech.reply(2, null));
    const addresses = ["10.0.0.1", "10.0.0.2"];
    expect(several(gate)).toEqual([{ what: "several-addresses", upstream: "main", server: "server:1", addresses }]);
    for (const { client } of [one, two]) client.closes();
    gate.settles();
    expect(gate.upstream.serverAddresses).toEqual([]);
    gate.leave();
  });

  it("is none as long as nothing is registered there, or what it is is not known", () => {
    const gate = new Gate().listens();
    const { speech } = gate;
    const one = gate.registers("10.0.0.1");
    const probe = gate.connects("10.0.0.2");
    probe.server.reads(speech.name);
    const relayed = gate.connects("10.0.0.3");
    relayed.client.reads(Buffer.from([0x16, 3, 1, 0, 0]));
    for (let turn = 0; turn < 2; turn++) {
      relayed.server.reads(Buffer.from([0x16, 3, 3, 0, 0]));
      one.server.reads(speech.reply(turn, null));
    }
    expect(gate.happenings).toContainEqual(expect.objectContaining({ what: "relayed" }));
    expect(gate.upstream.serverAddresses).toEqual(["10.0.0.1"]);
    expect(several(gate)).toEqual([]);
    gate.leave();
  });
});
