import { describe, expect, it } from "vitest";
import { Gate } from "./gate.ts";

describe("a start", () => {
  it("waits for a listening address that is not there yet", () => {
    const gate = new Gate().binds();
    gate.transport.listening.fails("EADDRNOTAVAIL");
    expect(gate.bound).toEqual([undefined]);
    expect(gate.told).toEqual(["blocked: EADDRNOTAVAIL"]);
    gate.upstream.begin(() => gate.begun++);
    gate.answers();
    gate.transport.listening.fails("EADDRNOTAVAIL");
    expect([gate.begun, gate.state]).toEqual([1, "blocked"]);
    gate.comesBack(4711);
    expect(gate.told).toEqual(["blocked: EADDRNOTAVAIL", "listening"]);
    gate.leave();
  });

  it("need not be waited for while an address is looked up: what comes of it is told", () => {
    for (const comes of ["EADDRINUSE", "it"] as const) {
      const gate = new Gate().binds();
      gate.upstream.bindLater();
      expect(gate.bound).toEqual([undefined]);
      gate.upstream.begin(() => gate.begun++);
      const { listening } = gate.transport;
      if (comes === "it") listening.opens(4711);
      else listening.fails(comes);
      expect(gate.begun).toBe(0);
      gate.answers();
      expect(gate.begun).toBe(1);
      if (comes !== "it") gate.transport.listening.opens(4711);
      expect(gate.told).toEqual(comes === "it" ? ["listening"] : ["blocked: EADDRINUSE", "listening"]);
      expect(gate.bound).toHaveLength(1);
      gate.leave();
    }
  });
});

describe("trouble of this machine", () => {
  it("in a client's dial is none of the server's: the address is given up until a try succeeds", () => {
    const gate = new Gate().listens();
    const other = gate.registers();
    const client = gate.arrives();
    gate.transport.dialling.fails("EADDRNOTAVAIL");
    expect(gate.state).toBe("trouble");
    expect(gate.told).toEqual(["listening", "trouble: EADDRNOTAVAIL"]);
    expect(gate.transport.listening.isGivenUp).toBe(true);
    expect([client.commands, other.client.commands]).toEqual([[], []]);
    gate.comesBack();
    gate.transport.dialling.connects();
    gate.clock.move(10_000);
    gate.answers();
    expect(gate.told).toEqual(["listening", "trouble: EADDRNOTAVAIL", "listening", "trouble-over"]);
    gate.leave();
  });

  it("shows when a client was accepted with the last descriptors: nobody is dialled for it", () => {
    const gate = new Gate().listens();
    gate.transport.descriptors = 2;
    const { length } = gate.transport.dials;
    gate.arrives();
    expect(gate.transport.dials).toHaveLength(length);
    expect(gate.told.at(-1)).toBe("trouble: EMFILE");
    gate.clock.move(100);
    // More must be free than one client needs, or the address would come and go with each.
    gate.transport.descriptors = 7;
    gate.clock.move(100);
    expect(gate.state).toBe("trouble");
    expect(gate.transport.dials).toHaveLength(length);
    gate.transport.descriptors = 8;
    gate.clock.move(150);
    gate.answers();
    gate.transport.listening.opens();
    gate.transport.dialling.connects();
    expect(gate.state).toBe("listening");
    gate.leave();
  });

  it("shows when clients can't be accepted at all, and at the start", () => {
    const gate = new Gate().listens();
    gate.transport.listening.hinders("ENOBUFS");
    expect(gate.told).toEqual(["listening", "trouble: ENOBUFS"]);
    gate.leave();
    const late = new Gate().binds();
    late.transport.descriptors = 0;
    late.transport.listening.opens(4711);
    late.upstream.begin(() => late.begun++);
    expect(late.begun).toBe(0);
    late.clock.move(0);
    expect([late.begun, late.state]).toEqual([1, "trouble"]);
    late.leave();
  });

  it("lets a client wait for three seconds, and no longer", () => {
    const gate = new Gate().listens();
    gate.transport.descriptors = 0;
    const client = gate.arrives();
    for (let ms = 0; ms < 3_000; ms += 50) {
      expect(client.commands).toEqual([]);
      gate.clock.move(50);
    }
    expect(client.commands).toEqual(["destroy"]);
    expect(gate.room.taken).toBe(0);
    gate.leave();
  });
});

describe("a server that is back", () => {
  it("is told to its storages: their witnesses may wait for longer", () => {
    const gate = new Gate().listens();
    let nudges = 0;
    gate.storages.nudge = () => void nudges++;
    const { server } = gate.registers();
    server.ends();
    gate.clock.move(100);
    gate.transport.dialling.fails("ECONNREFUSED");
    expect([gate.told, nudges]).toEqual([["listening", "down: ECONNREFUSED"], 0]);
    gate.comesBack();
    expect([gate.told.at(-2), nudges]).toEqual(["up", 1]);
    gate.leave();
  });
});
