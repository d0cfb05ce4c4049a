import { describe } from "vitest";
import { exploresAll } from "./check.ts";
import { ALL, withServer } from "./worlds.ts";

describe("every interleaving of all worlds with a new server", () => {
  exploresAll(
    withServer(
      "new",
      ALL.map(({ name }) => name),
    ),
  );
});
