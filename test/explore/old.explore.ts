import { describe } from "vitest";
import { exploresAll } from "./check.ts";
import { isNew } from "./config.ts";
import { ALL } from "./worlds.ts";

describe("every interleaving of all worlds with an old server", () => {
  exploresAll(ALL.filter(({ config }) => !isNew(config)).map(({ name }) => name));
});
