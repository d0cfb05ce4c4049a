// The packages that the proxy is made with, as package-lock.json has them; those for its development are none of them.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const top = fileURLToPath(new URL("..", import.meta.url));

const read = (file) => JSON.parse(readFileSync(join(top, file), "utf8"));

/** The project itself, and the packages by name and version, each with its path, licence, hash and what it needs. */
export function runtimePackages() {
  const { packages } = read("package-lock.json");
  const isUsed = ([path, one]) => path !== "" && one.dev !== true;
  const used = Object.fromEntries(Object.entries(packages).filter(isUsed));
  const entries = Object.entries(used).map(([path, one]) => ({
    path,
    name: path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length),
    version: one.version,
    licence: one.license,
    integrity: one.integrity,
    needs: neededBy(path, one, used),
  }));
  const key = ({ name, version }) => `${name} ${version}`;
  entries.sort((a, b) => (key(a) < key(b) ? -1 : 1));
  return { project: { ...read("package.json"), needs: neededBy("", packages[""], used) }, packages: entries };
}

/** The paths of what a package depends on: as Node looks for it, from the package's own folder upwards. */
function neededBy(path, { dependencies = {}, optionalDependencies = {} }, used) {
  return Object.keys({ ...dependencies, ...optionalDependencies })
    .map((name) => {
      for (let folder = path; ; folder = folder.slice(0, Math.max(folder.lastIndexOf("/node_modules/"), 0))) {
        const found = `${folder === "" ? "" : `${folder}/`}node_modules/${name}`;
        if (found in used || folder === "") return found;
      }
    })
    .filter((found) => found in used);
}
