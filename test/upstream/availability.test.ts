import { describe, expect, it } from "vitest";
import { Availability, type Decision } from "../../src/upstream/availability.ts";
import { failed, GREETED, LISTENING, NOW, outcome, said, STATES, UP } from "./availability-states.ts";

const REFUSED = failed("ECONNREFUSED");

describe("a server that is down", () => {
  it("is tried after 0.1 s, and then ever slower up to 1 s, as the outage goes on", () => {
    const machine = STATES.down();
    const delays = [1_000, 5_000, 10_000, 25_000, 50_000, 3_600_000].map((now) =>
      said(machine.tried(REFUSED, false, now)).join(", "),
    );
    expect(delays).toEqual([100, 100, 200, 500, 1_000, 1_000].map((ms) => `try in ${ms}`));
  });

  it("is told of once, with the reason of the try that has settled it", () => {
    const machine = STATES.listening();
    expect(said(machine.lastEnded(0))).toEqual(["try in 0"]);
    expect(said(machine.tried(REFUSED, false, 1))).toEqual(["give-up-address", "tell-down ECONNREFUSED", "try in 100"]);
    expect(said(machine.tried(failed("ECONNRESET"), false, 200))).toEqual(["try in 100"]);
  });

  it("was down for as long as from its first sign to its answer", () => {
    const machine = STATES.listening();
    machine.lastEnded(0);
    machine.tried(REFUSED, false, 200);
    machine.tried(REFUSED, false, 700);
    expect(said(machine.tried(UP, false, 1_500))).toEqual(["tell-up 1500", "listen"]);
  });

  it("begins with short delays at its next outage", () => {
    const machine = STATES.down();
    machine.tried(REFUSED, false, 100_000);
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
    expect(machine.tried(REFUSED, false, 501)).toContainEqual({
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
