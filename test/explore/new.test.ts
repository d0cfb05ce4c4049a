import { afterAll, describe } from "vitest";
import { explores, table, type Explored } from "./check.ts";
import { QUICK, withServer } from "./worlds.ts";

const explored: Explored[] = [];

afterAll(() => console.log(table(explored)));

describe("every interleaving of small worlds with a new server", () => {
  explores(withServer("new", QUICK), (one) => explored.push(one));
});
