import { describe, expect, it } from "vitest";
import { Gate } from "./gate.ts";

const FAILOVER_MS = 5_000;

/** A server that may be at three places. It listens, and is at the first one. */
function listening(standbys: readonly string[] = ["second", "third"]): Gate {
  const gate = new Gate({ standbys, failoverMs: FAILOVER_MS }).begins();
  gate.clock.move(0);
  gate.answers();
  return gate;
}

/** The host of the newest dial, which is on its way. */
const dialled = (gate: Gate): string | undefined => gate.transport.dialling.server.host;

/** Lets so much time pass, in which whoever dials is refused. @returns which hosts were dialled */
function refusing(gate: Gate, ms: number): Set<string | undefined> {
  const hosts = new Set<string | undefined>();
  for (let past = 0; past < ms; past += 10) {
    for (const dial of gate.transport.dials) {
      if (dial.state !== "open") continue;
      hosts.add(dial.server.host);
      dial.fails();
    }
    gate.clock.move(10);
  }
  return hosts;
}

/** The server ends all connections, and refuses what is dialled until the standbys are asked. */
function goesAway(gate: Gate): void {
  for (const one of gate.transport.connections) if (one.peer.startsWith("server") && !one.isClosed) one.ends();
  gate.settles();
  refusing(gate, FAILOVER_MS - 100);
}

/** Goes on, refusing, until that host is dialled. */
function untilDialled(gate: Gate, host: string): void {
  for (let past = 0; past < 20_000; past += 10) {
    for (const dial of gate.transport.dials) {
      if (dial.state !== "open") continue;
      if (dial.server.host === host) return;
      dial.fails();
    }
    gate.clock.move(10);
  }
  expect.fail(`${host} is not dialled`);
}

describe("a server that is down", () => {
  it("for a moment is waited for: nobody else is asked", () => {
    const gate = listening();
    gate.registers();
    goesAway(gate);
    expect(gate.state).toBe("down");
    expect(new Set(gate.transport.dials.map(({ server }) => server.host))).toEqual(new Set(["server"]));
    gate.clock.move(1_000);
    expect(dialled(gate)).toBe("server");
    gate.answers();
    gate.transport.listening.opens();
    expect(gate.told).toEqual(["listening", "down: ECONNREFUSED", "up", "listening"]);
    gate.leave();
  });

  it("for longer is looked for at each other place in order, and at its own first", () => {
    const gate = listening();
    gate.registers();
    goesAway(gate);
    untilDialled(gate, "second");
    gate.transport.dialling.fails();
    expect(dialled(gate)).toBe("third");
    gate.transport.dialling.fails();
    untilDialled(gate, "server");
    gate.transport.dialling.fails();
    expect(dialled(gate)).toBe("second");
    gate.answers();
    gate.clock.move(0);
    gate.transport.listening.opens();
    expect(gate.told).toEqual(["listening", "down: ECONNREFUSED", "moved: server:1 to second:1", "up", "listening"]);
    expect(gate.upstream.serverAddress).toBe("second:1");
    expect(gate.upstream.standbys).toEqual(["server:1", "third:1"]);
    expect(gate.left).toEqual([gate.known.get("server:1")]);
    gate.arrives();
    expect(dialled(gate)).toBe("second");
    expect(gate.upstream.storages).toBe(gate.known.get("second:1"));
    gate.leave();
  });

  it("stays where it was found until that is down, too", () => {
    const gate = listening(["second"]);
    gate.registers();
    goesAway(gate);
    untilDialled(gate, "second");
    gate.answers();
    gate.clock.move(0);
    gate.transport.listening.opens();
    const { client, server } = gate.registers("second");
    // The first one is there again, and nobody asks it.
    expect(refusing(gate, 60_000)).toEqual(new Set());
    server.ends();
    gate.settles();
    untilDialled(gate, "server");
    gate.settles();
    expect(client.isClosed).toBe(true);
    gate.answers();
    gate.clock.move(0);
    expect(gate.upstream.serverAddress).toBe("server:1");
    gate.leave();
  });

  it("at the start, too", () => {
    const gate = new Gate({ standbys: ["second"], failoverMs: FAILOVER_MS }).begins();
    gate.clock.move(0);
    expect(refusing(gate, FAILOVER_MS - 500)).toEqual(new Set(["server"]));
    expect(gate.begun).toBe(1);
    untilDialled(gate, "second");
    gate.answers();
    gate.clock.move(0);
    gate.transport.listening.opens();
    expect(gate.upstream.serverAddress).toBe("second:1");
    gate.leave();
  });
});

describe("a place", () => {
  it("that accepts and says nothing is none", () => {
    const gate = listening(["second"]);
    gate.registers();
    goesAway(gate);
    untilDialled(gate, "second");
    const silent = gate.transport.dialling.connects();
    gate.clock.move(30_000);
    silent.settles();
    expect(gate.upstream.serverAddress).toBe("server:1");
    expect(gate.state).toBe("down");
    gate.leave();
  });

  it("is not left while anybody hears of it there, whatever new connections come to", () => {
    const gate = listening(["second"]);
    const { server, client } = gate.registers();
    const { speech } = gate;
    // Nobody new can connect: it counts as down. Its client is served.
    gate.arrives();
    for (let round = 0; round < 20; round++) {
      expect(refusing(gate, 1_000)).not.toContain("second");
      server.reads(speech.call(0, "info", null, true));
    }
    expect(gate.state).toBe("down");
    expect(client.isClosed).toBe(false);
    // It hangs: nobody hears of it any more.
    untilDialled(gate, "second");
    gate.answers();
    gate.clock.move(0);
    expect(gate.ends).toEqual(["server-changed by server"]);
    gate.settles();
    expect([client.isClosed, server.isClosed]).toEqual([true, true]);
    expect(gate.upstream.serverAddress).toBe("second:1");
    gate.leave();
  });

  it("is not taken where somebody has heard of the one before while it was asked", () => {
    const gate = listening(["second"]);
    const { server, client } = gate.registers();
    gate.arrives();
    untilDialled(gate, "second");
    server.reads(gate.speech.call(0, "info", null, true));
    gate.answers();
    gate.clock.move(0);
    expect(gate.upstream.serverAddress).toBe("server:1");
    expect(client.isClosed).toBe(false);
    gate.leave();
  });

  it("is dialled for whoever waited for the one before; a dial to that one is given up", () => {
    const gate = listening(["second"]);
    const { server } = gate.registers();
    const waits = gate.arrives();
    // Its dial hangs, as the host is gone; another one's is refused.
    const hanging = gate.transport.dialling;
    gate.arrives();
    gate.transport.dialling.fails();
    const others = () => gate.transport.dials.filter((dial) => dial !== hanging && dial.state === "open");
    for (let past = 0; others()[0]?.server.host !== "second"; past += 10) {
      for (const dial of others()) dial.fails();
      gate.clock.move(10);
      expect(past).toBeLessThan(60_000);
    }
    const there = others()[0]?.connects();
    there?.reads(gate.speech.name);
    there?.settles();
    gate.clock.move(0);
    gate.transport.listening.opens();
    expect(hanging.state).toBe("cancelled");
    expect(server.isClosed || gate.ends.length > 0).toBe(true);
    const dials = others();
    expect(dials.map((dial) => dial.server.host)).toContain("second");
    expect(waits.isClosed).toBe(false);
    gate.leave();
  });
});
