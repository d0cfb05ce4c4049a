import { describe } from "vitest";
import { exploresAll } from "./check.ts";
import { ALL, withServer } from "./worlds.ts";

describe("every interleaving of all worlds with an old server", () => {
  exploresAll(
    withServer(
      "old",
      ALL.map(({ name }) => name),
    ),
  );
});
