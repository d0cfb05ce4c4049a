import { describe, expect, it } from "vitest";
import { Gate, HANDSHAKE_MS } from "./gate.ts";

describe("a client whose dial is refused", () => {
  /** It waits for a server that is down. */
  function waiting() {
    const gate = new Gate().listens();
    const client = gate.arrives();
    gate.transport.dialling.fails();
    return { gate, client };
  }

  /** When the server is back, nobody is dialled for. */
  function expectNoDial(gate: Gate): void {
    gate.clock.move(100);
    gate.answers();
    const { length } = gate.transport.dials;
    gate.transport.listening.opens();
    expect(gate.transport.dials).toHaveLength(length);
  }

  it("waits while the server is down, and is served when it is back", () => {
    const { gate, client } = waiting();
    expect(gate.told).toEqual(["listening", "down: ECONNREFUSED"]);
    expect(client.commands).toEqual([]);
    gate.comesBack();
    expect(gate.told).toEqual(["listening", "down: ECONNREFUSED", "up", "listening"]);
    const server = gate.transport.dialling.connects();
    expect(gate.upstream.sessions.size).toBe(1);
    server.reads(gate.speech.name);
    expect(client.taken()).toEqual(gate.speech.name);
    gate.clock.move(HANDSHAKE_MS - 1);
    expect(client.commands).not.toContain("destroy");
    gate.leave();
  });

  it("that was served is not dialled for at the next outage", () => {
    const { gate } = waiting();
    gate.comesBack();
    gate.transport.dialling.connects();
    const next = gate.arrives();
    gate.transport.dialling.fails();
    next.closes();
    expectNoDial(gate);
    gate.leave();
  });

  it("is refused after limits.handshake, not before", () => {
    const { gate, client } = waiting();
    for (let ms = 0; ms < HANDSHAKE_MS; ms += 1_000) {
      expect(client.commands).toEqual([]);
      gate.clock.move(1_000);
      if (gate.transport.dialling.state === "open") gate.transport.dialling.fails();
    }
    expect(client.commands).toEqual(["destroy"]);
    expect(gate.upstream.clients).toBe(0);
    expect(gate.room.taken).toBe(0);
    gate.leave();
  });

  it("may leave meanwhile, and nobody dials for it", () => {
    const { gate, client } = waiting();
    client.closes();
    expectNoDial(gate);
    gate.leave();
  });

  it("is refused when its second dial fails, too", () => {
    const { gate, client } = waiting();
    gate.comesBack();
    gate.transport.dialling.fails();
    expect(client.commands).toEqual(["destroy"]);
    expect(gate.room.taken).toBe(0);
    gate.leave();
  });

  it("is not the only one: each of them is dialled for", () => {
    const gate = new Gate().listens();
    for (let clients = 0; clients < 3; clients++) gate.arrives();
    const dials = gate.transport.dials.slice(-3);
    for (const dial of dials) dial.fails();
    expect(gate.told).toEqual(["listening", "down: ECONNREFUSED"]);
    gate.comesBack();
    for (const dial of gate.transport.dials.slice(-3)) dial.connects();
    expect(gate.upstream.sessions.size).toBe(3);
    gate.leave();
  });
});

describe("a dial that fails while others are connected to the server", () => {
  it("is no outage: its client waits, a try is made, and who waits is let in", () => {
    const gate = new Gate().listens();
    gate.registers();
    const client = gate.arrives();
    gate.transport.dialling.fails("ETIMEDOUT");
    expect([gate.state, gate.told]).toEqual(["listening", ["listening"]]);
    gate.clock.move(100);
    gate.answers();
    gate.transport.dialling.connects();
    expect(gate.upstream.sessions.size).toBe(2);
    expect(client.commands).toEqual([]);
    expect(gate.told).toEqual(["listening"]);
    gate.leave();
  });

  it("is one where nothing else is heard of it for three seconds", () => {
    const gate = new Gate().listens();
    const other = gate.registers();
    gate.arrives();
    gate.transport.dialling.fails();
    for (let ms = 0; ms < 3_000; ms += 10) {
      expect(gate.state).toBe("listening");
      gate.clock.move(10);
      if (gate.transport.dialling.state === "open") gate.transport.dialling.fails();
    }
    gate.clock.move(150);
    if (gate.transport.dialling.state === "open") gate.transport.dialling.fails();
    expect(gate.told).toEqual(["listening", "down: ECONNREFUSED"]);
    // Who is connected stays.
    expect(other.client.commands).toEqual([]);
    gate.leave();
  });
});
