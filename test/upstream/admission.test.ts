import { describe, expect, it } from "vitest";
import type { Happening } from "../../src/happening/happening.ts";
import { Admission, OPEN, type AdmissionRules } from "../../src/upstream/admission.ts";
import type { Nobody } from "../../src/upstream/nobodies.ts";
import { Gate, HANDSHAKE_MS } from "./gate.ts";

class Told {
  readonly refused: string[] = [];
  now = 0;
  /** Who has a session, and who is in his handshake, the oldest first. */
  readonly nobodies: { host: string; since: number }[] = [];
  readonly handshakes: { host: string; since: number }[] = [];
  readonly givenUp: string[] = [];
  readonly admission: Admission;

  constructor(rules: Partial<AdmissionRules>) {
    this.admission = new Admission(
      { ...OPEN, ...rules },
      {
        headerMs: () => HANDSHAKE_MS,
        refused: ({ peer }, reason) => this.refused.push(`${peer} ${reason}`),
        now: () => this.now,
        oldestNobody: () => this.#nobody(this.nobodies),
      },
    );
    this.admission.handshakes(() => this.#nobody(this.handshakes));
  }

  #nobody(list: { host: string; since: number }[]): Nobody | undefined {
    const [oldest] = list;
    if (oldest === undefined) return undefined;
    const giveUp = (): void => {
      list.shift();
      this.givenUp.push(oldest.host);
      this.admission.leaves(oldest.host);
    };
    return { since: oldest.since, giveUp };
  }

  comes(host: string | undefined): boolean {
    return this.admission.admits({ host, peer: `${host}:1` });
  }
}

describe("a door", () => {
  it("is open to everybody where there are no rules", () => {
    const { admission } = new Told({});
    for (const host of ["10.0.0.1", "10.0.0.1", undefined]) {
      expect(admission.headerMs(host)).toBeUndefined();
      expect(admission.admits({ host, peer: "x" })).toBe(true);
    }
  });

  it("denies whom the lists do not permit, and these take no place", () => {
    const told = new Told({ permits: (host) => host === "10.0.0.1", clients: 1 });
    expect([told.comes("10.0.0.2"), told.comes(undefined), told.comes("10.0.0.1")]).toEqual([false, false, true]);
    expect(told.refused).toEqual(["10.0.0.2:1 denied", "undefined:1 denied"]);
  });

  it("has so many places, and so many for each address", () => {
    const told = new Told({ clients: 3, clientsPerAddress: 2 });
    expect([told.comes("a"), told.comes("a"), told.comes("a"), told.comes("b"), told.comes("b")]).toEqual([
      true,
      true,
      false,
      true,
      false,
    ]);
    expect(told.refused).toEqual(["a:1 address-full", "b:1 upstream-full"]);
    told.admission.leaves("b");
    expect([told.comes("a"), told.comes("b")]).toEqual([false, true]);
    told.admission.leaves("a");
    expect([told.comes("a"), told.comes("a")]).toEqual([true, false]);
  });

  it("gives a place that its holder has not used for a second to whoever comes, the one first that was taken first", () => {
    const told = new Told({ clients: 3 });
    for (const host of ["a", "b", "c"]) told.comes(host);
    told.nobodies.push({ host: "b", since: 200 });
    told.handshakes.push({ host: "c", since: 100 });
    told.now = 1_099;
    expect(told.comes("d")).toBe(false);
    told.now = 1_100;
    expect([told.comes("e"), told.comes("f")]).toEqual([true, false]);
    told.now = 1_200;
    expect([told.comes("g"), told.comes("h")]).toEqual([true, false]);
    expect(told.givenUp).toEqual(["c", "b"]);
    expect(told.refused).toEqual(["d:1 upstream-full", "f:1 upstream-full", "h:1 upstream-full"]);
  });

  it("takes nobody's place for one whose address has all of its own", () => {
    const told = new Told({ clients: 3, clientsPerAddress: 2 });
    for (const host of ["a", "a", "b"]) told.comes(host);
    told.nobodies.push({ host: "b", since: 0 });
    told.now = 5_000;
    expect([told.comes("a"), told.refused, told.givenUp]).toEqual([false, ["a:1 address-full"], []]);
    expect([told.comes("c"), told.givenUp]).toEqual([true, ["b"]]);
  });

  it("counts those whose address is not known in all, and not as one address", () => {
    const told = new Told({ clients: 2, clientsPerAddress: 1 });
    expect([told.comes(undefined), told.comes(undefined), told.comes(undefined)]).toEqual([true, true, false]);
    told.admission.leaves(undefined);
    expect(told.comes("a")).toBe(true);
    expect(told.refused).toEqual(["undefined:1 upstream-full"]);
  });

  it("has rules that can change: they hold for whoever comes then, and who is there counts", () => {
    const told = new Told({});
    expect([told.comes("a"), told.comes("a")]).toEqual([true, true]);
    told.admission.rules = { ...OPEN, clientsPerAddress: 2, isBalancer: () => true };
    expect([told.comes("a"), told.comes("b")]).toEqual([false, true]);
    expect(told.admission.headerMs("c")).toBe(HANDSHAKE_MS);
    told.admission.rules = { ...OPEN, permits: () => false };
    expect(told.comes("b")).toBe(false);
    told.admission.leaves("a");
    told.admission.rules = { ...OPEN, clientsPerAddress: 2 };
    expect(told.comes("a")).toBe(true);
  });

  it("tells of a header that has not come", () => {
    const told = new Told({ isBalancer: (host) => host === "10.0.0.1" });
    expect([told.admission.headerMs("10.0.0.1"), told.admission.headerMs("10.0.0.2")]).toEqual([
      HANDSHAKE_MS,
      undefined,
    ]);
    told.admission.lacksHeader({ host: "10.0.0.1", peer: "10.0.0.1:5" }, "bad-proxy-header");
    expect(told.refused).toEqual(["10.0.0.1:5 bad-proxy-header"]);
  });

  it("tells of a TLS handshake that has failed; its place is free when it has left", () => {
    const told = new Told({ clients: 1 });
    expect(told.comes("10.0.0.1")).toBe(true);
    told.admission.failsHandshake({ host: "10.0.0.1", peer: "10.0.0.1:5" }, "tls-timeout");
    expect(told.refused).toEqual(["10.0.0.1:5 tls-timeout"]);
    expect(told.comes("10.0.0.2")).toBe(false);
    told.admission.leaves("10.0.0.1");
    expect(told.comes("10.0.0.2")).toBe(true);
  });
});

describe("an upstream", () => {
  const refusals = (gate: Gate): string[] =>
    gate.happenings
      .filter((one): one is Extract<Happening, { what: "refused" }> => one.what === "refused")
      .map(({ upstream, reason }) => `${upstream} ${reason}`);

  it("dials for nobody whom it refuses; it neither counts as accepted nor takes room", () => {
    const gate = new Gate({ admission: { ...OPEN, clients: 1 } }).listens();
    const first = gate.arrives("10.0.0.1");
    const { length } = gate.transport.dials;
    gate.transport.listening.refuses("10.0.0.2");
    expect(refusals(gate)).toEqual(["main upstream-full"]);
    expect([gate.upstream.accepted, gate.upstream.clients, gate.room.taken]).toEqual([1, 1, 1]);
    expect(gate.transport.dials).toHaveLength(length);
    expect([first.commands, gate.state]).toEqual([[], "listening"]);
    gate.leave();
  });

  it("has the place of a client again that leaves before its server is there", () => {
    const gate = new Gate({ admission: { ...OPEN, clientsPerAddress: 1 } }).listens();
    for (let n = 0; n < 3; n++) {
      const client = gate.arrives("10.0.0.1");
      gate.transport.listening.refuses("10.0.0.1");
      client.closes();
    }
    expect(gate.room.taken).toBe(0);
    gate.leave();
  });

  it("has the place of a session again when that is over, not only its client", () => {
    const gate = new Gate({ admission: { ...OPEN, clientsPerAddress: 1 } }).listens();
    const { client, server } = gate.connects("server", "10.0.0.1");
    client.closes();
    gate.transport.listening.refuses("10.0.0.1");
    server.closes();
    gate.arrives("10.0.0.1").closes();
    gate.leave();
  });

  it("has the place of one again that leaves before it is accepted", () => {
    const gate = new Gate({ admission: { ...OPEN, clientsPerAddress: 1 } }).listens();
    for (let n = 0; n < 3; n++) gate.transport.listening.loses("10.0.0.1");
    expect(gate.room.taken).toBe(0);
    gate.leave();
  });

  it("lets others come when it is told to, and ends nobody for it", () => {
    const gate = new Gate({ admission: { ...OPEN, permits: (host) => host === "10.0.0.1" } }).listens();
    const client = gate.arrives("10.0.0.1");
    gate.transport.listening.refuses("10.0.0.2");
    gate.upstream.admit({ ...OPEN, permits: (host) => host === "10.0.0.2" });
    gate.transport.listening.refuses("10.0.0.1");
    gate.arrives("10.0.0.2");
    expect(client.commands).toEqual([]);
    expect(refusals(gate)).toEqual(["main denied", "main denied"]);
    gate.leave();
  });
});
