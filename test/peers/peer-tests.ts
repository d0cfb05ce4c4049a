/** All that is tried with one server. A test file for each server calls this, so that they run beside each other. */

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { chosenVia } from "./gateway.ts";
import { install } from "./install.ts";
import type { Installed } from "./install.ts";
import { printed, Matrix } from "./matrix.ts";
import { PEERS, peerNamed } from "./peers.ts";
import { reaches } from "./reach.ts";
import { blobScenarios } from "./scenarios/blobs.ts";
import { clientResolved, conflicts } from "./scenarios/conflicts.ts";
import { crowd } from "./scenarios/crowd.ts";
import { history } from "./scenarios/history.ts";
import { memory } from "./scenarios/memory.ts";
import { plain } from "./scenarios/plain.ts";
import type { Ground, Scenario } from "./scenarios/scenario.ts";
import { restarted } from "./scenarios/restart.ts";
import { storages } from "./scenarios/storages.ts";
import { Stage } from "./stage.ts";
import type { StageOptions } from "./stage.ts";
import { stress } from "./stress.ts";

const SCENARIOS: readonly Scenario[] = [
  ...plain,
  ...conflicts,
  ...history,
  ...blobScenarios,
  ...memory,
  ...crowd,
  storages,
];

/** Run again where `Z5` and `M5` clients share a server. */
const MIXED = ["created only", "mixed", "modified only", "undo", "deleted", "concurrent writers"];

/** Where a patched server needs no repair at all: every frame must pass as it is. */
const NEEDS_NO_REPAIR = SCENARIOS.filter((s) => !["deleted", "restored", "resumed with a cache file"].includes(s.name));
const NEEDS_REPAIR = SCENARIOS.filter((s) => ["deleted", "restored"].includes(s.name));

const STRESS_SECONDS = Number(process.env["ZEO_PEERS_STRESS_SECONDS"] ?? 15);

const installed = new Map<string, Installed | string>();
for (const peer of PEERS) {
  const result = await install(peer);
  installed.set(peer.name, result.type === "installed" ? result.installed : result.why);
}

export function peerTests(name: string): void {
  const peer = peerNamed(name);
  const server = installed.get(name);
  if (typeof server !== "object") {
    test.skip(`server ${name}: skipped, ${server ?? "unknown"}`, () => undefined);
    return;
  }
  const via = chosenVia();
  const reaching = PEERS.filter((client) => reaches(client, peer));
  const kinds = reaching.map((client) => installed.get(client.name)).filter((found) => typeof found === "object");
  for (const client of reaching) {
    const found = installed.get(client.name);
    if (typeof found === "string")
      test.skip(`client ${client.name} at server ${name}: skipped, ${found}`, () => undefined);
  }
  const matrix = new Matrix(name);

  describe(`server ${name}, via ${via}`, () => {
    describe("one encoding", () => {
      const storageNames = ["1", "2", "source", ...kinds.map((kind) => `copy-${kind.peer.name}`)];
      const play = stageFor(server, kinds, { storages: storageNames, matrix });
      for (const kind of kinds) {
        describe(`written by ${kind.peer.name}`, () => {
          for (const scenario of SCENARIOS) play.scenario(kind, scenario);
        });
      }
      test("stress", { timeout: STRESS_SECONDS * 1000 + 60_000 }, async () => {
        const seed = Number(process.env["ZEO_PEERS_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
        console.log(`${name}: stress with ZEO_PEERS_SEED=${seed}`);
        const result = await play.spanned("stress", () => stress(play.stage(), seed, STRESS_SECONDS));
        console.log(`${name}: stress: ${JSON.stringify(result)}`);
        expect(result.commits).toBeGreaterThan(20);
        expect(result.visits).toBeGreaterThan(2);
        expect(result.polls).toBeGreaterThan(20);
      });
      play.judgement();
    });

    if (peer.family === "new") {
      describe("client-conflict-resolution", () => {
        const play = stageFor(server, kinds, { clientConflictResolution: true, matrix });
        for (const kind of kinds) play.scenario(kind, clientResolved);
        play.judgement();
      });

      describe("Z5 and M5 clients on one storage", () => {
        const play = stageFor(server, kinds, { msgpack: true, matrix, mixed: true });
        for (const kind of kinds) {
          for (const scenario of SCENARIOS) {
            if (MIXED.includes(scenario.name)) play.scenario(kind, scenario, "mixed encodings");
          }
        }
        play.judgement();
      });
    }

    describe("the server restarts", () => {
      const play = stageFor(server, kinds, { matrix: new Matrix(`${name} restarted`) });
      for (const kind of kinds) play.scenario(kind, restarted);
      play.judgement();
    });

    if (via === "proxy") {
      describe("recorded on both sides of the proxy", () => {
        describe("nothing that a patched server leaves out", () => {
          const play = stageFor(server, kinds, {
            storages: ["1", "2"],
            matrix: new Matrix(`${name} recorded`),
            recorded: true,
            deletes: false,
          });
          for (const kind of kinds) for (const scenario of NEEDS_NO_REPAIR) play.scenario(kind, scenario);
          play.judgement();
          test("every frame that needs no repair passes byte for byte", () => {
            const compared = play.stage().gateway.compared?.();
            console.log(
              `${name}: frames on both sides: ${JSON.stringify({ ...compared, changed: compared?.changed.length })}`,
            );
            expect(compared?.problems).toEqual([]);
            expect(compared?.same).toBeGreaterThan(100);
            if (peer.announces === "patched") expect(compared?.changed).toEqual([]);
            if (peer.family === "new") expect(compared?.madeUp).toBe(0);
          });
        });

        describe("deleted and restored", () => {
          const storageNames = ["1", "source", ...kinds.map((kind) => `copy-${kind.peer.name}`)];
          const play = stageFor(server, kinds, {
            storages: storageNames,
            matrix: new Matrix(`${name} repaired`),
            recorded: true,
          });
          for (const kind of kinds) for (const scenario of NEEDS_REPAIR) play.scenario(kind, scenario);
          play.judgement();
          test("nothing but invalidations is changed", () => {
            const compared = play.stage().gateway.compared?.();
            console.log(
              `${name}: frames on both sides: ${JSON.stringify({ ...compared, changed: compared?.changed.length })}`,
            );
            expect(compared?.problems).toEqual([]);
            expect((compared?.changed.length ?? 0) + (compared?.madeUp ?? 0)).toBeGreaterThan(0);
          });
        });
      });
    }

    test("no cell of the matrix is empty", async () => {
      console.log(printed(matrix.cells));
      await matrix.save();
      const names = SCENARIOS.filter((s) => kinds.some((kind) => s.applies?.(peer, kind.peer) !== false)).map(
        (s) => s.name,
      );
      names.push("stress");
      if (peer.family === "new") names.push(clientResolved.name, "mixed encodings");
      const empty = kinds.flatMap((kind) =>
        names
          .filter((scenario) => matrix.cell(kind.peer.name, scenario).ofCommits === 0)
          .map((scenario) => `${kind.peer.name}: ${scenario}`),
      );
      expect(empty).toEqual([]);
    });
  });
}

interface Play {
  stage(): Stage;
  scenario(kind: Installed, scenario: Scenario, countedAs?: string): void;
  /** Runs `what`; the transactions of storage 1 that it makes count for `name`. */
  spanned<T>(name: string, what: () => Promise<T>): Promise<T>;
  /** Judges everyone. */
  judgement(): void;
}

interface PlayOptions extends StageOptions {
  /** Half of the observers and every second writer use the other encoding. */
  readonly mixed?: boolean;
}

/** Opens a stage before the tests around it and closes it after them. */
function stageFor(server: Installed, kinds: readonly Installed[], options: PlayOptions): Play {
  let opened: Stage | undefined;
  const grounds = new Map<Installed, Ground>();
  const stage = (): Stage => {
    if (opened === undefined) throw new Error("the stage is not open");
    return opened;
  };
  const mixed = options.mixed === true;

  beforeAll(async () => {
    opened = await Stage.open(server, kinds, chosenVia(), options);
    await opened.openObservers("1", { db: true });
    if (mixed) await opened.openObservers("1", { db: true, encoding: "Z" });
    if (options.storages?.includes("2") === true) await opened.openObservers("2", { db: true });
  }, 120_000);
  afterAll(async () => {
    await opened?.close();
  }, 60_000);

  const ground = async (kind: Installed): Promise<Ground> => {
    const known = grounds.get(kind);
    if (known !== undefined) return known;
    for (const before of grounds.values()) {
      await before.writer.close();
      await before.other.close();
    }
    grounds.clear();
    const process = await stage().process(kind, "writer");
    const other = mixed ? { db: true, encoding: "Z" as const } : { db: true };
    const made: Ground = {
      stage: stage(),
      kind,
      writer: await stage().open(process, { db: true }),
      other: await stage().open(process, other),
    };
    grounds.set(kind, made);
    return made;
  };

  const lastTid = async (): Promise<string> => {
    // Nobody commits between two scenarios.
    const [observer] = stage().observers();
    return observer === undefined ? "" : observer.lastTransaction();
  };

  const spanned = async <T>(name: string, what: () => Promise<T>): Promise<T> => {
    const after = await lastTid();
    try {
      return await what();
    } finally {
      stage().span(name, "1", after, await lastTid());
    }
  };

  return {
    stage,
    spanned,
    scenario(kind, scenario, countedAs): void {
      if (scenario.applies?.(server.peer, kind.peer) === false) return;
      test(`${kind.peer.name}: ${scenario.name}`, async () => {
        stage().scenario = `${scenario.name} by ${kind.peer.name}`;
        const here = await ground(kind);
        await spanned(countedAs ?? scenario.name, () => scenario.run(here));
      });
    },
    judgement(): void {
      test("everyone was told of everything, once, in order, before anything showed it", async () => {
        for (const { writer, other } of grounds.values()) {
          await writer.close();
          await other.close();
        }
        grounds.clear();
        const problems = await stage().judge();
        stage().expectUnharmed();
        if (chosenVia() !== "proxy") {
          console.log(`${server.peer.name}: ${problems.length} breaches of the proxy's promises without it`);
          return;
        }
        expect(problems.slice(0, 20), `${problems.length} problems`).toEqual([]);
      });
    },
  };
}
