import { readFileSync } from "node:fs";

// Node names no users and groups of a machine. Its own files do; those of a directory service are given as numbers.

const FILES = { owner: "/etc/passwd", group: "/etc/group" } as const;
const MAX_ID = 0xffff_fffe;

/**
 * The number of a user or a group, given as a name or a number.
 * @returns undefined where the machine's own file has no such name
 */
export function accountId(of: keyof typeof FILES, account: string | number): number | undefined {
  const text = String(account);
  if (/^\d+$/.test(text)) return Number(text) <= MAX_ID ? Number(text) : undefined;
  return idIn(readText(FILES[of]), text);
}

/** Both files begin each line with the name, and have the number third (passwd(5), group(5)). */
export function idIn(text: string, name: string): number | undefined {
  for (const line of text.split("\n")) {
    const [given, , id = ""] = line.split(":");
    if (given === name && /^\d+$/.test(id)) return Number(id);
  }
  return undefined;
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
