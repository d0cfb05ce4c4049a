import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** A file of the page, as it is served. */
export interface Asset {
  /** Its path in requests. */
  readonly path: string;
  readonly type: string;
  readonly bytes: Buffer;
  /** For `If-None-Match`. */
  readonly etag: string;
}

const TYPES = { html: "text/html", css: "text/css", js: "text/javascript", svg: "image/svg+xml" } as const;

/** All there are, by their name and kind. The library that draws the chart is copied beside them when the package is built. */
const FILES = [
  ["page", "html"],
  ["page", "css"],
  ["icon", "svg"],
  ["main", "js"],
  ["stream", "js"],
  ["dom", "js"],
  ["format", "js"],
  ["rows", "js"],
  ["table", "js"],
  ["chart", "js"],
  ["overview", "js"],
  ["lookups", "js"],
  ["theme", "js"],
  ["uPlot.iife.min", "js"],
  ["uPlot.min", "css"],
] as const;

/** Reads them all. The page itself is at `/`. */
export function readAssets(): Asset[] {
  return FILES.map(([name, kind]) => {
    const bytes = readFileSync(placeOf(`${name}.${kind}`));
    const etag = `"${createHash("sha256").update(bytes).digest("base64url").slice(0, 22)}"`;
    const path = kind === "html" ? "/" : `/page/${name}.${kind}`;
    return { path, type: `${TYPES[kind]}; charset=utf-8`, bytes, etag };
  });
}

/** Beside the sources; or where the build has put them: `dist/page`, seen from any of its modules. */
function folderOf(): { readonly folder: string; readonly isBuilt: boolean } {
  const folders = ["files/", "page/", "../page/"].map((place) => fileURLToPath(new URL(place, import.meta.url)));
  const at = folders.findIndex((folder) => existsSync(join(folder, "page.html")));
  return { folder: folders[at] ?? "", isBuilt: at > 0 };
}

function placeOf(file: string): string {
  const { folder, isBuilt } = folderOf();
  if (isBuilt || !file.startsWith("uPlot")) return join(folder, file);
  return createRequire(import.meta.url).resolve(`uplot/dist/${file}`);
}
