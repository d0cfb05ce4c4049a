import { readFileSync, statSync } from "node:fs";
import { SourceMap } from "node:module";
import { fileURLToPath } from "node:url";

/** A place in a built file, as a stack has it. */
const PLACE = /(file:\/\/\/[^\s()]+\.js):(\d+):(\d+)/g;

/** Of built files; undefined for one that has none. */
const maps = new Map<string, SourceMap | undefined>();

/**
 * A stack's frame with the source's file and line instead of those of the bundle that it was built into. Node can do that, too
 * (`--enable-source-maps`), but reads the maps at every start, and not when there is something to tell.
 */
export function inSource(frame: string): string {
  return frame.replace(PLACE, (place: string, url: string, line: string, column: string) => {
    const found = mapOf(url)?.findEntry(Number(line) - 1, Number(column) - 1);
    if (found === undefined || !("originalSource" in found)) return place;
    const source = found.originalSource.replace(/^(?:\.\.\/)+/, "");
    return `${source}:${found.originalLine + 1}:${found.originalColumn + 1}`;
  });
}

function mapOf(url: string): SourceMap | undefined {
  if (!maps.has(url)) maps.set(url, readMap(url));
  return maps.get(url);
}

function readMap(url: string): SourceMap | undefined {
  try {
    const file = `${fileURLToPath(url)}.map`;
    // It may have been built again while this process runs what was there before.
    if (statSync(file).mtimeMs > performance.timeOrigin) return undefined;
    return new SourceMap(JSON.parse(readFileSync(file, "utf8")));
  } catch {
    return undefined;
  }
}
