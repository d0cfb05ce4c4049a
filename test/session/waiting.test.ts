import { describe, expect, it } from "vitest";
import type { StorageWitness, WitnessTold } from "../../src/storage/witness.ts";
import { asTid } from "../../src/wire/ids.ts";
import { Stage, type Pair } from "./stage.ts";

const NOTHING = (): void => undefined;

/** Sessions of a storage that waits for its witness. */
class Waiting {
  readonly stage: Stage;
  readonly told: WitnessTold[] = [];
  stops = 0;

  constructor(protocol = "Z5") {
    const source = (told: WitnessTold): StorageWitness => {
      this.told.push(told);
      return { progress: 0, ask: NOTHING, read: NOTHING, retry: NOTHING, stop: () => void this.stops++ };
    };
    this.stage = new Stage(protocol, { witness: { of: () => source, settings: { pollMs: 1000, holdMs: 2000 } } });
  }

  /** What has been sent to the server of each. */
  sent(...pairs: Pair[]): number[] {
    return pairs.map(({ server }) => server.frames().length);
  }
}

describe("a register that waits for the witness", () => {
  it("is forwarded when that is there, with what came behind it", () => {
    const { stage, told } = new Waiting();
    const pair = stage.shaken();
    const { speech } = stage;
    pair.client.reads(Buffer.concat([speech.call(1, "register", "1", false), speech.call(2, "get_info")]));
    expect(pair.server.frames()).toEqual([]);
    // It has said what it is here for.
    expect(pair.session.isNobody).toBe(false);
    told[0]?.up(asTid(1000n));
    expect(pair.server.frames().length).toBe(2);
    expect(pair.session.life).toBe("registered");
    stage.leave();
  });

  it("is forwarded when there is no witness in time, and for each who waits", () => {
    const waiting = new Waiting();
    const { stage } = waiting;
    const pairs = [stage.shaken(), stage.shaken()];
    for (const { client } of pairs) client.reads(stage.speech.call(1, "register", "1", false));
    stage.clock.move(1999);
    expect(waiting.sent(...pairs)).toEqual([0, 0]);
    stage.clock.move(1);
    expect(waiting.sent(...pairs)).toEqual([1, 1]);
    stage.leave();
  });

  it("is not forwarded behind the server's end, and its client is read again: else nobody heard that it leaves", () => {
    const { stage, told } = new Waiting();
    const { client, server, session } = stage.shaken();
    client.reads(stage.speech.call(1, "register", "1", false));
    server.ends();
    expect(client.commands.filter((command) => command !== "end")).toEqual(["pause"]);
    told[0]?.up(asTid(1000n));
    expect(client.commands.at(-1)).toBe("resume");
    expect([server.frames(), session.life]).toEqual([[], "open"]);
    client.closes();
    server.closes();
    expect(session.life).toBe("over");
    stage.leave();
  });

  it("leaves no storage behind where all who waited have left", () => {
    const waiting = new Waiting();
    const { stage, told } = waiting;
    const [one, other] = [stage.shaken(), stage.shaken()];
    for (const { client } of [one, other]) client.reads(stage.speech.call(1, "register", "no such", false));
    one.client.closes();
    other.client.closes();
    told[0]?.unable("no-storage");
    expect([...stage.storages.all()]).toEqual([]);
    expect(waiting.stops).toBe(1);
    stage.leave();
  });

  it("keeps the storage where another one waits", () => {
    const waiting = new Waiting();
    const { stage, told } = waiting;
    const [one, other] = [stage.shaken(), stage.shaken()];
    for (const { client } of [one, other]) client.reads(stage.speech.call(1, "register", "1", false));
    const [storage] = stage.storages.all();
    one.client.closes();
    told[0]?.unable("tls");
    expect([...stage.storages.all()]).toEqual([storage]);
    expect([waiting.stops, other.session.life, waiting.sent(other)]).toEqual([0, "registered", [1]]);
    stage.leave();
  });
});
