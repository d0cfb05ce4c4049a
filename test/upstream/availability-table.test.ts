import { describe, expect, it } from "vitest";
import type { Availability, Decision } from "../../src/upstream/availability.ts";
import { failed, GREETED, LISTENING, NOW, outcome, STATES, UP, type StateName } from "./availability-states.ts";

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

/** What any state leads to in which the address is being taken. */
const OPENING: Partial<Record<EventName, string>> = {
  ...OPEN,
  "a try is greeted": "starting",
  "a try is kept": "starting",
  "a try is refused while others live": "starting: try in 100",
  "a client's dial fails while others live": "starting: try in 100",
  "the last connection ends": "starting: try in 0",
  "the address is taken": LISTENING,
  "somebody else has the address": `blocked: ${BLOCKED}`,
  "the address can't be taken now": `trouble: ${HINDERED}`,
};

/** What any state leads to whose address is not had, though the server is not down. */
const SHUT: Partial<Record<EventName, string>> = {
  "a try is refused": `down: ${DOWN}`,
  "a try can't be made": "trouble: tell-trouble ENFILE, try in 100",
  "a client's dial fails": `down: ${UNREACHABLE}`,
  "a client's dial can't be made": `trouble: ${NO_NAMES}`,
  "a client can't be accepted": `trouble: ${HINDERED}`,
  ...STOPPED,
};

/** The trouble that has been told of: its lines are not repeated. */
const SAME_TROUBLE: Partial<Record<EventName, string>> = {
  "a try can't be made": `trouble: ${CLOSES}, try in 100`,
  "a client's dial can't be made": `trouble: ${CLOSES}, try in 100`,
  "a client can't be accepted": `trouble: ${CLOSES}, try in 100`,
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
  "starting, not bound": OPENING,
  "starting, blocked": {
    ...SHUT,
    "a try is greeted": "blocked: listen",
    "a try is kept": "blocked: listen",
    "a try is refused while others live": `down: ${DOWN}`,
    "a client's dial fails while others live": `down: ${UNREACHABLE}`,
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
    ...SHUT,
    "a try is greeted": "full: admit",
    "a try is kept": "full: admit",
    "a try is refused while others live": "full: try in 100",
    "a client's dial fails while others live": "full: try in 100",
    "the last connection ends": "full: try in 0",
    "there is room": "starting: listen",
  },
  "full, opening": { ...OPENING, "the address is taken": AGAIN },
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
    ...OPENING,
    ...SAME_TROUBLE,
    "a try is greeted": `starting: ${OVER}`,
    "a try is kept": `starting: ${OVER}`,
    "a try is refused": `down: ${OVER}, ${CLOSES}, ${DOWN}`,
    "a try is refused while others live": `starting: ${OVER}, try in 100`,
    "the address is taken": AGAIN,
    "the address can't be taken now": "trouble: try in 100",
  },
  "trouble, over": {
    ...OPEN,
    ...SAME_TROUBLE,
    "a try is greeted": `listening: ${OVER}, admit`,
    "a try is kept": `listening: ${OVER}, admit`,
    "a try is refused": `down: ${OVER}, ${CLOSES}, ${DOWN}`,
    "a try is refused while others live": `listening: ${OVER}, try in 100`,
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
  "down, opening": OPENING,
  "down, in trouble": {
    "a try is greeted": "starting: tell-up 1000, listen, try in 10000 for a greeting",
    "a try is kept": "starting: tell-up 1000, listen, try in 10000",
    "a try is refused": `down: ${OVER}, try in 100`,
    "a try is refused while others live": `down: ${OVER}, try in 100`,
    "a try can't be made": "down: try in 100",
    ...STOPPED,
  },
  blocked: {
    ...SHUT,
    "a try is greeted": "blocked: listen",
    "a try is kept": "blocked: listen",
    "a try is refused while others live": "blocked: try in 100",
    "a client's dial fails while others live": "blocked: try in 100",
    "the last connection ends": "blocked: try in 0",
  },
  stopped: STOPPED,
};

describe.each(Object.keys(STATES) as StateName[])("an upstream that is %s", (name) => {
  it.each(Object.keys(EVENTS) as EventName[])("and %s", (event) => {
    const machine = STATES[name]();
    const unchanged = machine.state;
    const decisions = EVENTS[event](machine);
    expect(outcome(machine, decisions)).toBe(TABLE[name][event] ?? unchanged);
  });
});
