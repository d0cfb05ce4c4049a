import { Availability, type Decision, type Found } from "../../src/upstream/availability.ts";

/** The time of the event; what led to the state was a second before. */
export const NOW = 1_000;

export const UP: Found = { isUp: true, greets: false };
export const GREETED: Found = { isUp: true, greets: true };
export const failed = (code: string): Found => ({ isUp: false, code });

type Step = (machine: Availability) => unknown;

const opened: Step = (machine) => machine.opened();
const isUp: Step = (machine) => machine.tried(UP, false, 0);
const isGreeted: Step = (machine) => machine.tried(GREETED, false, 0);
const refused: Step = (machine) => machine.tried(failed("ECONNREFUSED"), false, 0);
const full: Step = (machine) => machine.room(false);
const hindered: Step = (machine) => machine.hindered("EMFILE", 0);

/** A state, and what leads to it at time 0. */
export const STATES = {
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

export type StateName = keyof typeof STATES;

function after(...steps: readonly Step[]): Availability {
  const machine = new Availability();
  for (const step of steps) step(machine);
  return machine;
}

/** What is to be done, in words. */
export function said(decisions: readonly Decision[]): string[] {
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

/** The state, and what is to be done. */
export const outcome = (machine: Availability, decisions: readonly Decision[]): string =>
  [machine.state, said(decisions).join(", ")].filter((part) => part !== "").join(": ");

/** The outcome where the address is had and the server answers. */
export const LISTENING = "listening: tell-listening, admit";
