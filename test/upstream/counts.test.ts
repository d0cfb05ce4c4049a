import { describe, expect, it } from "vitest";
import { Gate } from "./gate.ts";

describe("clients for which there is no server", () => {
  it("count as refused when they have waited in vain, and not when they leave by themselves", () => {
    const gate = new Gate().listens();
    gate.arrives();
    const leaving = gate.arrives();
    for (const dial of gate.transport.dials.slice(-2)) dial.fails();
    expect(gate.upstream.arriving).toBe(2);
    leaving.closes();
    expect(gate.upstream.refused).toEqual({ "no-server": 0 });
    expect(gate.upstream.arriving).toBe(1);
    gate.comesBack();
    gate.transport.dialling.fails();
    expect(gate.upstream.refused).toEqual({ "no-server": 1 });
    expect(gate.upstream.arriving).toBe(0);
    gate.leave();
  });
});

describe("the traffic of an upstream", () => {
  it("is that of its sessions, those that are over too", () => {
    const gate = new Gate().listens();
    expect(gate.upstream.traffic).toEqual({ fromClients: 0, fromServer: 0, toClients: 0, toServer: 0 });
    const { client, server } = gate.registers();
    const { fromClients, fromServer } = gate.upstream.traffic;
    expect(fromClients).toBeGreaterThan(10);
    expect(fromServer).toBeGreaterThan(10);
    server.reads(Buffer.from([0, 0, 0]));
    expect(gate.upstream.traffic).toMatchObject({ fromClients, fromServer: fromServer + 3 });
    client.closes();
    server.closes();
    expect(gate.upstream.sessions.size).toBe(0);
    expect(gate.upstream.traffic).toMatchObject({ fromClients, fromServer: fromServer + 3 });
    gate.leave();
  });
});
