import { describe, expect, it } from "vitest";
import type { Party } from "../../src/session/connection.ts";
import { payloads, type PlayedConnection } from "./played-connection.ts";
import { EVENTS, LIVES, type EventName, type LifeName, type Scene } from "./scenes.ts";
import { forget, Stage, type Pair } from "./stage.ts";

// The table of *Lives* in docs/architecture.md, cell by cell: what each event leads to in each life.

/** What a leg is told that closes behind what was written. */
const CLOSE = "end resume";
const CLIENT = `client ${CLOSE}`;
const SERVER = `server ${CLOSE}`;
const TOLD = "told server-ended";
const LIMBO = "other unknown-commit by server";
const DATABASE = "database-changed by server";

/** The life behind it; what each connection was told; why it was ended; what the upstream was told; what became of the other. */
const TABLE: Record<EventName, Partial<Record<LifeName, string>>> = {
  "the client's half": {
    // It has said nothing at all: a probe.
    shaking: "over, client destroy, server end resume destroy",
    open: "open, server end",
    registering: "registered, server end",
    registered: "registered, server end",
    holding: "registered, server end",
    finishing: "registered",
    draining: "draining",
    relayed: "relayed, server end",
    over: "over",
  },
  "the client's half inside a frame": {
    open: `over, client destroy, ${SERVER}, truncated-frame by client`,
    registering: `over, client destroy, ${SERVER}, truncated-frame by client`,
    registered: `over, client destroy, ${SERVER}, truncated-frame by client`,
    holding: `over, client destroy, ${SERVER}, truncated-frame by client`,
    finishing: "orphan, client destroy, truncated-frame by client",
    draining: "draining",
    relayed: "relayed, server end",
    over: "over",
  },
  "the client closes": {
    shaking: `over, ${SERVER} destroy`,
    open: `over, ${SERVER} destroy`,
    registering: `over, ${SERVER}`,
    registered: `over, ${SERVER}`,
    holding: `over, ${SERVER}`,
    finishing: "orphan",
    draining: "over",
    "given up": "orphan",
    relayed: `over, ${SERVER} destroy`,
    over: "over",
  },

  "the server's half": {
    shaking: `shaking, client end, ${TOLD}`,
    open: `open, client end, ${TOLD}`,
    registering: `over, ${CLIENT}, ${SERVER}, ${TOLD}`,
    registered: `over, ${CLIENT}, ${SERVER}, ${TOLD}`,
    holding: `draining, ${SERVER}, ${TOLD}`,
    finishing: `over, ${CLIENT}, ${SERVER}, ${TOLD}, ${LIMBO}`,
    orphan: `over, ${SERVER}, ${LIMBO}`,
    "given up": `over, ${CLIENT}, ${SERVER}, ${LIMBO}`,
    relayed: `relayed, client end, ${TOLD}`,
    over: "over",
  },
  "the server's half inside a frame": {
    open: `over, said half a frame, ${CLIENT}, ${SERVER}, truncated-frame by server, ${TOLD}`,
    registering: `over, said half a frame, ${CLIENT}, ${SERVER}, truncated-frame by server, ${TOLD}`,
    registered: `over, said half a frame, ${CLIENT}, ${SERVER}, truncated-frame by server, ${TOLD}`,
    holding: `draining, ${SERVER}, truncated-frame by server, ${TOLD}`,
    finishing: `over, said half a frame, ${CLIENT}, ${SERVER}, truncated-frame by server, ${TOLD}, ${LIMBO}`,
    orphan: `over, ${SERVER}, ${LIMBO}`,
    "given up": `over, ${CLIENT}, ${SERVER}, ${LIMBO}`,
    relayed: `relayed, said bytes, client end, ${TOLD}`,
    over: "over",
  },
  "the server closes": {
    shaking: `over, ${CLIENT}, ${TOLD}`,
    open: `over, ${CLIENT}, ${TOLD}`,
    registering: `over, ${CLIENT}, ${TOLD}`,
    registered: `over, ${CLIENT}, ${TOLD}`,
    holding: `draining, ${TOLD}`,
    finishing: `over, ${CLIENT}, ${TOLD}, ${LIMBO}`,
    draining: "draining",
    orphan: `over, told closed, ${LIMBO}`,
    "given up": `over, ${CLIENT}, ${LIMBO}`,
    relayed: `over, ${CLIENT}, ${TOLD}`,
    over: "over",
  },

  "nonsense of the client's": {
    shaking: `over, client destroy, ${SERVER}, bad-pickle by client`,
    open: `over, client destroy, ${SERVER}, bad-pickle by client`,
    registering: `over, client destroy, ${SERVER}, bad-pickle by client`,
    registered: `over, client destroy, ${SERVER}, bad-pickle by client`,
    holding: `over, client destroy, ${SERVER}, bad-pickle by client`,
    finishing: "orphan, client destroy, bad-pickle by client",
    draining: "draining",
    relayed: "relayed",
    over: "over",
  },
  "nonsense of the server's": {
    open: `over, client destroy, ${SERVER}, bad-pickle by server`,
    registering: `over, client destroy, ${SERVER}, bad-pickle by server`,
    registered: `over, client destroy, ${SERVER}, bad-pickle by server`,
    holding: `over, client destroy, ${SERVER}, bad-pickle by server`,
    finishing: `over, ${CLIENT} destroy, ${SERVER}, bad-pickle by server, ${LIMBO}`,
    orphan: `over, ${SERVER}, bad-pickle by server, ${LIMBO}`,
    "given up": `over, ${CLIENT} destroy, ${SERVER}, ${LIMBO}`,
    relayed: "relayed, said bytes",
    over: "over",
  },
  "a rule of the ledger": {
    shaking: `shaking, other ${DATABASE}`,
    open: `open, other ${DATABASE}`,
    registering: `over, ${CLIENT}, ${SERVER}, ${DATABASE}, other ${DATABASE}`,
    registered: `over, ${CLIENT}, ${SERVER}, ${DATABASE}, other ${DATABASE}`,
    holding: `over, ${CLIENT}, ${SERVER}, ${DATABASE}, other ${DATABASE}`,
    finishing: `orphan, ${CLIENT}, ${DATABASE}, other ${DATABASE}`,
    draining: `over, ${CLIENT}, ${DATABASE}, other ${DATABASE}`,
    orphan: `orphan, other ${DATABASE}`,
    "given up": `orphan, other ${DATABASE}`,
    relayed: `relayed, other ${DATABASE}`,
    over: `over, other ${DATABASE}`,
  },
  "all that was due goes out": {
    holding: "registered, said T2000 [5 1]",
    draining: `over, said T2000 [5 1], ${CLIENT}`,
  },
  "the reply to its tpc_finish": {
    finishing: "registered, said reply 9",
    orphan: `over, ${SERVER}`,
    "given up": `over, ${SERVER}`,
  },
  "stop()": {
    shaking: `over, ${CLIENT}, ${SERVER}`,
    open: `over, ${CLIENT}, ${SERVER}`,
    registering: `over, ${CLIENT}, ${SERVER}`,
    registered: `over, ${CLIENT}, ${SERVER}`,
    holding: `over, ${CLIENT}, ${SERVER}`,
    finishing: `orphan, ${CLIENT}, ${SERVER}`,
    draining: `over, ${CLIENT}`,
    orphan: `orphan, ${SERVER}`,
    "given up": `orphan, ${CLIENT}, ${SERVER}`,
    relayed: `over, ${CLIENT}, ${SERVER}`,
    over: "over",
  },
  "destroy()": {
    shaking: "shaking, client destroy, server destroy",
    open: "open, client destroy, server destroy",
    registering: "registered, client destroy, server destroy",
    registered: "registered, client destroy, server destroy",
    holding: "registered, client destroy, server destroy",
    finishing: "registered, client destroy, server destroy",
    draining: "draining, client destroy, server destroy",
    orphan: "orphan, server destroy",
    "given up": "orphan, client destroy, server destroy",
    relayed: "relayed, client destroy, server destroy",
    over: "over, client destroy, server destroy",
  },
  "quiesce()": {
    shaking: "shaking, client pause",
    open: "open, client pause",
    registering: "registered, client pause",
    registered: "registered, client pause",
    holding: "registered, client pause",
    finishing: "registered, client pause",
    draining: "draining, client pause",
    relayed: "relayed, client pause",
  },
};

function outcome({ stage, pair, other }: Scene, endingsBefore: number): string {
  const { client, server, session } = pair;
  return [
    session.life,
    ...said(stage, pair),
    ...commanded("client", client),
    ...commanded("server", server),
    ...stage.endings(pair).slice(endingsBefore),
    ...stage.newsOf(pair).map((news) => `told ${news}`),
    ...stage.endings(other).map((ending) => `other ${ending}`),
  ].join(", ");
}

function commanded(end: Party, { commands }: PlayedConnection): string[] {
  return commands.length === 0 ? [] : [`${end} ${commands.join(" ")}`];
}

function said(stage: Stage, { client, session }: Pair): string[] {
  const bytes = client.taken();
  if (bytes.length === 0) return [];
  if (session.life === "relayed") return ["said bytes"];
  try {
    return [
      `said ${payloads(bytes)
        .map((payload) => stage.speech.said(payload))
        .join(" ")}`,
    ];
  } catch {
    return ["said half a frame"];
  }
}

describe.each(Object.entries(TABLE))("%s", (event, cells) => {
  it.each(Object.entries(cells))("of a session that is %s", (life, expected) => {
    const stage = new Stage();
    const scene = LIVES[life as LifeName](stage);
    forget(scene.pair);
    stage.news.length = 0;
    const before = stage.endings(scene.pair).length;
    EVENTS[event as EventName](scene);
    expect(outcome(scene, before)).toBe(expected);
    stage.leave();
  });
});
