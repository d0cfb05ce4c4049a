import fc from "fast-check";
import { expect, it } from "vitest";
import { cloneWorld, unshare } from "../explore/clone.ts";
import type { Message } from "../explore/message.ts";
import type { World } from "../explore/world.ts";
import { StorageLedger } from "../../src/ledger/ledger.ts";
import { packed } from "../ledger/script.ts";
import { choices, worlds } from "./arbitrary.ts";
import { walk } from "./walk.ts";

/** Of a transaction that the walk knows, and of one that nobody has begun. */
const IDS = [7, 8];

/** What a client sends and the ledger only notes: no `take()` follows, so nothing may come of it. */
const NOTED: Readonly<Record<string, (ledger: StorageLedger<Message>, session: number, id: number) => unknown>> = {
  tpc_begin: (ledger, session, id) => ledger.beginForwarded(session, id),
  store: (ledger, session, id) => ledger.storeForwarded(session, id, "modified", "set", packed([9]), 0),
  undo: (ledger, session, id) => ledger.undoForwarded(session, id),
  "refused stores": (ledger, session) => ledger.storesRefused(session, packed([9])),
  tpc_abort: (ledger, session, id) => ledger.abortForwarded(session, id),
  tpc_finish: (ledger, session, id) => ledger.finishForwarded(session, id),
};

/** A ledger of its own in the world's state. */
function ledgerOf(w: World): StorageLedger<Message> {
  const { ledger } = cloneWorld(w, true);
  for (const account of ledger.accounts.values()) unshare(account);
  return new StorageLedger(ledger);
}

function actionsOf(w: World): string[] {
  const found: string[] = [];
  const note = (name: string, event: (ledger: StorageLedger<Message>) => void): void => {
    const ledger = ledgerOf(w);
    event(ledger);
    for (const action of ledger.take()) found.push(`${name}: ${action.do}`);
  };
  note("register", (ledger) => ledger.registerForwarded(w.nextSession));
  for (const session of [...w.ledger.accounts.keys(), w.nextSession]) {
    for (const id of IDS) {
      for (const [name, event] of Object.entries(NOTED)) note(name, (ledger) => event(ledger, session, id));
    }
  }
  return found;
}

it("what a client sends leads to nothing before the server answers, in whatever state it is sent", () => {
  fc.assert(
    fc.property(worlds, choices, (world, picks) => {
      const found = new Set<string>();
      let steps = 0;
      walk(world, picks, (w) => {
        // Copies cost more than steps do.
        if (steps++ % 7 === 0) for (const action of actionsOf(w)) found.add(action);
      });
      expect([...found]).toEqual([]);
    }),
    { numRuns: 60, verbose: fc.VerbosityLevel.None },
  );
});
