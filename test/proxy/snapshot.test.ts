import { expect, it } from "vitest";
import { MOST_CLIENTS } from "../../src/page/snapshot.ts";
import { snapshotOf } from "../../src/proxy/snapshot.ts";
import { Counters } from "../../src/report/counters.ts";
import type { SessionView } from "../../src/session/view.ts";
import type { Upstream } from "../../src/upstream/upstream.ts";

const VIEW = { received: { client: 0, server: 0 }, waitingBytes: 0, heldBytes: 0, calls: 0, isFinishing: false };

const NONE = { repaired: [], observed: [] };

/** What is looked at of an upstream whose sessions have these views. */
function upstream(views: readonly Partial<SessionView>[]): Upstream {
  const sessions = views.map((view, n) => ({ peer: `c:${n}`, view: { ...VIEW, ageMs: 1, ...view } }));
  const made: Partial<Record<keyof Upstream, unknown>> = {
    name: "main",
    serverAddress: "s:1",
    serverAddresses: [],
    state: "listening",
    clients: views.length,
    accepted: views.length,
    sessions,
  };
  return made as Upstream;
}

it("names those clients for whom most waits, then the oldest, and counts all", () => {
  const many = Array.from({ length: MOST_CLIENTS + 3 }, (_, n): Partial<SessionView> => ({ ageMs: n, protocol: "Z5" }));
  const waits = { waitingBytes: 3, heldBytes: 4, ageMs: 0, protocol: "Z4", storage: "x".repeat(1_000) };
  const { clients, moreClients, upstreams } = snapshotOf([upstream([...many, waits])], NONE, new Counters());
  expect(clients).toHaveLength(MOST_CLIENTS);
  expect(moreClients).toBe(4);
  expect(clients[0]).toMatchObject({ waiting: 7, protocol: "Z4", storage: "x".repeat(100) });
  expect(clients.slice(1, 3).map(({ ageMs }) => ageMs)).toEqual([MOST_CLIENTS + 2, MOST_CLIENTS + 1]);
  expect(upstreams).toMatchObject([{ name: "main", protocols: { Z5: MOST_CLIENTS + 3, Z4: 1 } }]);
});

it("says of a session that has not said its protocol that it is not known", () => {
  const { clients } = snapshotOf([upstream([{ life: "shaking" }])], NONE, new Counters());
  expect(clients).toMatchObject([{ life: "shaking", protocol: null, storage: null }]);
});
