import { describe, expect, it } from "vitest";
import { explore } from "./explore.ts";
import { FORGOTTEN } from "./trimmed.ts";
import type { TrimMistake } from "./trim.ts";
import { named } from "./worlds.ts";

const LIMIT = 60_000;
const TIMEOUT_MS = 60_000;

/** What trims wrongly is found in that world, as that. */
interface Found {
  readonly mistake: TrimMistake;
  readonly name: string;
  readonly violation: string;
}

const FOUND: readonly Found[] = [
  ...isFound("no reach for who waits", "1 getInvalidations up to T2 incomplete", [
    "old newcomer, trimmed",
    "new newcomer, trimmed",
    "old, trimmed, undo",
    "new, watched newcomer, trimmed",
    "old, watched, trimmed, the server forgets",
  ]),
  ...isFound("reads on", "4 getInvalidations was answered None", [
    "old, watched newcomer, trimmed",
    "new, watched, trimmed, nobody outside",
    "old, watched, trimmed, reconnect",
  ]),
  ...isFound("looks on", "4 stuck: a message is held for client A and nothing can release it", [
    "new, watched, trimmed",
    "new, watched, trimmed, given up",
  ]),
  ...isFound("looks on", "4 getInvalidations was answered None", ["new, watched newcomer, trimmed"]),
  ...isFound("looks on", "4 the message of T2 is taken for a late one", ["old, watched, trimmed, undo"]),
  ...isFound("keeps all", "3 more is kept than somebody is still to be told of", [
    "old, trimmed, three commits",
    "new, trimmed, 3 clients",
    "old, watched, trimmed, 3 clients",
  ]),
];

function isFound(mistake: TrimMistake, violation: string, names: readonly string[]): Found[] {
  return names.map((name) => ({ mistake, name, violation }));
}

describe("a trim that is wrong is found", () => {
  it.each(FOUND)("$mistake: $name", { timeout: TIMEOUT_MS }, ({ mistake, name, violation }) => {
    expect(explore({ ...named(name).config, trimMistake: mistake }, LIMIT).violation).toBe(violation);
  });
});

/** It is there for the look that must see whose a commit is: that is above. */
const LOOKED_AT = "new, watched, trimmed, given up";

it.each(FORGOTTEN.filter(({ name }) => name !== LOOKED_AT))(
  "a reach that does not rise is found in $name",
  { timeout: TIMEOUT_MS },
  ({ config }) => {
    const { violation } = explore({ ...config, trimMistake: "no reach" }, LIMIT);
    expect(violation).toMatch(
      /^1 getInvalidations up to T\d incomplete$|^1 at rest client A is at T2 and does not know of T2$/,
    );
  },
);
