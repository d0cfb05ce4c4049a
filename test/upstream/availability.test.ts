import { describe, expect, it } from "vitest";
import { Availability, type Decision } from "../../src/upstream/availability.ts";

/** The time of the event; what led to the state was a second before. */
const NOW = 1_000;

/** A state, and what leads to it at time 0. */
const STATES = {
  starting: () => new Availability(),
  listening: () => after((machine) => machine.begun(true, 0)),
  full: () =>
    after(
      (machine) => machine.begun(true, 0),
      (machine) => machine.room(false),
    ),
  /** There is room again, and the address is being taken. */
  "full, opening": () =>
    after(
      (machine) => machine.begun(true, 0),
      (machine) => machine.room(false),
      (machine) => machine.room(true),
    ),
  "down, told": () =>
    after(
      (machine) => machine.begun(true, 0),
      (machine) => machine.dialFailed("ECONNREFUSED", 0),
    ),
  "down, untold": () =>
    after(
      (machine) => machine.begun(true, 0),
      (machine) => machine.lastEnded(0),
    ),
  "down, opening": () =>
    after(
      (machine) => machine.begun(false, 0),
      (machine) => machine.tried(true, 0),
    ),
  "down, blocked": () =>
    after(
      (machine) => machine.begun(false, 0),
      (machine) => machine.tried(true, 0),
      (machine) => machine.openFailed("EADDRINUSE", 0),
    ),
  stopped: () =>
    after(
      (machine) => machine.begun(true, 0),
      (machine) => machine.stop(),
    ),
} satisfies Record<string, () => Availability>;

type StateName = keyof typeof STATES;

function after(...events: readonly ((machine: Availability) => unknown)[]): Availability {
  const machine = new Availability();
  for (const event of events) event(machine);
  return machine;
}

const EVENTS = {
  "the first try succeeds": (machine) => machine.begun(true, NOW),
  "the first try fails": (machine) => machine.begun(false, NOW),
  "a client's dial fails": (machine) => machine.dialFailed("EHOSTUNREACH", NOW),
  "the last connection ends": (machine) => machine.lastEnded(NOW),
  "the server stays silent": (machine) => machine.silent(NOW),
  "a try succeeds": (machine) => machine.tried(true, NOW),
  "a try fails": (machine) => machine.tried(false, NOW),
  "the address is taken": (machine) => machine.opened(),
  "somebody else has the address": (machine) => machine.openFailed("EADDRINUSE", NOW),
  "there is no room any more": (machine) => machine.room(false),
  "there is room": (machine) => machine.room(true),
  stop: (machine) => machine.stop(),
} satisfies Record<string, (machine: Availability) => Decision[]>;

type EventName = keyof typeof EVENTS;

const LISTENING = "listening: tell-listening, admit";
const DIAL_FAILED = "down: give-up-address, tell-down EHOSTUNREACH, try in 100";
const LAST_ENDED = "down: give-up-address, try in 0";
const SILENT = "down: give-up-address, tell-down silent, try in 100 for a greeting";
const BLOCKED = "down: tell-blocked EADDRINUSE, try in 5000";

/** The state behind it, and what is to be done. What is not there changes nothing. */
const TABLE: Record<StateName, Partial<Record<EventName, string>>> = {
  starting: {
    "the first try succeeds": LISTENING,
    "the first try fails": "down: give-up-address, tell-down no answer, try in 100",
    "a client's dial fails": DIAL_FAILED,
    "the last connection ends": LAST_ENDED,
    "the server stays silent": SILENT,
    stop: "stopped: give-up-address",
  },
  listening: {
    "a client's dial fails": DIAL_FAILED,
    "the last connection ends": LAST_ENDED,
    "the server stays silent": SILENT,
    "there is no room any more": "full: give-up-address",
    stop: "stopped: give-up-address",
  },
  full: {
    "a client's dial fails": DIAL_FAILED,
    "the last connection ends": LAST_ENDED,
    "the server stays silent": SILENT,
    "the address is taken": "full: tell-listening, admit, give-up-address",
    "somebody else has the address": BLOCKED,
    "there is room": "full: listen",
    stop: "stopped: give-up-address",
  },
  "full, opening": {
    "a client's dial fails": DIAL_FAILED,
    "the last connection ends": LAST_ENDED,
    "the server stays silent": SILENT,
    "the address is taken": LISTENING,
    "somebody else has the address": BLOCKED,
    stop: "stopped: give-up-address",
  },
  "down, told": {
    "a try succeeds": "down: tell-up 1000, listen",
    "a try fails": "down: try in 100",
    stop: "stopped: give-up-address",
  },
  "down, untold": {
    "a try succeeds": "down: listen",
    "a try fails": "down: tell-down all its connections have ended, try in 100",
    stop: "stopped: give-up-address",
  },
  "down, opening": {
    "the address is taken": LISTENING,
    "somebody else has the address": BLOCKED,
    stop: "stopped: give-up-address",
  },
  "down, blocked": {
    // The server was not down: that is only told when it is.
    "a try succeeds": "down: listen",
    "a try fails": "down: tell-down no answer, try in 100",
    stop: "stopped: give-up-address",
  },
  stopped: { stop: "stopped: give-up-address" },
};

function said(decisions: readonly Decision[]): string[] {
  return decisions.map((decision) => {
    switch (decision.do) {
      case "try":
        return `try in ${decision.afterMs}${decision.greeting ? " for a greeting" : ""}`;
      case "tell-down":
      case "tell-blocked":
        return `${decision.do} ${decision.reason}`;
      case "tell-up":
        return `tell-up ${decision.downMs}`;
      case "listen":
      case "give-up-address":
      case "admit":
      case "tell-listening":
        return decision.do;
    }
  });
}

const outcome = (machine: Availability, decisions: readonly Decision[]): string =>
  [machine.state, said(decisions).join(", ")].filter((part) => part !== "").join(": ");

describe.each(Object.keys(STATES) as StateName[])("an upstream that is %s", (name) => {
  it.each(Object.keys(EVENTS) as EventName[])("and %s", (event) => {
    const machine = STATES[name]();
    const unchanged = machine.state;
    const decisions = EVENTS[event](machine);
    expect(outcome(machine, decisions)).toBe(TABLE[name][event] ?? unchanged);
  });
});

describe("a server that is down", () => {
  function delays(machine: Availability, nows: readonly number[]): string[] {
    return nows.map((now) => said(machine.tried(false, now)).join(", "));
  }

  it("is tried after a fiftieth of the time that it has been down, at least 0.1 s and at most 1 s", () => {
    expect(delays(STATES["down, told"](), [100, 5_000, 7_500, 30_000, 50_000, 3_600_000])).toEqual(
      [100, 100, 150, 600, 1000, 1000].map((ms) => `try in ${ms}`),
    );
  });

  it("is told of once when a first try has failed, where only its last connection ended", () => {
    expect(delays(STATES["down, untold"](), [0, 100, 10_000])).toEqual([
      "tell-down all its connections have ended, try in 100",
      "try in 100",
      "try in 200",
    ]);
  });

  it("must say something where it had said nothing, at every try", () => {
    const machine = STATES.listening();
    machine.silent(0);
    expect(delays(machine, [30_100, 60_100])).toEqual(["try in 602 for a greeting", "try in 1000 for a greeting"]);
  });

  it("was down for as long as from its first sign to its answer", () => {
    const machine = STATES["down, untold"]();
    machine.tried(false, 200);
    machine.tried(false, 700);
    expect(said(machine.tried(true, 1_500))).toEqual(["tell-up 1500", "listen"]);
  });

  it("begins with short delays at its next outage", () => {
    const machine = STATES["down, told"]();
    delays(machine, [100, 60_000]);
    machine.tried(true, 61_000);
    machine.opened();
    expect(said(machine.dialFailed("ECONNREFUSED", 62_000)).at(-1)).toBe("try in 100");
    expect(delays(machine, [62_100])).toEqual(["try in 100"]);
  });
});

describe("a server that waits for its client to speak", () => {
  it("is not down because it is silent, once it has answered one", () => {
    const machine = STATES.listening();
    machine.firstWordAnswered();
    expect(machine.silent(NOW)).toEqual([]);
    expect(machine.state).toBe("listening");
    expect(said(machine.dialFailed("ECONNREFUSED", NOW))).toContain("tell-down ECONNREFUSED");
  });
});

describe("a process without room", () => {
  it("takes no address for long: what was taken meanwhile is given up", () => {
    for (const state of ["starting", "down, opening", "full, opening"] as const) {
      const machine = STATES[state]();
      expect(machine.room(false)).toEqual([]);
      const decisions = state === "starting" ? machine.begun(true, NOW) : machine.opened();
      expect(outcome(machine, decisions)).toBe("full: tell-listening, admit, give-up-address");
    }
  });

  it("that gets room while the server is down does not listen before that answers", () => {
    const machine = STATES["down, told"]();
    machine.room(false);
    expect(machine.room(true)).toEqual([]);
    machine.tried(true, NOW);
    expect(outcome(machine, machine.opened())).toBe(LISTENING);
  });

  it("takes the address once, however many leave", () => {
    const machine = STATES.full();
    expect(said(machine.room(true))).toEqual(["listen"]);
    expect(machine.room(true)).toEqual([]);
    machine.room(false);
    expect(said(machine.room(true))).toEqual(["listen"]);
  });
});

describe("an address that somebody else has", () => {
  it("is tried again every five seconds", () => {
    const machine = STATES["down, blocked"]();
    for (let n = 0; n < 3; n++) {
      expect(said(machine.tried(true, NOW))).toContain("listen");
      expect(said(machine.openFailed("EADDRINUSE", NOW))).toEqual(["tell-blocked EADDRINUSE", "try in 5000"]);
    }
    machine.tried(true, NOW);
    expect(outcome(machine, machine.opened())).toBe(LISTENING);
  });
});
