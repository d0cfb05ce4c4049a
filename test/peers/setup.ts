/** vitest's global setup of the peers project: installs what is missing, and prints the matrix at the end. */

import { installAll } from "./install.ts";
import type { InstallResult } from "./install.ts";
import { clearMatrix, printed, savedCells } from "./matrix.ts";

/** What is missing where nothing may be, or undefined. */
export function refusal(mode: string | undefined, results: readonly InstallResult[]): string | undefined {
  const missing = results.filter((result) => result.type === "missing");
  if (mode !== "required" || missing.length === 0) return undefined;
  return `ZEO_PEERS=required, but: ${missing.map((m) => `${m.peer.name}: ${m.why}`).join("; ")}`;
}

/** `off`: no peers at all; `required`: a missing Python fails the run; anything else: what is found is used. */
export default async function setup(): Promise<(() => Promise<void>) | undefined> {
  const mode = process.env["ZEO_PEERS"];
  if (mode === "off") return undefined;
  const results = await installAll((line) => process.stderr.write(`${line}\n`));
  const refused = refusal(mode, results);
  if (refused !== undefined) throw new Error(refused);
  await clearMatrix();
  return async () => {
    const cells = await savedCells();
    if (cells.length > 0) process.stdout.write(`${printed(cells)}\n\n`);
  };
}
