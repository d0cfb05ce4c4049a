import { describe, expect, it } from "vitest";
import { explore, shortest } from "./explore.ts";
import { PENDING } from "./pending.ts";

/** States up to which a violation, and then its shortest trace, is looked for. */
const LIMIT = 600_000;

describe("worlds that wait for a rule", () => {
  it.each(PENDING)("$name", { timeout: 600_000 }, ({ config, why }) => {
    const found = explore(config, LIMIT);
    if (found.violation === undefined) return;
    const short = shortest(config, LIMIT);
    const { violation, trace } = short.violation === undefined ? found : short;
    expect.fail(`${why}\n${violation ?? ""}\n${trace.join("\n")}`);
  });
});
