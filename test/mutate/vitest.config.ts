import { relative } from "node:path";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";
import { holds, roomNamed, SLOW } from "./rooms.ts";

const { tests } = roomNamed(process.env["MUTATED_ROOM"] ?? "");

/** Quick ones first, since the first failure ends the run. */
class QuickFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return files.toSorted((a, b) => rank(a.moduleId) - rank(b.moduleId));
  }
}

function rank(path: string): number {
  const file = relative(process.cwd(), path);
  return tests.findIndex((pattern) => holds(pattern, file)) + (SLOW.includes(file) ? 0.5 : 0);
}

/** The tests of the room that is being mutated, all in one thread: most of them take less time than a thread to start. */
export default defineConfig({
  test: {
    include: tests.map((pattern) => (pattern.endsWith("/") ? `${pattern}**/*.test.ts` : pattern)),
    setupFiles: ["test/mutate/same-chance.ts"],
    isolate: false,
    testTimeout: 60_000,
    sequence: { sequencer: QuickFirst },
  },
});
