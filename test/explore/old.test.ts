import { afterAll, describe } from "vitest";
import { explores, table, type Explored } from "./check.ts";
import { QUICK, withServer } from "./worlds.ts";

const explored: Explored[] = [];

afterAll(() => console.log(table(explored)));

describe("every interleaving of small worlds with an old server", () => {
  explores(withServer("old", QUICK), (one) => explored.push(one));
});
