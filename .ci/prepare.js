// `npm install` runs this. It builds dist/ where compiler and bundler are installed, and says clearly what to do where it isn't.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const top = fileURLToPath(new URL("..", import.meta.url));

const { resolve } = createRequire(import.meta.url);

function isInstalled(name) {
  try {
    resolve(`${name}/package.json`);
    return true;
  } catch {
    return false;
  }
}

if (["rolldown", "typescript"].every(isInstalled)) {
  const build = spawnSync("npm", ["run", "--silent", "build"], { cwd: top, stdio: "inherit" });
  process.exitCode = build.status ?? 1;
} else {
  const found = existsSync(`${top}/dist/commands/main.js`)
    ? "the dist/ that is here is used"
    : "there is no dist/ to run";
  console.warn(
    `zeo-proxy: not built, since development dependencies are left out (--omit=dev or NODE_ENV=production); ${found}.`,
  );
  console.warn(
    "zeo-proxy: to build it, run `npm install --include=dev`; then `npm prune --omit=dev` removes them again.",
  );
}
