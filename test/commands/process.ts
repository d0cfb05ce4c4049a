import { readFileSync } from "node:fs";

/** Is that signal blocked or caught? Node blocks all of them for moments while it starts. */
export function hasTaken(pid: number, signal: number): boolean {
  return isIn(pid, "Sig(?:Blk|Cgt)", signal);
}

/** Is it caught? Node blocks all for a moment when it starts, and what comes then ends it behind that. */
export function hasCaught(pid: number, signal: number): boolean {
  return isIn(pid, "SigCgt", signal);
}

function isIn(pid: number, masks: string, signal: number): boolean {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const found = [...status.matchAll(new RegExp(`^${masks}:\\s*([0-9a-f]+)$`, "gm"))];
  return found.some(([, mask]) => (BigInt(`0x${mask}`) >> BigInt(signal - 1)) & 1n);
}

/** Waits for what nothing announces. */
export async function waitUntil(reached: () => boolean, what: string): Promise<void> {
  const deadline = Date.now() + 15_000;
  while (!reached()) {
    if (Date.now() > deadline) throw new Error(`waited in vain for ${what}`);
    // oxlint-disable-next-line no-await-in-loop -- see above
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
