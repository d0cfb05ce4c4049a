import { readFileSync } from "node:fs";

/** Is that signal blocked or caught? Node blocks all of them for moments while it starts. */
export function hasTaken(pid: number, signal: number): boolean {
  return isIn(pid, signal, /^Sig(?:Blk|Cgt):\s*([0-9a-f]+)$/gm);
}

/** Is it caught? So it stays. */
export function catches(pid: number, signal: number): boolean {
  return isIn(pid, signal, /^SigCgt:\s*([0-9a-f]+)$/gm);
}

function isIn(pid: number, signal: number, masks: RegExp): boolean {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return [...status.matchAll(masks)].some(([, mask]) => (BigInt(`0x${mask}`) >> BigInt(signal - 1)) & 1n);
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
