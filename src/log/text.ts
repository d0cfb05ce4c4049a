/**
 * What a terminal, a pager or a line-oriented reader may take for something other than text: controls (C0, DEL, C1),
 * line and paragraph separators, invisible and direction-changing characters, and halves of surrogate pairs.
 */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;
const EVERY_UNSAFE = new RegExp(UNSAFE, "gu");

/** More than any name that a client or a server gives. */
const MAX_LENGTH = 500;

/** How deep values nest that are written. */
const MAX_DEPTH = 4;

/**
 * Text from a client or a server as a log line may hold it: what is not plainly visible written as `\x1b` or `\u{202e}`,
 * and cut after 500 characters.
 */
export function escapeText(text: string): string {
  const cut = text.length > MAX_LENGTH ? `${text.slice(0, MAX_LENGTH)}...` : text;
  return UNSAFE.test(cut) ? cut.replace(EVERY_UNSAFE, escapeCharacter) : cut;
}

function escapeCharacter(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u{${code.toString(16)}}`;
}

/**
 * The same for every text inside plain objects and arrays, four levels deep; deeper ones are left out. What needs none of
 * that, as nearly every line, is returned as it is: to copy it would be a third of what a line costs.
 */
export function escapeTexts(value: unknown): unknown {
  return isHarmless(value, 0) ? value : escapedCopy(value, 0);
}

function isHarmless(value: unknown, depth: number): boolean {
  if (typeof value === "string") return value.length <= MAX_LENGTH && !UNSAFE.test(value);
  if (typeof value !== "object" || value === null) return true;
  if (Array.isArray(value)) {
    if (depth >= MAX_DEPTH) return false;
    for (const item of value as unknown[]) if (!isHarmless(item, depth + 1)) return false;
    return true;
  }
  if (!isPlain(value)) return true;
  if (depth >= MAX_DEPTH) return false;
  for (const key of Object.keys(value)) {
    if (!isHarmless(key, depth) || !isHarmless(value[key], depth + 1)) return false;
  }
  return true;
}

function escapedCopy(value: unknown, depth: number): unknown {
  if (typeof value === "string") return escapeText(value);
  if (Array.isArray(value)) return depth < MAX_DEPTH ? value.map((item) => escapedCopy(item, depth + 1)) : "...";
  if (!isPlain(value)) return value;
  if (depth >= MAX_DEPTH) return "...";
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [escapeText(key), escapedCopy(item, depth + 1)]),
  );
}

/** Errors and such are not plain: they have serializers of their own. */
function isPlain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
