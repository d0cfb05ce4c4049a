import { describe } from "vitest";
import { exploresAll } from "./check.ts";

describe("every interleaving of all worlds with a new server", () => {
  exploresAll("new");
});
