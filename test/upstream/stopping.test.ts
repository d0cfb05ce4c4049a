import { describe, expect, it } from "vitest";
import { stopInOrder } from "../../src/upstream/stopping.ts";
import { eight } from "../session/speech.ts";
import { Gate } from "./gate.ts";

const DRAIN_MS = 2_000;
const POLL_MS = 10;
const CLOSE_MS = 1_000;

/** Stops that gate's upstream; counts how often it was said to be done. */
function stopped(gate: Gate): { done: number } {
  const told = { done: 0 };
  const { upstream, storages, clock } = gate;
  stopInOrder({ upstreams: [upstream], storages: [storages], clock, drainMs: DRAIN_MS }, () => told.done++);
  return told;
}

describe("a stop in order", () => {
  it("is done at once where nobody is", () => {
    const gate = new Gate().listens();
    const told = stopped(gate);
    expect(told.done).toBe(1);
    gate.expectOver();
  });

  it("lets a commit on its way settle, begins nothing new, and ends the connections behind it", () => {
    const gate = new Gate().listens();
    const { client, server } = gate.registers();
    client.reads(gate.speech.creation(9, 1));
    client.taken();
    const told = stopped(gate);
    gate.clock.move(DRAIN_MS / 2);
    expect(client.commands).toEqual(["pause"]);
    server.reads(gate.speech.reply(9, eight(2000)));
    gate.clock.move(POLL_MS);
    expect(client.frames().map((payload) => gate.speech.said(payload))).toEqual(["reply 9"]);
    expect(client.commands).toEqual(["pause", "end", "resume"]);
    expect(told.done).toBe(0);
    gate.settles();
    gate.clock.move(POLL_MS);
    expect(told.done).toBe(1);
    gate.expectOver();
  });

  it("does not wait for a client that holds the lock and may think for long", () => {
    const gate = new Gate().listens();
    const { client, server } = gate.registers();
    const { speech } = gate;
    client.reads(speech.begin(8), speech.store(8, 1), speech.call(30, "vote", 8));
    server.reads(speech.reply(30, null));
    stopped(gate);
    expect(client.commands).toEqual(["end", "resume"]);
    gate.expectOver();
  });

  it("waits for limits.drain and no longer: then what is left is destroyed", () => {
    const gate = new Gate().listens();
    const { client, server } = gate.registers();
    client.reads(gate.speech.creation(9, 1));
    const told = stopped(gate);
    gate.clock.move(DRAIN_MS - 1);
    expect(client.commands).not.toContain("end");
    gate.clock.move(POLL_MS);
    for (const end of [client, server]) expect(end.commands).toContain("destroy");
    expect(told.done).toBe(0);
    gate.clock.move(CLOSE_MS);
    expect(told.done).toBe(1);
    gate.expectOver();
  });

  it("lets what was written go out as long as limits.drain has not passed", () => {
    const gate = new Gate().listens();
    const { client, server } = gate.registers();
    client.sticks();
    server.reads(gate.speech.tell("info", new Map()));
    const told = stopped(gate);
    gate.clock.move(DRAIN_MS / 2);
    expect(client.commands).not.toContain("end");
    client.drains();
    gate.clock.move(POLL_MS);
    expect(client.commands).toContain("end");
    expect(client.commands).not.toContain("destroy");
    gate.settles();
    gate.clock.move(POLL_MS);
    expect(told.done).toBe(1);
    gate.expectOver();
  });

  it("leaves no storage with a timer", () => {
    const gate = new Gate().listens();
    const [committer, watcher] = [gate.registers(), gate.registers()];
    committer.client.reads(gate.speech.creation(9, 1));
    committer.server.reads(gate.speech.reply(9, eight(2000)));
    const ends = [committer, watcher].flatMap(({ client, server }) => [client, server]);
    for (const end of ends) end.closes();
    expect(gate.clock.pending).toHaveLength(1);
    expect(stopped(gate).done).toBe(1);
    expect(gate.clock.pending).toEqual([]);
    gate.expectOver();
  });
});
