import { describe } from "vitest";
import { exploresAll } from "./check.ts";

describe("every interleaving of all worlds with an old server", () => {
  exploresAll("old");
});
