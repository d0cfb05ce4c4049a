// `npm run licences` writes docs/licences.md with it.
import { runtimePackages } from "./packages.js";

const { project, packages } = runtimePackages();
const uses = new Map();
for (const { licence } of packages) uses.set(licence, (uses.get(licence) ?? 0) + 1);
const sum = [...uses].sort(([, a], [, b]) => b - a).map(([licence, count]) => `${count} under ${licence}`);

const direct = new Set(project.needs);
const rows = packages.map(
  ({ path, name, version, licence }) => `| ${name} | ${version} | ${licence} | ${direct.has(path) ? "directly" : ""} |`,
);

console.log(`# Licences

zeo-proxy itself is under the ${project.license} licence. These are the packages that it uses, and all that those use:
${packages.length} in all, ${sum.join(", ")}. None of them is native code, and none runs anything when it is installed.

\`npm run licences\` writes this page from the lock file. The built command has a copy of most of them in it: their texts are in
the file licences.txt beside it, and sbom.cdx.json there is the same list for machines (CycloneDX 1.5; \`npm run sbom\` prints it).

| package | version | licence | used |
| --- | --- | --- | --- |
${rows.join("\n")}`);
