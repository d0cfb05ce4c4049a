import { describe, expect, it } from "vitest";
import { Gate } from "./gate.ts";

describe("a stop", () => {
  it("while the address is asked for ends that", () => {
    const gate = new Gate().binds();
    gate.upstream.stop();
    expect(gate.bound).toEqual([undefined]);
    expect(gate.transport.listening.isGivenUp).toBe(true);
    gate.expectOver();
  });

  it("while the first try dials cancels it", () => {
    const gate = new Gate().begins();
    gate.upstream.stop();
    expect(gate.begun).toBe(1);
    expect(gate.transport.dialling.state).toBe("cancelled");
    gate.expectOver();
  });

  it("while the first try waits for a word closes its connection, whatever that still brings", () => {
    const gate = new Gate().begins();
    const server = gate.transport.dialling.connects();
    gate.upstream.stop();
    expect(gate.begun).toBe(1);
    expect(server.commands).toEqual(["destroy"]);
    gate.expectOver();
    expect(gate.told).toEqual([]);
  });

  it("while a server that is down is waited for, and while it is tried, tries no more", () => {
    for (const moment of ["waits", "dials", "listens"]) {
      const gate = new Gate().begins();
      gate.transport.dialling.fails();
      if (moment !== "waits") gate.clock.move(100);
      if (moment === "listens") gate.answers();
      gate.upstream.stop();
      gate.clock.move(60_000);
      expect(gate.transport.dials).toHaveLength(moment === "waits" ? 1 : 2);
      gate.expectOver();
    }
  });

  it("gives up a client whose server is dialled, with the dial, and one that waits", () => {
    const gate = new Gate().listens();
    const waiting = gate.arrives();
    const dialled = gate.arrives();
    gate.transport.dials.at(-2)?.fails();
    gate.upstream.stop();
    expect(gate.transport.dialling.state).toBe("cancelled");
    for (const client of [waiting, dialled]) expect(client.commands).toEqual(["destroy"]);
    gate.expectOver();
  });

  it("leaves sessions alone, also where their server's end comes behind it", () => {
    const gate = new Gate().listens();
    const { client, server } = gate.registers();
    gate.upstream.stop();
    expect(client.commands).not.toContain("destroy");
    server.ends();
    expect(gate.state).toBe("stopped");
    expect(gate.told).toEqual(["listening"]);
    gate.expectOver();
  });

  it("can be said twice", () => {
    const gate = new Gate().listens();
    gate.upstream.stop();
    gate.leave();
  });
});

it("a stop ends the first try, too, when an outage was found meanwhile", () => {
  const gate = new Gate().begins();
  const probe = gate.transport.dialling;
  gate.arrives();
  gate.transport.dialling.fails();
  gate.upstream.stop();
  expect(probe.state).toBe("cancelled");
  gate.expectOver();
});

it("begin's done is called once", () => {
  const gate = new Gate().listens();
  gate.upstream.stop();
  expect(gate.begun).toBe(1);
});

it("a stop by whoever is told of an outage leaves no try behind it", () => {
  const gate = new Gate().begins();
  gate.listener = ({ what }) => {
    if (what === "down") gate.upstream.stop();
  };
  gate.transport.dialling.fails();
  expect(gate.upstream.state).toBe("stopped");
  expect(gate.clock.pending).toEqual([]);
});

it("a stop while the address is being taken leaves nothing to begin", () => {
  const gate = new Gate().binds();
  gate.upstream.stop();
  expect(gate.bound).toEqual([undefined]);
  gate.upstream.begin(() => gate.begun++);
  expect(gate.begun).toBe(1);
  expect(gate.clock.pending).toEqual([]);
});
