import { describe, expect, it } from "vitest";
import { Gate, HANDSHAKE_MS } from "./gate.ts";

const TLS = Buffer.from("160301", "hex");

describe("a client that was accepted", () => {
  it("is paired when its server is there, and both hear of each other", () => {
    const gate = new Gate().listens();
    const client = gate.arrives();
    client.reads(gate.speech.name.subarray(0, 3));
    client.reads(gate.speech.name.subarray(3));
    expect(gate.upstream.clients).toBe(1);
    expect(gate.upstream.accepted).toBe(1);
    const server = gate.transport.dialling.connects();
    server.reads(gate.speech.name);
    expect(client.taken()).toEqual(gate.speech.name);
    expect(server.taken()).toEqual(gate.speech.name);
    expect(gate.upstream.sessions.size).toBe(1);
    expect(gate.upstream.clients).toBe(1);
    gate.upstream.stop();
    gate.expectOver(client, server);
  });

  it.each(["ends without a word", "closes"] as const)(
    "and %s while its server is dialled is let go at once, with the dial",
    (how) => {
      const gate = new Gate().listens();
      const client = gate.arrives();
      if (how === "ends without a word") client.ends();
      else client.closes();
      expect(gate.transport.dialling.state).toBe("cancelled");
      expect(client.commands).toContain("destroy");
      expect(gate.upstream.clients).toBe(0);
      expect(gate.room.taken).toBe(0);
      expect(gate.clock.pending).toEqual([]);
      client.settles();
      expect(gate.room.taken).toBe(0);
      gate.upstream.stop();
      gate.expectOver(client);
    },
  );

  it("and has ended behind what it said is kept, and its end told behind that", () => {
    const gate = new Gate().listens();
    const client = gate.arrives();
    client.reads(TLS);
    client.ends();
    expect(gate.upstream.clients).toBe(1);
    const server = gate.transport.dialling.connects();
    expect(client.commands).not.toContain("resume");
    expect(server.taken()).toEqual(TLS);
    expect(server.commands).toEqual(["end"]);
    gate.upstream.stop();
    gate.expectOver(client, server);
  });

  it("and has ended behind what it said is let go after less than a second, dialled for or waiting", () => {
    for (const when of ["dialled for", "waiting"]) {
      const gate = new Gate().listens();
      const client = gate.arrives();
      const dial = gate.transport.dialling;
      client.reads(TLS);
      if (when === "waiting") dial.fails();
      client.ends();
      gate.clock.move(899);
      expect(client.commands).toEqual([]);
      gate.clock.move(1);
      expect(client.commands).toEqual(["destroy"]);
      expect(dial.state).toBe(when === "waiting" ? "failed" : "cancelled");
      expect(gate.room.taken).toBe(0);
      gate.upstream.stop();
      gate.expectOver(client);
    }
  });

  it("waits with what it says beyond 64 KiB", () => {
    const gate = new Gate().listens();
    const client = gate.arrives();
    client.reads(TLS, Buffer.alloc(65_536 - TLS.length));
    expect(client.commands).toEqual([]);
    client.reads(Buffer.alloc(1));
    expect(client.commands).toEqual(["pause"]);
    const server = gate.transport.dialling.connects();
    expect(client.commands).toEqual(["pause", "resume"]);
    expect(server.taken()).toHaveLength(65_537);
    gate.upstream.stop();
    gate.expectOver(client, server);
  });

  it("and has said more than its server takes at first is left unread until that takes more", () => {
    const gate = new Gate().listens();
    const client = gate.arrives();
    client.reads(TLS, Buffer.alloc(65_536));
    const server = gate.transport.dialling.connects(true);
    expect(client.isPaused).toBe(true);
    server.drains();
    expect(client.isPaused).toBe(false);
    gate.upstream.stop();
    gate.expectOver(client, server);
  });

  it("and whose dial nobody answers waits for limits.handshake: then the server is down", () => {
    const gate = new Gate().listens();
    const client = gate.arrives();
    gate.clock.move(HANDSHAKE_MS - 1);
    expect(gate.transport.dialling.state).toBe("open");
    gate.clock.move(1);
    expect(gate.transport.dialling.state).toBe("cancelled");
    expect(gate.told.at(-1)).toBe("down: ETIMEDOUT");
    expect(gate.state).toBe("down");
    gate.upstream.stop();
    gate.expectOver(client);
  });
});

describe("a client whose dial is refused", () => {
  /** It waits for a server that is down. */
  function waiting() {
    const gate = new Gate().listens();
    const client = gate.arrives();
    gate.transport.dialling.fails();
    return { gate, client };
  }

  it("waits while the server is down, and is served when it is back", () => {
    const { gate, client } = waiting();
    expect(gate.told).toEqual(["listening", "down: ECONNREFUSED"]);
    expect(client.commands).toEqual([]);
    gate.clock.move(100);
    gate.answers();
    gate.transport.listening.opens();
    expect(gate.told).toEqual(["listening", "down: ECONNREFUSED", "up", "listening"]);
    const server = gate.transport.dialling.connects();
    expect(gate.upstream.sessions.size).toBe(1);
    server.reads(gate.speech.name);
    expect(client.taken()).toEqual(gate.speech.name);
    gate.clock.move(HANDSHAKE_MS - 1);
    expect(client.commands).not.toContain("destroy");
    gate.upstream.stop();
    gate.expectOver(client, server);
  });

  it("that was served is not dialled for at the next outage", () => {
    const { gate, client } = waiting();
    gate.clock.move(100);
    gate.answers();
    gate.transport.listening.opens();
    const server = gate.transport.dialling.connects();
    const next = gate.arrives();
    gate.transport.dialling.fails();
    next.closes();
    gate.clock.move(100);
    gate.answers();
    const { length } = gate.transport.dials;
    gate.transport.listening.opens();
    expect(gate.transport.dials).toHaveLength(length);
    gate.upstream.stop();
    gate.expectOver(client, server);
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
    gate.upstream.stop();
    gate.expectOver(client);
  });

  it("may leave meanwhile, and nobody dials for it", () => {
    const { gate, client } = waiting();
    client.closes();
    gate.clock.move(100);
    gate.answers();
    const { length } = gate.transport.dials;
    gate.transport.listening.opens();
    expect(gate.transport.dials).toHaveLength(length);
    gate.upstream.stop();
    gate.expectOver(client);
  });

  it("is refused when its second dial fails, too", () => {
    const { gate, client } = waiting();
    gate.clock.move(100);
    gate.answers();
    gate.transport.listening.opens();
    gate.transport.dialling.fails();
    expect(client.commands).toEqual(["destroy"]);
    expect(gate.room.taken).toBe(0);
    gate.upstream.stop();
    gate.expectOver(client);
  });

  it("is not the only one: each of them is dialled for", () => {
    const gate = new Gate().listens();
    const clients = [gate.arrives(), gate.arrives(), gate.arrives()];
    const dials = gate.transport.dials.slice(-3);
    for (const dial of dials) dial.fails();
    expect(gate.told).toEqual(["listening", "down: ECONNREFUSED"]);
    gate.clock.move(100);
    gate.answers();
    gate.transport.listening.opens();
    const servers = gate.transport.dials.slice(-3).map((dial) => dial.connects());
    expect(gate.upstream.sessions.size).toBe(3);
    gate.upstream.stop();
    gate.expectOver(...clients, ...servers);
  });
});
