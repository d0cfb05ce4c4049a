import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";

interface Component {
  readonly "bom-ref": string;
  readonly name: string;
  readonly version: string;
  readonly purl: string;
  readonly hashes?: readonly { readonly alg: string; readonly content: string }[];
  readonly licenses: readonly unknown[];
}

interface Bom {
  readonly bomFormat: string;
  readonly specVersion: string;
  readonly metadata: { readonly component: Component };
  readonly components: readonly Component[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[];
}

interface Package {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly scripts?: Readonly<Record<string, string>>;
}

const print = (script: string): string => execFileSync(process.execPath, [script], { encoding: "utf8" });
const text = print(".ci/sbom.js");
const bom = JSON.parse(text) as Bom;
const refs = bom.components.map((one) => one["bom-ref"]);

/** What is installed, and used by what is used: found as Node finds it, and not in the lock file. */
function installed(): ReadonlyMap<string, Package> {
  const found = new Map<string, Package>();
  const visit = (folder: string): void => {
    const one = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Package;
    if (found.has(folder)) return;
    found.set(folder, one);
    for (const name of Object.keys(one.dependencies ?? {})) {
      let at = folder;
      while (!existsSync(join(at, "node_modules", name))) at = resolve(at, "..");
      visit(join(at, "node_modules", name));
    }
  };
  visit(resolve("."));
  found.delete(resolve("."));
  return found;
}

const packages = [...installed().values()];

describe("the bill of materials", () => {
  it("has every package that the proxy uses as it is installed, once, and no other", () => {
    expect(refs.length).toBeGreaterThan(20);
    expect(refs.toSorted()).toEqual(packages.map(({ name, version }) => `${name}@${version}`).toSorted());
    for (const { name, version, license } of packages) {
      const one = bom.components.find((component) => component["bom-ref"] === `${name}@${version}`);
      expect(one).toMatchObject({ name, version, licenses: [{ license: { id: license } }] });
    }
  });

  it("says what needs what, and knows all of that", () => {
    const root = bom.metadata.component["bom-ref"];
    expect(bom.dependencies.map(({ ref }) => ref)).toEqual([root, ...refs]);
    const { dependencies = {} } = JSON.parse(readFileSync("package.json", "utf8")) as Package;
    const direct = Object.entries(dependencies).map(([name, version]) => `${name}@${version}`);
    expect(bom.dependencies[0]?.dependsOn).toEqual(direct.toSorted());
    // Nothing is there for nobody.
    const needed = new Set(bom.dependencies.flatMap(({ dependsOn }) => dependsOn));
    expect([...needed].toSorted()).toEqual(refs.toSorted());
  });

  it("says of each what npm's own bill says, where that has it", () => {
    // It leaves out what a development dependency uses, too.
    const args = ["sbom", "--sbom-format", "cyclonedx", "--omit", "dev", "--package-lock-only"];
    const npm = JSON.parse(execFileSync("npm", args, { encoding: "utf8" })) as Bom;
    expect([bom.bomFormat, bom.specVersion]).toEqual([npm.bomFormat, npm.specVersion]);
    expect(npm.components.length).toBeGreaterThan(20);
    for (const { purl, hashes, licenses, ...theirs } of npm.components) {
      const ours = bom.components.find((one) => one["bom-ref"] === theirs["bom-ref"]);
      expect(ours).toMatchObject({ purl, hashes, licenses });
    }
  }, 120_000);

  it("is the same each time, and says nothing of the machine or of the time", () => {
    expect(print(".ci/sbom.js")).toBe(text);
    expect(text).not.toContain(resolve("."));
    expect(text).not.toMatch(/serialNumber|timestamp/);
  });
});

describe("docs/licences.md", () => {
  it("is what `npm run licences` writes", () => {
    expect(readFileSync("docs/licences.md", "utf8")).toBe(print(".ci/licences.js"));
  });

  it("is right: nothing is native code, and nothing runs when it is installed", () => {
    const { packages: locked } = JSON.parse(readFileSync("package-lock.json", "utf8")) as {
      packages: Record<string, { dev?: boolean; hasInstallScript?: boolean; cpu?: unknown }>;
    };
    const used = Object.entries(locked).filter(([path, one]) => path !== "" && one.dev !== true);
    expect(used.filter(([, one]) => one.hasInstallScript === true || one.cpu !== undefined)).toEqual([]);
    const folders = [...installed().keys()];
    expect(folders.filter((folder) => existsSync(join(folder, "binding.gyp")))).toEqual([]);
  });
});
