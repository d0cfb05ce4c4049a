import { describe } from "vitest";
import { explores, table, type Explored } from "./check.ts";
import { ALL, OUT_OF_SCOPE } from "./worlds.ts";

const explored: Explored[] = [];

describe(`every interleaving of all worlds (out of scope: ${OUT_OF_SCOPE.join("; ")})`, () => {
  explores(
    ALL.map(({ name }) => name),
    (one) => {
      explored.push(one);
      console.log(table([one]).split("\n")[0]);
      if (explored.length === ALL.length) console.log(table(explored));
    },
  );
});
