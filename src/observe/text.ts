/**
 * What a terminal, a pager or a line-oriented reader may take for something other than text: controls (C0, DEL, C1),
 * line and paragraph separators, invisible and direction-changing characters, and halves of surrogate pairs.
 */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;
const EVERY_UNSAFE = new RegExp(UNSAFE, "gu");

/** More than any name that a client or a server gives. */
const MAX_LENGTH = 500;

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

/** The same for every text inside plain objects and arrays, four levels deep; deeper ones are left out. */
export function escapeTexts(value: unknown, depth = 0): unknown {
  if (typeof value === "string") return escapeText(value);
  if (Array.isArray(value)) return depth < 4 ? value.map((item) => escapeTexts(item, depth + 1)) : "...";
  if (!isPlain(value)) return value;
  if (depth >= 4) return "...";
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [escapeText(key), escapeTexts(item, depth + 1)]),
  );
}

/** Errors and such are not plain: they have serializers of their own. */
function isPlain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
