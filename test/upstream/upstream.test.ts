import { describe, expect, it } from "vitest";
import { Gate, HANDSHAKE_MS } from "./gate.ts";

const GRACE_MS = 1_000;
const TLS = Buffer.from("160301", "hex");

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
    gate.upstream.stop();
    gate.expectOver();
  });

  it("that can't be bound is an error of the start", () => {
    const gate = new Gate().binds();
    const cause = new Error("in use");
    gate.transport.listening.fails("EADDRINUSE", cause);
    expect(gate.bound).toEqual([{ code: "EADDRINUSE", cause }]);
    gate.upstream.stop();
    gate.expectOver();
  });

  it("that somebody else has taken meanwhile is tried again every five seconds", () => {
    const gate = new Gate().begins();
    gate.transport.dialling.fails();
    gate.clock.move(100);
    gate.answers();
    gate.transport.listening.fails("EADDRINUSE");
    expect(gate.state).toBe("down");
    expect(gate.told.at(-1)).toBe("blocked: EADDRINUSE");
    const { length } = gate.transport.dials;
    gate.clock.move(4_999);
    expect(gate.transport.dials).toHaveLength(length);
    gate.clock.move(1);
    gate.answers();
    gate.transport.listening.opens();
    expect(gate.state).toBe("listening");
    gate.upstream.stop();
    gate.expectOver();
  });
});

describe("the first try", () => {
  it("finds a server that greets: the upstream listens at once", () => {
    const gate = new Gate().begins();
    expect(gate.transport.dialling.server).toEqual({ host: "server", port: 1 });
    gate.answers();
    expect(gate.state).toBe("listening");
    expect(gate.begun).toBe(1);
    expect(gate.happenings).toEqual([
      { what: "listening", upstream: "main", address: "127.0.0.1:4711", server: "server:1" },
    ]);
    expect(gate.clock.pending).toEqual([]);
    gate.upstream.stop();
    gate.expectOver();
  });

  it.each(["refuses", "ends", "closes", "does not answer"])("finds a server down that %s", (how) => {
    const gate = new Gate().begins();
    const dial = gate.transport.dialling;
    if (how === "refuses") dial.fails();
    else if (how === "does not answer") {
      gate.clock.move(HANDSHAKE_MS);
      expect(dial.state).toBe("cancelled");
    } else {
      const server = dial.connects();
      if (how === "ends") server.ends();
      else server.closes();
      expect(server.commands).toContain("destroy");
    }
    expect(gate.state).toBe("down");
    expect(gate.begun).toBe(1);
    expect(gate.told).toEqual(["down: no answer"]);
    expect(gate.transport.listening.isGivenUp).toBe(true);
    expect(gate.clock.pending).toEqual([100]);
    gate.upstream.stop();
    gate.expectOver();
  });

  it("takes a server that stays connected for a second for one that waits for its client", () => {
    const gate = new Gate().begins();
    const server = gate.transport.dialling.connects();
    gate.clock.move(GRACE_MS - 1);
    expect(gate.state).toBe("starting");
    gate.clock.move(1);
    expect(gate.state).toBe("listening");
    expect(server.commands).toEqual(["destroy"]);
    gate.upstream.stop();
    gate.expectOver(server);
  });
});

describe("a try", () => {
  it.each(["ends", "closes"])("whose server %s has failed once, whatever its connection still tells", (how) => {
    const gate = new Gate().begins();
    gate.transport.dialling.fails();
    gate.clock.move(100);
    const server = gate.transport.dialling.connects();
    if (how === "ends") server.ends();
    server.closes();
    expect(gate.clock.pending).toEqual([100]);
    gate.upstream.stop();
    gate.expectOver(server);
  });

  it("whose server has answered has not failed when its connection closes", () => {
    const gate = new Gate().begins();
    gate.transport.dialling.fails();
    gate.clock.move(100);
    const server = gate.transport.dialling.connects();
    server.reads(gate.speech.name);
    gate.transport.listening.opens();
    const client = gate.arrives();
    gate.transport.dialling.fails();
    expect(gate.told).toEqual(["down: no answer", "up", "listening", "down: ECONNREFUSED"]);
    const pending = [...gate.clock.pending];
    server.closes();
    expect(gate.clock.pending).toEqual(pending);
    gate.upstream.stop();
    gate.expectOver(server, client);
  });
});

describe("a process that has no room", () => {
  it("gives the address up with its last client, and takes it again when one has left", () => {
    const gate = new Gate({ clients: 2 }).listens();
    const first = gate.registers();
    expect(gate.state).toBe("listening");
    const second = gate.registers();
    expect(gate.state).toBe("full");
    expect(gate.transport.listening.isGivenUp).toBe(true);
    first.client.closes();
    first.server.ends();
    first.server.closes();
    expect(gate.state).toBe("full");
    gate.transport.listening.opens();
    expect(gate.state).toBe("listening");
    expect(gate.transport.listening.address.port).toBe(4711);
    gate.upstream.stop();
    gate.expectOver(...Object.values(first), ...Object.values(second));
  });

  it("closes at once whom it accepts all the same, before it listens for good, and dials for nobody", () => {
    const gate = new Gate({ clients: 1 }).begins();
    const first = gate.arrives();
    const { length } = gate.transport.dials;
    const second = gate.arrives();
    expect(second.commands).toEqual(["destroy"]);
    expect(first.commands).toEqual([]);
    expect(gate.transport.dials).toHaveLength(length);
    expect([gate.upstream.accepted, gate.upstream.clients, gate.room.taken]).toEqual([1, 1, 1]);
    gate.upstream.stop();
    gate.expectOver(first, second);
  });
});

describe("sessions that end", () => {
  it("the last one by its server: the server is tried at once, and nobody is told if it answers", () => {
    const gate = new Gate().listens();
    const [one, other] = [gate.registers(), gate.registers()];
    one.server.ends();
    expect(gate.state).toBe("listening");
    other.server.ends();
    expect(gate.state).toBe("down");
    gate.clock.move(0);
    gate.answers();
    gate.transport.listening.opens();
    expect(gate.told).toEqual(["listening", "listening"]);
    gate.upstream.stop();
    gate.expectOver(...Object.values(one), ...Object.values(other));
  });

  it("the last one by its server, which answers nobody: that is told", () => {
    const gate = new Gate().listens();
    const one = gate.registers();
    one.server.closes();
    gate.clock.move(0);
    gate.transport.dialling.fails();
    expect(gate.told).toEqual(["listening", "down: all its connections have ended"]);
    gate.upstream.stop();
    gate.expectOver(...Object.values(one));
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
    gate.upstream.stop();
    gate.expectOver(...Object.values(one), ...Object.values(early));
  });

  it("make room once, when both their connections are closed", () => {
    const gate = new Gate().listens();
    const { client, server } = gate.registers();
    client.closes();
    expect(gate.room.taken).toBe(1);
    server.settles();
    expect(gate.room.taken).toBe(0);
    expect(gate.upstream.sessions.size).toBe(0);
    gate.upstream.stop();
    gate.expectOver(client, server);
  });
});

describe("a server that accepts and says nothing", () => {
  it("is down after limits.handshake, and must greet before the upstream listens again", () => {
    const gate = new Gate().listens();
    const { client, server } = gate.connects();
    gate.clock.move(HANDSHAKE_MS);
    expect(gate.told.at(-1)).toBe("down: silent");
    expect(client.commands).toContain("destroy");
    expect(server.commands).toContain("destroy");
    gate.clock.move(100);
    const silent = gate.transport.dialling.connects();
    gate.clock.move(HANDSHAKE_MS - 1);
    expect(silent.commands).toEqual([]);
    gate.clock.move(1);
    expect(silent.commands).toEqual(["destroy"]);
    gate.clock.move(700);
    gate.answers();
    gate.transport.listening.opens();
    expect(gate.state).toBe("listening");
    gate.upstream.stop();
    gate.expectOver(client, server, silent);
  });

  it("is not down where it has answered a client that spoke first", () => {
    const gate = new Gate().listens();
    const tls = gate.connects();
    tls.client.reads(TLS);
    tls.server.reads(Buffer.from("160303", "hex"));
    const idle = gate.connects();
    gate.clock.move(HANDSHAKE_MS);
    expect(idle.client.commands).toContain("destroy");
    expect(gate.state).toBe("listening");
    gate.upstream.stop();
    gate.expectOver(...Object.values(tls), ...Object.values(idle));
  });
});
