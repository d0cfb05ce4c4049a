import { describe, expect, it } from "vitest";
import { Availability, type Decision, type Found } from "../../src/upstream/availability.ts";

/** The time of the event; what led to the state was a second before. */
const NOW = 1_000;

const UP: Found = { isUp: true, greets: false };
const GREETED: Found = { isUp: true, greets: true };
const failed = (code: string): Found => ({ isUp: false, code });

type Step = (machine: Availability) => unknown;

const opened: Step = (machine) => machine.opened();
const isUp: Step = (machine) => machine.tried(UP, false, 0);
const isGreeted: Step = (machine) => machine.tried(GREETED, false, 0);
const refused: Step = (machine) => machine.tried(failed("ECONNREFUSED"), false, 0);
const full: Step = (machine) => machine.room(false);
const hindered: Step = (machine) => machine.hindered("EMFILE", 0);

/** A state, and what leads to it at time 0. */
const STATES = {
  starting: () => after(opened),
  /** The server answers before the address is taken. */
  "starting, not bound": () => after(isUp),
  "starting, blocked": () => after((machine) => machine.openFailed("EADDRNOTAVAIL", 0)),
  listening: () => after(opened, isUp),
  "listening, greeted": () => after(opened, isGreeted),
  doubted: () => after(opened, isGreeted, (machine) => machine.dialFailed("ETIMEDOUT", true, 0)),
  full: () => after(opened, isUp, full),
  /** There is room again, and the address is being taken. */
  "full, opening": () => after(opened, isUp, full, (machine) => machine.room(true)),
  trouble: () => after(opened, isUp, hindered),
  "trouble, opening": () => after(opened, isUp, hindered, isUp),
  /** A try has succeeded; whether it lasts is still to be seen. */
  "trouble, over": () => after(opened, isUp, hindered, isUp, opened),
  down: () => after(opened, refused),
  "down, opening": () => after(opened, refused, isUp),
  "down, in trouble": () => after(opened, refused, (machine) => machine.tried(failed("EMFILE"), false, 0)),
  blocked: () => after(opened, refused, isUp, (machine) => machine.openFailed("EADDRINUSE", 0)),
  stopped: () => after(opened, isUp, (machine) => machine.stop()),
} satisfies Record<string, () => Availability>;

type StateName = keyof typeof STATES;

function after(...steps: readonly Step[]): Availability {
  const machine = new Availability();
  for (const step of steps) step(machine);
  return machine;
}

const EVENTS = {
  "a try is greeted": (machine) => machine.tried(GREETED, false, NOW),
  "a try is kept": (machine) => machine.tried(UP, false, NOW),
  "a try is refused": (machine) => machine.tried(failed("ECONNREFUSED"), false, NOW),
  "a try is refused while others live": (machine) => machine.tried(failed("ECONNREFUSED"), true, NOW),
  "a try can't be made": (machine) => machine.tried(failed("ENFILE"), false, NOW),
  "a client's dial fails": (machine) => machine.dialFailed("EHOSTUNREACH", false, NOW),
  "a client's dial fails while others live": (machine) => machine.dialFailed("EHOSTUNREACH", true, NOW),
  "a client's dial can't be made": (machine) => machine.dialFailed("EAI_AGAIN", false, NOW),
  "a client can't be accepted": (machine) => machine.hindered("EMFILE", NOW),
  "the last connection ends": (machine) => machine.lastEnded(NOW),
  "the server stays silent": (machine) => machine.silent(false, NOW),
  "the address is taken": (machine) => machine.opened(),
  "somebody else has the address": (machine) => machine.openFailed("EADDRINUSE", NOW),
  "the address can't be taken now": (machine) => machine.openFailed("EMFILE", NOW),
  "there is no room any more": (machine) => machine.room(false),
  "there is room": (machine) => machine.room(true),
  stop: (machine) => machine.stop(),
} satisfies Record<string, (machine: Availability) => Decision[]>;

type EventName = keyof typeof EVENTS;

const LISTENING = "listening: tell-listening, admit";
const AGAIN = "listening: tell-listening again, admit";
const CLOSES = "give-up-address";
const DOWN = "tell-down ECONNREFUSED, try in 100";
const UNREACHABLE = "tell-down EHOSTUNREACH, try in 100";
const HINDERED = "tell-trouble EMFILE, try in 100";
const NO_NAMES = "tell-trouble EAI_AGAIN, try in 100";
const BLOCKED = "tell-blocked EADDRINUSE, try in 100";
const OVER = "tell-trouble-over 1000";
const STOPPED = { stop: `stopped: ${CLOSES}` };

/** What any state leads to whose server answers, and whose address is open. */
const OPEN: Partial<Record<EventName, string>> = {
  "a try is refused": `down: ${CLOSES}, ${DOWN}`,
  "a try is refused while others live": "listening: try in 100",
  "a try can't be made": `trouble: ${CLOSES}, tell-trouble ENFILE, try in 100`,
  "a client's dial fails": `down: ${CLOSES}, ${UNREACHABLE}`,
  "a client's dial fails while others live": "listening: try in 100",
  "a client's dial can't be made": `trouble: ${CLOSES}, ${NO_NAMES}`,
  "a client can't be accepted": `trouble: ${CLOSES}, ${HINDERED}`,
  "the last connection ends": "listening: try in 0",
  "a try is greeted": "listening: admit",
  "a try is kept": "listening: admit",
  "there is no room any more": `full: ${CLOSES}`,
  ...STOPPED,
};

/** The state behind it, and what is to be done. What is not there changes nothing. */
const TABLE: Record<StateName, Partial<Record<EventName, string>>> = {
  starting: {
    ...OPEN,
    "a try is greeted": LISTENING,
    "a try is kept": LISTENING,
    "a try is refused while others live": `down: ${CLOSES}, ${DOWN}`,
    "a client's dial fails while others live": `down: ${CLOSES}, ${UNREACHABLE}`,
    "the last connection ends": "starting",
  },
  "starting, not bound": {
    ...OPEN,
    "a try is greeted": "starting",
    "a try is kept": "starting",
    "a try is refused while others live": "starting: try in 100",
    "a client's dial fails while others live": "starting: try in 100",
    "the last connection ends": "starting: try in 0",
    "the address is taken": LISTENING,
    "somebody else has the address": `blocked: ${BLOCKED}`,
    "the address can't be taken now": `trouble: ${HINDERED}`,
  },
  "starting, blocked": {
    "a try is greeted": "blocked: listen",
    "a try is kept": "blocked: listen",
    "a try is refused": `down: ${DOWN}`,
    "a try is refused while others live": `down: ${DOWN}`,
    "a try can't be made": "trouble: tell-trouble ENFILE, try in 100",
    "a client's dial fails": `down: ${UNREACHABLE}`,
    "a client's dial fails while others live": `down: ${UNREACHABLE}`,
    "a client's dial can't be made": `trouble: ${NO_NAMES}`,
    "a client can't be accepted": `trouble: ${HINDERED}`,
    ...STOPPED,
  },
  listening: OPEN,
  "listening, greeted": {
    ...OPEN,
    "a try can't be made": `trouble: ${CLOSES}, tell-trouble ENFILE, try in 100 for a greeting`,
    "a client's dial can't be made": `trouble: ${CLOSES}, ${NO_NAMES} for a greeting`,
    "a client can't be accepted": `trouble: ${CLOSES}, ${HINDERED} for a greeting`,
    "the server stays silent": `down: ${CLOSES}, tell-down silent, try in 100 for a greeting`,
  },
  doubted: {
    ...OPEN,
    // One try is planned already.
    "a client's dial fails while others live": "listening",
  },
  full: {
    "a try is greeted": "full: admit",
    "a try is kept": "full: admit",
    "a try is refused": `down: ${DOWN}`,
    "a try is refused while others live": "full: try in 100",
    "a try can't be made": "trouble: tell-trouble ENFILE, try in 100",
    "a client's dial fails": `down: ${UNREACHABLE}`,
    "a client's dial fails while others live": "full: try in 100",
    "a client's dial can't be made": `trouble: ${NO_NAMES}`,
    "a client can't be accepted": `trouble: ${HINDERED}`,
    "the last connection ends": "full: try in 0",
    "there is room": "starting: listen",
    ...STOPPED,
  },
  "full, opening": {
    ...OPEN,
    "a try is greeted": "starting",
    "a try is kept": "starting",
    "a try is refused while others live": "starting: try in 100",
    "a client's dial fails while others live": "starting: try in 100",
    "the last connection ends": "starting: try in 0",
    "the address is taken": AGAIN,
    "somebody else has the address": `blocked: ${BLOCKED}`,
    "the address can't be taken now": `trouble: ${HINDERED}`,
  },
  trouble: {
    "a try is greeted": "starting: listen, try in 10000 for a greeting",
    "a try is kept": "starting: listen, try in 10000",
    "a try is refused": `down: ${OVER}, ${DOWN}`,
    "a try is refused while others live": `starting: ${OVER}, listen, try in 100`,
    "a try can't be made": "trouble: try in 100",
    "a client's dial fails": `down: ${UNREACHABLE}`,
    "a client's dial fails while others live": "trouble: try in 100",
    ...STOPPED,
  },
  "trouble, opening": {
    ...OPEN,
    "a try is greeted": `starting: ${OVER}`,
    "a try is kept": `starting: ${OVER}`,
    "a try is refused": `down: ${OVER}, ${CLOSES}, ${DOWN}`,
    "a try is refused while others live": `starting: ${OVER}, try in 100`,
    "a try can't be made": `trouble: ${CLOSES}, try in 100`,
    "a client's dial fails while others live": "starting: try in 100",
    "a client's dial can't be made": `trouble: ${CLOSES}, try in 100`,
    "a client can't be accepted": `trouble: ${CLOSES}, try in 100`,
    "the last connection ends": "starting: try in 0",
    "the address is taken": AGAIN,
    "somebody else has the address": `blocked: ${BLOCKED}`,
    "the address can't be taken now": "trouble: try in 100",
  },
  "trouble, over": {
    ...OPEN,
    "a try is greeted": `listening: ${OVER}, admit`,
    "a try is kept": `listening: ${OVER}, admit`,
    "a try is refused": `down: ${OVER}, ${CLOSES}, ${DOWN}`,
    "a try is refused while others live": `listening: ${OVER}, try in 100`,
    // It is the same trouble: its lines are not repeated.
    "a try can't be made": `trouble: ${CLOSES}, try in 100`,
    "a client's dial can't be made": `trouble: ${CLOSES}, try in 100`,
    "a client can't be accepted": `trouble: ${CLOSES}, try in 100`,
  },
  down: {
    "a try is greeted": "starting: tell-up 1000, listen",
    "a try is kept": "starting: tell-up 1000, listen",
    "a try is refused": "down: try in 100",
    "a try is refused while others live": "down: try in 100",
    "a try can't be made": "down: tell-trouble ENFILE, try in 100",
    "a client's dial can't be made": `down: ${NO_NAMES}`,
    "a client can't be accepted": `down: ${HINDERED}`,
    ...STOPPED,
  },
  "down, opening": {
    ...OPEN,
    "a try is greeted": "starting",
    "a try is kept": "starting",
    "a try is refused while others live": "starting: try in 100",
    "a client's dial fails while others live": "starting: try in 100",
    "the last connection ends": "starting: try in 0",
    "the address is taken": LISTENING,
    "somebody else has the address": `blocked: ${BLOCKED}`,
    "the address can't be taken now": `trouble: ${HINDERED}`,
  },
  "down, in trouble": {
    "a try is greeted": "starting: tell-up 1000, listen, try in 10000 for a greeting",
    "a try is kept": "starting: tell-up 1000, listen, try in 10000",
    "a try is refused": `down: ${OVER}, try in 100`,
    "a try is refused while others live": `down: ${OVER}, try in 100`,
    "a try can't be made": "down: try in 100",
    ...STOPPED,
  },
  blocked: {
    "a try is greeted": "blocked: listen",
    "a try is kept": "blocked: listen",
    "a try is refused": `down: ${DOWN}`,
    "a try is refused while others live": "blocked: try in 100",
    "a try can't be made": "trouble: tell-trouble ENFILE, try in 100",
    "a client's dial fails": `down: ${UNREACHABLE}`,
    "a client's dial fails while others live": "blocked: try in 100",
    "a client's dial can't be made": `trouble: ${NO_NAMES}`,
    "a client can't be accepted": `trouble: ${HINDERED}`,
    "the last connection ends": "blocked: try in 0",
    ...STOPPED,
  },
  stopped: STOPPED,
};

function said(decisions: readonly Decision[]): string[] {
  return decisions.map((decision) => {
    switch (decision.do) {
      case "try":
        return `try in ${decision.afterMs}${decision.greeting ? " for a greeting" : ""}`;
      case "tell-down":
      case "tell-blocked":
      case "tell-trouble":
        return `${decision.do} ${decision.reason}`;
      case "tell-up":
        return `tell-up ${decision.downMs}`;
      case "tell-trouble-over":
        return `tell-trouble-over ${decision.lastedMs}`;
      case "tell-listening":
        return decision.isAgain ? "tell-listening again" : "tell-listening";
      case "listen":
      case "give-up-address":
      case "admit":
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
  it("is tried after 0.1 s, and then ever slower up to 1 s, as the outage goes on", () => {
    const machine = STATES.down();
    const delays = [1_000, 5_000, 10_000, 25_000, 50_000, 3_600_000].map((now) =>
      said(machine.tried(failed("ECONNREFUSED"), false, now)).join(", "),
    );
    expect(delays).toEqual([100, 100, 200, 500, 1_000, 1_000].map((ms) => `try in ${ms}`));
  });

  it("is told of once, with the reason of the try that has settled it", () => {
    const machine = STATES.listening();
    expect(said(machine.lastEnded(0))).toEqual(["try in 0"]);
    expect(said(machine.tried(failed("ECONNREFUSED"), false, 1))).toEqual([
      "give-up-address",
      "tell-down ECONNREFUSED",
      "try in 100",
    ]);
    expect(said(machine.tried(failed("ECONNRESET"), false, 200))).toEqual(["try in 100"]);
  });

  it("was down for as long as from its first sign to its answer", () => {
    const machine = STATES.listening();
    machine.lastEnded(0);
    machine.tried(failed("ECONNREFUSED"), false, 200);
    machine.tried(failed("ECONNREFUSED"), false, 700);
    expect(said(machine.tried(UP, false, 1_500))).toEqual(["tell-up 1500", "listen"]);
  });

  it("begins with short delays at its next outage", () => {
    const machine = STATES.down();
    machine.tried(failed("ECONNREFUSED"), false, 100_000);
    machine.tried(UP, false, 100_000);
    machine.opened();
    expect(said(machine.dialFailed("ECONNREFUSED", false, 100_000)).at(-1)).toBe("try in 100");
  });
});

describe("a server that others are connected to", () => {
  it("is doubted for three seconds before it is down", () => {
    const machine = STATES.listening();
    machine.dialFailed("ETIMEDOUT", true, 0);
    for (const now of [100, 1_000, 2_999]) {
      expect(outcome(machine, machine.tried(failed("ETIMEDOUT"), true, now))).toBe("listening: try in 100");
    }
    expect(outcome(machine, machine.dialFailed("ETIMEDOUT", true, 3_000))).toBe(
      "down: give-up-address, tell-down ETIMEDOUT, try in 100",
    );
  });

  it("is tried at once when the last of them has gone, and then down when that fails", () => {
    const machine = STATES.doubted();
    expect(said(machine.lastEnded(500))).toEqual(["try in 0"]);
    expect(machine.tried(failed("ECONNREFUSED"), false, 501)).toContainEqual({
      do: "tell-down",
      reason: "ECONNREFUSED",
    });
  });

  it("is doubted no more when a try succeeds; who waited is let in", () => {
    const machine = STATES.doubted();
    expect(said(machine.tried(GREETED, true, 2_000))).toEqual(["admit"]);
    expect(outcome(machine, machine.dialFailed("ETIMEDOUT", true, 3_500))).toBe("listening: try in 100");
  });
});

describe("a server that is silent", () => {
  it("is down where it has greeted before, and then must greet at every try", () => {
    const machine = STATES["listening, greeted"]();
    machine.silent(false, 0);
    const tries = [31_000, 62_000].map((now) => said(machine.tried(failed("silent"), false, now)).join());
    expect(tries).toEqual(["try in 620 for a greeting", "try in 1000 for a greeting"]);
    expect(said(machine.tried(GREETED, false, 63_000))).toEqual(["tell-up 63000", "listen"]);
  });

  it("is judged anew when it refuses or ends a try: it may be another one, that waits for its client to speak", () => {
    for (const code of ["ECONNREFUSED", "ended"]) {
      const machine = STATES["listening, greeted"]();
      machine.silent(false, 0);
      expect(said(machine.tried(failed(code), false, 1_000))).toEqual(["try in 100"]);
      machine.tried(UP, false, 2_000);
      machine.opened();
      expect(outcome(machine, machine.silent(false, 40_000))).toBe("listening");
    }
  });

  it("is judged anew when its last connection has ended", () => {
    const machine = STATES["listening, greeted"]();
    expect(said(machine.lastEnded(0))).toEqual(["try in 0"]);
    machine.tried(UP, false, 1);
    expect(outcome(machine, machine.silent(false, 40_000))).toBe("listening");
  });

  it("is known to greet as soon as it has greeted any client", () => {
    const machine = STATES.listening();
    machine.greeted();
    expect(outcome(machine, machine.silent(false, NOW))).toMatch(/^down: give-up-address, tell-down silent/);
  });
});

describe("trouble of this machine", () => {
  it("is told of once, and once when it has been over for ten seconds, however often it comes back meanwhile", () => {
    const machine = STATES.listening();
    const told: string[] = [];
    const note = (decisions: readonly Decision[]): void =>
      void told.push(...said(decisions).filter((one) => one.startsWith("tell-")));
    note(machine.hindered("EMFILE", 0));
    for (const now of [1_000, 2_000, 3_000]) {
      note(machine.tried(UP, true, now));
      note(machine.opened());
      note(machine.hindered("EMFILE", now + 500));
    }
    note(machine.tried(UP, true, 4_000));
    note(machine.opened());
    note(machine.tried(UP, true, 14_000));
    const again = "tell-listening again";
    expect(told).toEqual(["tell-trouble EMFILE", again, again, again, again, "tell-trouble-over 14000"]);
    expect(said(machine.hindered("EMFILE", 20_000))).toContain("tell-trouble EMFILE");
  });

  it("is looked into ever slower as it goes on", () => {
    const machine = STATES.trouble();
    const delays = [1_000, 4_000, 60_000].map((now) => said(machine.tried(failed("EMFILE"), true, now)).join());
    expect(delays).toEqual(["try in 100", "try in 100", "try in 1000"]);
  });

  it("says nothing about the server: a doubt begins anew behind it", () => {
    const machine = STATES.doubted();
    machine.hindered("EMFILE", 1_000);
    machine.tried(UP, true, 5_000);
    machine.opened();
    expect(outcome(machine, machine.dialFailed("ETIMEDOUT", true, 6_000))).toBe("listening: try in 100");
  });
});

describe("a process without room", () => {
  it("takes no address: what is being taken is given up, and who waits is let in", () => {
    for (const state of ["starting", "down, opening", "full, opening", "trouble, opening"] as const) {
      const machine = STATES[state]();
      expect(outcome(machine, machine.room(false))).toMatch(/give-up-address$/);
      expect(machine.opened()).toEqual([]);
      expect(said(machine.tried(UP, false, NOW))).toContain("admit");
      expect(machine.state).toBe("full");
    }
  });

  it("that gets room while the server is down does not listen before that answers", () => {
    const machine = STATES.down();
    machine.room(false);
    expect(machine.room(true)).toEqual([]);
    machine.tried(UP, false, NOW);
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

describe("an address that can't be had", () => {
  it("is told of once for each reason, and tried until it can", () => {
    const machine = STATES.blocked();
    const told = (["EADDRINUSE", "EADDRINUSE", "EADDRNOTAVAIL"] as const).map((code, n) => {
      expect(said(machine.tried(UP, false, 40_000 * n))).toEqual(["listen"]);
      return said(machine.openFailed(code, 40_000 * n)).join();
    });
    expect(told).toEqual(["try in 100", "try in 800", "tell-blocked EADDRNOTAVAIL,try in 1000"]);
    machine.tried(UP, false, 90_000);
    expect(outcome(machine, machine.opened())).toBe(LISTENING);
  });

  it("at the start waits for the first try", () => {
    const machine = new Availability();
    expect(outcome(machine, machine.openFailed("ENOTFOUND", 0))).toBe("blocked: tell-blocked ENOTFOUND");
    expect(said(machine.tried(UP, false, 1))).toEqual(["listen"]);
    expect(outcome(machine, machine.opened())).toBe(LISTENING);
  });
});
