import type { Node, Pair, ParsedNode, YAMLParseError, YAMLWarning } from "yaml";
import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument } from "yaml";
import { findTooDeep } from "./depth.ts";
import type { ConfigProblem } from "./problem.ts";
import { formatPath } from "./problem.ts";

type Path = readonly (string | number)[];

/** A YAML text as plain values, with the way back from a path to its place in the text. */
export interface Source {
  /** Null-prototype objects, arrays and scalars. Only to be used when it has no syntax errors. */
  readonly value: unknown;
  /** Syntax errors, or duplicate keys, aliases, tags and keys that aren't text. */
  readonly problems: readonly ConfigProblem[];
  /** Whether the problems are syntax errors, so that `value` says nothing. */
  readonly broken: boolean;
  /**
   * Completes a problem with file, line and column of its path, or of the nearest part around it that exists.
   * @param of whether the value stands wrong or its key
   */
  readonly place: (path: readonly PropertyKey[], message: string, of?: "key" | "value") => ConfigProblem;
}

/** Reads YAML 1.2. Never throws for what is in the text. */
export function readSource(text: string, file: string): Source {
  const lines = new LineCounter();
  const nowhere: Source["place"] = (path, message) => at(0, strings(path), message);
  const at = (offset: number, path: Path, message: string): ConfigProblem => {
    const { line, col } = lines.linePos(offset);
    return { file, line: Math.max(line, 1), column: Math.max(col, 1), path: formatPath(path), message };
  };
  const broken = (problems: ConfigProblem[]): Source => ({ value: undefined, problems, broken: true, place: nowhere });
  for (let start = 0; start >= 0; start = nextLine(text, start)) lines.addNewLine(start);
  const tooDeep = findTooDeep(text);
  if (tooDeep !== undefined) return broken([at(tooDeep, [], "expected a configuration, got YAML nested too deep")]);
  // Duplicate keys are found below, where their path is known.
  const document = parseDocument(text, { uniqueKeys: false, prettyErrors: false });
  const faults = [...document.errors, ...document.warnings];
  if (faults.length > 0) {
    return broken(faults.map((fault) => at(fault.pos[0], [], syntaxMessage(text, fault))));
  }
  const reader = new Reader(at);
  const value = reader.read(document.contents, []);
  const place: Source["place"] = (path, message, of = "value") =>
    at(reader.offsetOf(strings(path), of), strings(path), message);
  return { value, problems: reader.problems, broken: false, place };
}

/** Turns nodes into plain values and remembers where each of them stands. */
class Reader {
  readonly problems: ConfigProblem[] = [];
  readonly #offsets = new Map<string, number>();
  readonly #keyOffsets = new Map<string, number>();
  readonly #at: (offset: number, path: Path, message: string) => ConfigProblem;

  constructor(at: (offset: number, path: Path, message: string) => ConfigProblem) {
    this.#at = at;
  }

  read(node: Node | ParsedNode | null, path: Path, keyOffset = 0): unknown {
    // An empty value stands nowhere; its key does.
    const empty = node === null || (isScalar(node) && node.value === null);
    const offset = empty ? keyOffset : (node.range?.[0] ?? keyOffset);
    if (!this.#offsets.has(key(path))) this.#offsets.set(key(path), offset);
    if (node === null) return null;
    if (isAlias(node) || ("anchor" in node && node.anchor !== undefined)) {
      this.#refuse(offset, path, "expected a plain value, got a YAML anchor or alias");
      return undefined;
    }
    if (node.tag !== undefined && !node.tag.startsWith("tag:yaml.org,2002:")) {
      this.#refuse(offset, path, `expected a plain value, got the YAML tag ${node.tag}`);
      return undefined;
    }
    if (isScalar(node)) return node.value;
    if (isSeq<ParsedNode>(node)) return node.items.map((item, index) => this.read(item, [...path, index], offset));
    if (isMap<ParsedNode, ParsedNode | null>(node)) return this.#readMap(node.items, path);
    return undefined;
  }

  /** The place of a path, or of the nearest part around it. */
  offsetOf(path: Path, of: "key" | "value"): number {
    const keyOffset = this.#keyOffsets.get(key(path));
    if (of === "key" && keyOffset !== undefined) return keyOffset;
    for (let length = path.length; length >= 0; length--) {
      const offset = this.#offsets.get(key(path.slice(0, length)));
      if (offset !== undefined) return offset;
    }
    return 0;
  }

  #readMap(pairs: readonly Pair<ParsedNode, ParsedNode | null>[], path: Path): unknown {
    // No prototype, so that a key such as `__proto__` is a key like any other.
    const map = Object.create(null) as Record<string, unknown>;
    for (const { key: keyNode, value } of pairs) {
      const offset = keyNode.range[0];
      if (!isScalar(keyNode) || typeof keyNode.value !== "string") {
        this.#refuse(
          offset,
          path,
          `expected a key that is text, got ${JSON.stringify(keyNode.toString().slice(0, 60))}`,
        );
        continue;
      }
      const name = keyNode.value;
      const below = [...path, name];
      if (name in map) {
        this.#refuse(offset, below, "expected each key once, got it again");
        continue;
      }
      map[name] = this.read(value, below, offset);
      this.#keyOffsets.set(key(below), offset);
    }
    return map;
  }

  #refuse(offset: number, path: Path, message: string): void {
    this.problems.push(this.#at(offset, path, message));
  }
}

function key(path: Path): string {
  return JSON.stringify(path);
}

function strings(path: readonly PropertyKey[]): Path {
  return path.map((part) => (typeof part === "number" ? part : String(part)));
}

/** The start of the line after the one that begins at `start`, or -1. */
function nextLine(text: string, start: number): number {
  const end = text.indexOf("\n", start);
  return end < 0 ? -1 : end + 1;
}

/** The parser's message, and a hint for the mistake that addresses invite. */
function syntaxMessage(text: string, { code, message, pos }: YAMLParseError | YAMLWarning): string {
  if (code === "MULTIPLE_DOCS") return "expected one YAML document, got another";
  const line = text.slice(text.lastIndexOf("\n", pos[0] - 1) + 1).split("\n", 1)[0] ?? "";
  const hint = /:\s*\[[0-9a-f:.]*:[0-9a-f:.]*\]:\d/i.test(line) ? " (an IPv6 address in brackets needs quotes)" : "";
  return `expected YAML: ${message.split("\n", 1)[0] ?? ""}${hint}`;
}
