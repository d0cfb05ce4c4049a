import { describe } from "vitest";
import { exploresAll } from "./check.ts";
import { isNew } from "./config.ts";
import { ALL } from "./worlds.ts";

describe("every interleaving of all worlds with a new server", () => {
  exploresAll(ALL.filter(({ config }) => isNew(config)).map(({ name }) => name));
});
