import { expect } from "vitest";
import { frameOf } from "../proxy/peer.ts";
import { eight } from "./speech.ts";
import type { Pair, Stage } from "./stage.ts";

/** A session in one of its lives, and another one of the same storage. */
export interface Scene {
  readonly stage: Stage;
  readonly pair: Pair;
  readonly other: Pair;
}

/** Something that the ledger holds for the pair's client, until the other's `tpc_finish` is answered. */
function holding(stage: Stage): Scene {
  const [other, pair] = [stage.finishing(), stage.registered()];
  pair.server.reads(stage.speech.invalidation(2000, 5));
  return { stage, pair, other };
}

function withOther(make: (stage: Stage) => Pair): (stage: Stage) => Scene {
  return (stage) => ({ stage, other: stage.registered(), pair: make(stage) });
}

export const LIVES = {
  shaking: withOther((stage) => {
    const pair = stage.connected();
    pair.server.reads(stage.speech.name);
    return pair;
  }),
  open: withOther((stage) => stage.shaken()),
  registering: withOther((stage) => stage.registering()),
  registered: withOther((stage) => stage.registered()),
  holding,
  finishing: withOther((stage) => stage.finishing()),
  draining: (stage: Stage) => {
    const scene = holding(stage);
    scene.pair.server.ends();
    return scene;
  },
  /** Its client has gone. */
  orphan: withOther((stage) => {
    const pair = stage.finishing();
    pair.client.closes();
    return pair;
  }),
  /** An orphan, too, whose client was given up and is not closed yet. */
  "given up": withOther((stage) => {
    const pair = stage.finishing();
    pair.client.reads(stage.speech.nonsense);
    return pair;
  }),
  relayed: withOther((stage) => {
    const pair = stage.connected();
    pair.server.reads(stage.speech.name);
    pair.client.reads(frameOf(Buffer.from("Z6")));
    return pair;
  }),
  /** Both connections are still to be closed. */
  over: withOther((stage) => {
    const pair = stage.registered();
    pair.session.stop();
    return pair;
  }),
} satisfies Record<string, (stage: Stage) => Scene>;

export type LifeName = keyof typeof LIVES;

export const EVENTS = {
  "the client's half": ({ pair }) => pair.client.ends(),
  "the client's half inside a frame": ({ pair, stage }) => {
    pair.client.reads(stage.speech.call(70, "loadEx", eight(1)).subarray(0, 30));
    pair.client.ends();
  },
  "the client closes": ({ pair }) => pair.client.closes(),
  "the server's half": ({ pair }) => pair.server.ends(),
  "the server's half inside a frame": ({ pair, stage }) => {
    pair.server.reads(stage.speech.tell("info", new Map()).subarray(0, 20));
    pair.server.ends();
  },
  "the server closes": ({ pair }) => pair.server.closes(),
  "nonsense of the client's": ({ pair, stage }) => {
    if (pair.session.life === "shaking") pair.client.reads(Buffer.concat([stage.speech.name, stage.speech.nonsense]));
    else pair.client.reads(stage.speech.nonsense);
  },
  "nonsense of the server's": ({ pair, stage }) => pair.server.reads(stage.speech.nonsense),
  /** A rule of the ledger ends every session of the storage: another database answers. */
  "a rule of the ledger": ({ other, stage }) => {
    other.client.reads(stage.speech.call(50, "lastTransaction"));
    other.server.reads(stage.speech.reply(50, eight(10)));
  },
  "all that was due goes out": ({ other, stage }) => other.server.reads(stage.speech.reply(9, eight(2000))),
  "the reply to its tpc_finish": ({ pair, stage }) => pair.server.reads(stage.speech.reply(9, eight(2000))),
  "stop()": ({ pair }) => pair.session.stop(),
  "destroy()": ({ pair }) => pair.session.destroy(),
  "quiesce()": ({ pair }) => pair.session.quiesce(),
} satisfies Record<string, (scene: Scene) => void>;

export type EventName = keyof typeof EVENTS;

/** A client whose network takes nothing, with something that waits for it. */
export function slow(stage: Stage, make: () => Pair = () => stage.registered()): Pair {
  const pair = make();
  pair.client.sticks();
  pair.server.reads(stage.speech.tell("info", Buffer.alloc(1000)));
  return pair;
}

/** One that is behind, and whose server has closed: what is held for it waits for another's commit. */
export function slowAndDraining(stage: Stage): Pair {
  const { speech } = stage;
  const [, pair] = [stage.finishing(1), stage.registered()];
  pair.client.sticks();
  pair.server.reads(Buffer.concat([speech.tell("info", Buffer.alloc(1000)), speech.invalidation(2000)]));
  pair.server.closes();
  expect(pair.session.life).toBe("draining");
  return pair;
}
