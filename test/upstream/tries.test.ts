import { describe, expect, it } from "vitest";
import { framed } from "../../src/wire/frame.ts";
import { Finder, Gate, HANDSHAKE_MS } from "./gate.ts";

const GRACE_MS = 1_000;

describe("the first try", () => {
  it("finds a server that greets: the upstream listens at once", () => {
    const gate = new Gate().begins();
    expect(gate.transport.dialling.server).toEqual({ host: "server", port: 1 });
    gate.answers();
    expect(gate.state).toBe("listening");
    expect(gate.begun).toBe(1);
    expect(gate.happenings).toEqual([
      { what: "listening", upstream: "main", address: "127.0.0.1:4711", server: "server:1", isAgain: false },
    ]);
    expect(gate.clock.pending).toEqual([]);
    gate.leave();
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
    const reason = { refuses: "ECONNREFUSED", "does not answer": "ETIMEDOUT" }[how] ?? "ended";
    expect(gate.told).toEqual([`down: ${reason}`]);
    expect(gate.transport.listening.isGivenUp).toBe(true);
    expect(gate.clock.pending).toEqual([100]);
    gate.leave();
  });

  it("takes a server that stays connected for a second for one that waits for its client", () => {
    const gate = new Gate().begins();
    const server = gate.transport.dialling.connects();
    gate.clock.move(GRACE_MS - 1);
    expect(gate.state).toBe("starting");
    gate.clock.move(1);
    expect(gate.state).toBe("listening");
    expect(server.commands).toEqual(["destroy"]);
    gate.leave();
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
    gate.leave();
  });

  it("whose server has answered has not failed when its connection closes", () => {
    const gate = new Gate().begins();
    gate.transport.dialling.fails();
    gate.clock.move(100);
    const server = gate.transport.dialling.connects();
    server.reads(gate.speech.name);
    gate.transport.listening.opens();
    gate.arrives();
    gate.transport.dialling.fails();
    expect(gate.told).toEqual(["down: ECONNREFUSED", "up", "listening", "down: ECONNREFUSED"]);
    const pending = [...gate.clock.pending];
    server.closes();
    expect(gate.clock.pending).toEqual(pending);
    gate.leave();
  });
});

describe("what a try's server says", () => {
  const named = (): { gate: Gate; told: string[] } => {
    const gate = new Gate({ expected: ["1", "main"] }).begins();
    const told: string[] = [];
    gate.storages.expect = (names, family, upstream) => void told.push(`${names.join()} ${family} ${upstream}`);
    return { gate, told };
  };

  it.each([
    ["Z4", "old"],
    ["Z5", "new"],
  ])(
    "is %s, in pieces: its family is told to the storages that are expected, each time that it is tried",
    (name, family) => {
      const { gate, told } = named();
      const server = gate.transport.dialling.connects();
      const greeting = framed(Buffer.from(name));
      for (const byte of greeting.subarray(0, -1)) server.reads(Buffer.from([byte]));
      expect([gate.state, told]).toEqual(["starting", []]);
      server.reads(greeting.subarray(-1));
      expect([gate.state, told]).toEqual(["listening", [`1,main ${family} main`]]);
      expect(gate.clock.pending).toEqual([]);
      gate.registers().server.ends();
      gate.clock.move(100);
      gate.answers();
      expect(told).toEqual([`1,main ${family} main`, "1,main new main"]);
      gate.leave();
    },
  );

  it.each(["unknown", "half of a greeting", "nothing"])("is %s: nothing is told, and it is up", (what) => {
    const { gate, told } = named();
    const server = gate.transport.dialling.connects();
    const bytes = framed(Buffer.from("Z6"));
    if (what !== "nothing") server.reads(what === "unknown" ? bytes : bytes.subarray(0, 5));
    if (what !== "unknown") gate.clock.move(GRACE_MS);
    expect([gate.state, told]).toEqual(["listening", []]);
    expect(server.commands).toEqual(["destroy"]);
    gate.leave();
  });
});

describe("a server whose name has no address yet", () => {
  it("is down until it has one; a client that comes meanwhile is dialled for when it is known which server it is", () => {
    const finder = new Finder();
    const gate = new Gate({ finder }).begins();
    const client = gate.arrives();
    expect(gate.transport.dials).toEqual([]);
    finder.fails("ENOTFOUND");
    expect(gate.told).toEqual(["down: ENOTFOUND"]);
    expect(gate.begun).toBe(1);
    gate.clock.move(100);
    finder.finds(gate.storages);
    gate.answers();
    gate.transport.listening.opens();
    const server = gate.transport.dialling.connects();
    server.reads(gate.speech.name);
    expect(client.taken()).toEqual(gate.speech.name);
    expect(finder.asked).toBe(2);
    gate.leave();
  });

  it("is in trouble where the name service does not answer, and a stop asks no longer", () => {
    const finder = new Finder();
    const gate = new Gate({ finder }).begins();
    finder.fails("EAI_AGAIN");
    expect(gate.told).toEqual(["trouble: EAI_AGAIN"]);
    gate.clock.move(100);
    gate.upstream.stop();
    expect(finder.isCancelled).toBe(true);
    gate.expectOver();
  });
});
