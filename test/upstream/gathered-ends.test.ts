import { describe, expect, it } from "vitest";
import type { PlayedConnection } from "../session/played-connection.ts";
import { Gate } from "./gate.ts";

const GATHER_MS = 100;

/** Notes whether the upstream still listened when the client was told of its end. */
function listenedAtEnd(gate: Gate, client: PlayedConnection): boolean[] {
  const noted: boolean[] = [];
  const carryOut = client.carryOut.bind(client);
  client.carryOut = (command) => {
    if (command === "end" || command === "destroy") noted.push(!gate.transport.listening.isGivenUp);
    carryOut(command);
  };
  return noted;
}

describe("a server that ends its connections one behind the other", () => {
  it.each(["ends", "closes"] as const)("and %s: no client hears of it before nobody listens any more", (how) => {
    const gate = new Gate().listens();
    const pairs = [gate.registers(), gate.registers(), gate.registers()];
    const noted = pairs.map(({ client }) => listenedAtEnd(gate, client));
    for (const { server } of pairs) {
      if (how === "ends") server.ends();
      else server.closes();
      gate.clock.move(1);
      expect(noted.flat()).toEqual([]);
    }
    expect(gate.state).toBe("listening");
    gate.transport.dialling.fails();
    expect(gate.told).toEqual(["listening", "down: ECONNREFUSED"]);
    // By the end and, where that came too, by the close: the first is what the client hears.
    for (const each of noted) expect(each[0]).toBe(false);
    gate.leave();
  });

  it("and greets the try that follows is up: they hear of it, and can come back at once", () => {
    const gate = new Gate().listens();
    const pairs = [gate.registers(), gate.registers()];
    const noted = pairs.map(({ client }) => listenedAtEnd(gate, client));
    for (const { server } of pairs) server.ends();
    gate.clock.move(0);
    const { length } = gate.transport.dials;
    expect(noted.flat()).toEqual([]);
    gate.answers();
    for (const each of noted) expect(each[0]).toBe(true);
    expect(gate.told).toEqual(["listening"]);
    // That was looked into: once is enough.
    gate.clock.move(GATHER_MS);
    expect(gate.transport.dials).toHaveLength(length);
    gate.leave();
  });

  it("and does not answer the try that follows: they hear of it a little later all the same", () => {
    const gate = new Gate().listens();
    const { client, server } = gate.registers();
    server.ends();
    gate.clock.move(GATHER_MS - 1);
    expect(client.commands).toEqual([]);
    gate.clock.move(1);
    expect(client.commands).toContain("end");
    gate.leave();
  });

  it("but not all of them is up: those are told a little later", () => {
    const gate = new Gate().listens();
    const [one, other] = [gate.registers(), gate.registers()];
    one.server.ends();
    one.server.closes();
    gate.clock.move(GATHER_MS - 1);
    expect(one.client.commands).toEqual([]);
    gate.clock.move(1);
    expect(one.client.commands).toContain("end");
    one.client.settles();
    expect(one.client.isClosed).toBe(true);
    expect(gate.upstream.clients).toBe(1);
    expect(gate.state).toBe("listening");
    expect(other.client.commands).toEqual([]);
    gate.leave();
  });

  it("keeps nobody waiting who has left, or has never registered", () => {
    const gate = new Gate().listens();
    gate.registers();
    const [left, early] = [gate.registers(), gate.connects()];
    left.client.ends();
    left.server.ends();
    expect(left.client.commands).toContain("end");
    early.server.reads(gate.speech.name);
    early.server.ends();
    expect(early.client.commands).toContain("end");
    gate.leave();
  });

  it("and whose clients leave meanwhile: each of its connections is told of once, its end before its close", () => {
    const gate = new Gate().listens();
    const one = gate.registers();
    gate.registers();
    one.server.ends();
    one.client.ends();
    one.client.closes();
    one.server.closes();
    expect(gate.room.taken).toBe(2);
    gate.clock.move(GATHER_MS);
    expect(gate.room.taken).toBe(1);
    gate.leave();
  });

  it("and a stop that comes meanwhile is not waited for", () => {
    const gate = new Gate().listens();
    const one = gate.registers();
    gate.registers();
    one.server.ends();
    gate.upstream.stop();
    expect(one.client.commands).toContain("end");
    gate.expectOver();
  });
});
