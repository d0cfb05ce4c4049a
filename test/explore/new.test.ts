import { afterAll, describe } from "vitest";
import { explores, table, type Explored } from "./check.ts";

const explored: Explored[] = [];

afterAll(() => console.log(table(explored)));

describe("every interleaving of small worlds with a new server", () => {
  explores(
    [
      "new newcomer",
      "new newcomer, empty cache",
      "new undo",
      "new, the same, undo",
      "new, a second passes",
      "new, a looker-on is skipped twice",
      "new, a newcomer is skipped, undo",
      "new, fan-out",
      "new, fan-out, late",
      "new, register refused",
      "new, conflicts resolved by the client",
    ],
    (one) => explored.push(one),
  );
});
