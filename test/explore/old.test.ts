import { afterAll, describe } from "vitest";
import { explores, table, type Explored } from "./check.ts";

const explored: Explored[] = [];

afterAll(() => console.log(table(explored)));

describe("every interleaving of small worlds with an old server", () => {
  explores(
    [
      "old 2 clients",
      "old newcomer, empty cache",
      "old, the same, undo",
      "old, skipped, nobody asks",
      "old, skipped newcomer, undo",
      "old, fan-out, message before the reply",
      "old, fan-out, message after the reply",
      "old, fan-out, undo",
      "old, register refused",
      "old, conflicts in serialnos",
      "old, the server hangs up, newcomer",
    ],
    (one) => explored.push(one),
  );
});
