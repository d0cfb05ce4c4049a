import { describe, expect, it } from "vitest";
import { Gate } from "./gate.ts";

describe("the address", () => {
  it("is known once it was bound, with the port that was chosen, and kept", () => {
    const gate = new Gate().binds();
    expect(gate.upstream.listen).toBeUndefined();
    gate.transport.listening.opens(4711);
    expect(gate.bound).toEqual([undefined]);
    expect(gate.upstream.listen).toBe("127.0.0.1:4711");
    gate.upstream.begin(() => undefined);
    gate.transport.dialling.fails();
    expect(gate.transport.listening.isGivenUp).toBe(true);
    expect(gate.upstream.listen).toBe("127.0.0.1:4711");
    gate.clock.move(100);
    gate.answers();
    expect(gate.transport.listening.address).toEqual({ host: "127.0.0.1", port: 4711 });
    gate.leave();
  });

  it("that can't be bound is an error of the start", () => {
    const gate = new Gate().binds();
    const cause = new Error("in use");
    gate.transport.listening.fails("EADDRINUSE", cause);
    expect(gate.bound).toEqual([{ code: "EADDRINUSE", cause }]);
    gate.leave();
  });

  it("that somebody else has taken meanwhile is tried again until it can be had", () => {
    const gate = new Gate().begins();
    gate.transport.dialling.fails();
    gate.clock.move(100);
    gate.answers();
    gate.transport.listening.fails("EADDRINUSE");
    expect(gate.state).toBe("blocked");
    expect(gate.told.at(-1)).toBe("blocked: EADDRINUSE");
    gate.clock.move(100);
    gate.answers();
    gate.transport.listening.fails("EADDRINUSE");
    expect(gate.told.filter((told) => told.startsWith("blocked"))).toHaveLength(1);
    gate.comesBack();
    expect(gate.state).toBe("listening");
    gate.leave();
  });
});

describe("a process that has no room", () => {
  it("gives the address up with its last client, and takes it again when one has left", () => {
    const gate = new Gate({ clients: 2 }).listens();
    const first = gate.registers();
    expect(gate.state).toBe("listening");
    gate.registers();
    expect(gate.state).toBe("full");
    expect(gate.transport.listening.isGivenUp).toBe(true);
    first.client.closes();
    first.server.ends();
    first.server.closes();
    expect(gate.state).toBe("starting");
    gate.transport.listening.opens();
    expect(gate.state).toBe("listening");
    expect(gate.transport.listening.address.port).toBe(4711);
    gate.leave();
  });

  it("gives it up while the server is still being looked at, too", () => {
    const gate = new Gate({ clients: 1 }).begins();
    const tried = gate.transport.dialling;
    const first = gate.arrives();
    expect(gate.transport.listening.isGivenUp).toBe(true);
    const server = tried.connects();
    server.reads(gate.speech.name);
    expect(gate.state).toBe("full");
    expect(gate.told).toEqual([]);
    first.closes();
    gate.transport.listening.opens();
    expect(gate.told).toEqual(["listening"]);
    gate.leave();
  });

  it("gives up an address that is still being asked for, and nobody waits for it", () => {
    const gate = new Gate({ clients: 1 }).binds();
    gate.room.take();
    expect(gate.transport.listening.isGivenUp).toBe(true);
    expect(gate.bound).toEqual([undefined]);
    gate.upstream.begin(() => gate.begun++);
    gate.answers();
    expect([gate.begun, gate.state]).toEqual([1, "full"]);
    gate.room.free();
    gate.transport.listening.opens(4711);
    expect(gate.state).toBe("listening");
    gate.leave();
  });
});
