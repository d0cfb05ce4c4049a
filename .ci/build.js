// `npm run build` begins with this: it bundles the command and the library, with what they use, into dist/. To find and read some
// three hundred modules one by one takes longer than to run any of them (docs/architecture.md). tsc adds the types.
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";
import { sbom } from "./sbom.js";

const top = fileURLToPath(new URL("..", import.meta.url));

const bundle = await rolldown({
  cwd: top,
  // What both use stands in chunks that both load, so that a class exists once.
  input: { index: "src/index.ts", "commands/main": "src/commands/main.ts" },
  platform: "node",
  tsconfig: false,
});
const { output } = await bundle.write({
  dir: join(top, "dist"),
  cleanDir: true,
  chunkFileNames: "chunks/[name].js",
  sourcemap: true,
  sourcemapExcludeSources: true,
});
await bundle.close();

/** The folders of the packages that a bundle holds something of. */
function packagesIn(chunks) {
  const folders = chunks
    .flatMap(({ moduleIds = [] }) => moduleIds)
    .map((id) => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(id)?.[0])
    .filter((folder) => folder !== undefined);
  return [...new Set(folders)].sort();
}

/** Their licences want to go with every copy. */
function licenceOf(folder) {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const file = readdirSync(folder).find((one) => /^licen[cs]e/i.test(one));
  const text = file === undefined ? `Licence: ${license}\n` : readFileSync(join(folder, file), "utf8");
  return `${name} ${version}\n\n${text.trim()}\n`;
}

// The status page's files are served as they are; what draws its chart goes with them.
const chart = join(top, "node_modules/uplot");
mkdirSync(join(top, "dist/page"), { recursive: true });
for (const file of readdirSync(join(top, "src/page/files"))) {
  if (file !== "tsconfig.json") copyFileSync(join(top, "src/page/files", file), join(top, "dist/page", file));
}
for (const file of ["uPlot.iife.min.js", "uPlot.min.css"])
  copyFileSync(join(chart, "dist", file), join(top, "dist/page", file));

writeFileSync(
  join(top, "dist/licences.txt"),
  [...packagesIn(output), chart].map(licenceOf).join(`\n${"-".repeat(80)}\n\n`),
);
writeFileSync(join(top, "dist/sbom.cdx.json"), `${JSON.stringify(sbom(), undefined, 2)}\n`);
