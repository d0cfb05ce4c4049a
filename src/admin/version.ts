import { readFileSync } from "node:fs";

/** This package's version, as its package.json has it. */
export function packageVersion(): string {
  // From src/admin and from dist/chunks it is two folders up; a program that has bundled the library may have none at all.
  try {
    const { name, version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
      name?: string;
      version?: string;
    };
    return name === "zeo-proxy" && version !== undefined ? version : "unknown";
  } catch {
    return "unknown";
  }
}
