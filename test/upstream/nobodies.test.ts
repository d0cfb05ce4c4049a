import { describe, expect, it } from "vitest";
import type { PlayedConnection } from "../session/played-connection.ts";
import { Gate } from "./gate.ts";

/** Both are closed by now, if the proxy has destroyed them. */
function closes({ client, server }: { client: PlayedConnection; server: PlayedConnection }): void {
  client.settles();
  server.settles();
}

describe("where there is no room for more clients", () => {
  it("who has not registered for a second makes some, the oldest first; the address stays open", () => {
    const gate = new Gate({ clients: 4 }).listens();
    const registered = gate.registers();
    const [first, second] = [gate.connects(), gate.connects()];
    gate.clock.move(1_000);
    const third = gate.connects();
    expect([first.client.isClosed, second.client.isClosed]).toEqual([false, false]);
    expect(gate.transport.listening.isGivenUp).toBe(false);
    expect(gate.room.taken).toBe(3);
    closes(first);
    expect([first.client.isClosed, first.server.isClosed]).toEqual([true, true]);
    expect(gate.ends).toEqual(["not-registered by client"]);
    const fourth = gate.connects();
    closes(second);
    expect(second.client.isClosed).toBe(true);
    expect([registered, third, fourth].map(({ client }) => client.isClosed)).toEqual([false, false, false]);
    expect(gate.told).toEqual(["listening"]);
    expect(gate.state).toBe("listening");
    gate.leave();
  });

  it("those who have just come are waited for, and then there is room again", () => {
    const gate = new Gate({ clients: 2 }).listens();
    gate.registers();
    gate.clock.move(500);
    const silent = gate.connects();
    expect(gate.state).toBe("full");
    gate.clock.move(999);
    expect([silent.client.isClosed, gate.state]).toEqual([false, "full"]);
    gate.clock.move(1);
    closes(silent);
    expect(silent.client.isClosed).toBe(true);
    gate.transport.listening.opens();
    expect(gate.state).toBe("listening");
    expect(gate.room.taken).toBe(1);
    gate.leave();
  });

  it("nobody goes who has registered", () => {
    const gate = new Gate({ clients: 3 }).listens();
    const pairs = [gate.registers(), gate.registers(), gate.registers()];
    gate.clock.move(60_000);
    expect(pairs.map(({ client }) => client.isClosed)).toEqual([false, false, false]);
    expect(gate.state).toBe("full");
    gate.leave();
  });

  it("nobody is given up behind a stop", () => {
    const gate = new Gate({ clients: 2 }).listens();
    const [one] = [gate.connects(), gate.connects()];
    gate.upstream.stop();
    gate.clock.move(5_000);
    expect(one.client.isClosed).toBe(false);
    expect(gate.ends).toEqual([]);
    gate.expectOver();
  });

  it("who takes the last place before his server is there makes room, too, a second after it is", () => {
    const gate = new Gate({ clients: 2 }).listens();
    gate.registers();
    const client = gate.arrives();
    expect(gate.state).toBe("full");
    gate.clock.move(5_000);
    const server = gate.transport.dialling.connects();
    gate.clock.move(1_000);
    expect(gate.ends).toEqual(["not-registered by client"]);
    closes({ client, server });
    gate.transport.listening.opens();
    expect(gate.state).toBe("listening");
    gate.leave();
  });

  it("all go who must, however many, where the limit becomes a lower one", () => {
    const gate = new Gate({ clients: 4_000 }).listens();
    const registered = gate.registers();
    const pairs = Array.from({ length: 3_000 }, () => gate.connects());
    gate.clock.move(1_000);
    gate.room.limit = 10;
    expect([gate.room.taken, gate.ends.length]).toEqual([9, 2_992]);
    for (const pair of pairs.slice(0, 2_992)) closes(pair);
    expect([gate.room.taken, registered.client.isClosed]).toEqual([9, false]);
    gate.transport.listening.opens();
    gate.leave();
  });
});
