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
    gate.leave();
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
      gate.leave();
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
    gate.leave();
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
      gate.leave();
    }
  });

  it("says 64 KiB at most before its server is there", () => {
    const gate = new Gate().listens();
    const [client, other] = [gate.arrives(), gate.arrives()];
    client.reads(TLS, Buffer.alloc(65_536 - TLS.length));
    expect(client.commands).toEqual([]);
    client.reads(Buffer.alloc(1));
    expect(client.commands).toEqual(["destroy"]);
    expect(gate.happenings.filter(({ what }) => what === "ended")).toMatchObject([
      { upstream: "main", client: client.peer, end: { code: "message-too-long", fault: "client", detail: "65537" } },
    ]);
    expect(gate.upstream.clients).toBe(1);
    expect(gate.memory.bytes).toBe(0);
    other.reads(Buffer.alloc(65_536));
    expect(gate.transport.dialling.connects().taken()).toHaveLength(65_536);
    gate.leave();
  });

  it("is read all the time, so that its end is seen, dialled for or waiting", () => {
    for (const when of ["dialled for", "waiting"]) {
      const gate = new Gate().listens();
      const client = gate.arrives();
      if (when === "waiting") gate.transport.dialling.fails();
      client.reads(Buffer.alloc(65_536));
      expect(client.isPaused).toBe(false);
      client.closes();
      expect(gate.upstream.clients).toBe(0);
      expect(gate.memory.bytes).toBe(0);
      gate.leave();
    }
  });

  it("counts in limits.memory with what it has said; who has said most goes first", () => {
    const gate = new Gate({ memoryBytes: 150_000 }).listens();
    const clients = [50_000, 60_000, 45_000].map((bytes) => {
      const client = gate.arrives();
      client.reads(Buffer.alloc(bytes));
      return client;
    });
    expect(clients.map(({ commands }) => commands)).toEqual([[], ["destroy"], []]);
    expect(gate.happenings.filter(({ what }) => what === "ended")).toMatchObject([
      { client: clients[1]?.peer, end: { code: "memory-exhausted", detail: "60000 bytes, more than any other's" } },
    ]);
    expect(gate.upstream.clients).toBe(2);
    // A session's memory is its own to tell.
    gate.transport.dialling.connects();
    expect(gate.memory.bytes).toBe(50_000);
    gate.leave();
    expect(gate.memory.bytes).toBe(0);
  });

  it("and whose dial nobody answers waits for limits.handshake: then the server is down", () => {
    const gate = new Gate().listens();
    gate.arrives();
    gate.clock.move(HANDSHAKE_MS - 1);
    expect(gate.transport.dialling.state).toBe("open");
    gate.clock.move(1);
    expect(gate.transport.dialling.state).toBe("cancelled");
    expect(gate.told.at(-1)).toBe("down: ETIMEDOUT");
    expect(gate.state).toBe("down");
    gate.leave();
  });
});
