// The software bill of materials, as CycloneDX 1.5 has it in JSON (https://cyclonedx.org/docs/1.5/json/): what the proxy is made
// with, and nothing that differs from run to run, so that two of them can be compared. `npm run sbom` prints it.
import { pathToFileURL } from "node:url";
import { runtimePackages } from "./packages.js";

export function sbom() {
  const { project, packages } = runtimePackages();
  const refs = new Map(packages.map((one) => [one.path, refOf(one)]));
  const dependency = (ref, needs) => ({ ref, dependsOn: needs.map((path) => refs.get(path)).sort() });
  const root = refOf(project);
  return {
    $schema: "http://cyclonedx.org/schema/bom-1.5.schema.json",
    bomFormat: "CycloneDX",
    specVersion: "1.5",
    version: 1,
    metadata: {
      component: {
        ...component("application", project.name, project.version, project.license),
        description: project.description,
      },
    },
    components: packages.map(({ name, version, licence, integrity }) => ({
      ...component("library", name, version, licence),
      hashes: hashesIn(integrity),
    })),
    dependencies: [
      dependency(root, project.needs),
      ...packages.map((one) => dependency(refs.get(one.path), one.needs)),
    ],
  };
}

const refOf = ({ name, version }) => `${name}@${version}`;

function component(type, name, version, licence) {
  // A package URL spells the @ of a scope %40.
  const purl = `pkg:npm/${name.replace("@", "%40")}@${version}`;
  return {
    "bom-ref": `${name}@${version}`,
    type,
    name,
    version,
    scope: "required",
    purl,
    licenses: licencesIn(licence),
  };
}

/** A single name of the SPDX list, or an expression of several. */
function licencesIn(licence) {
  return /[ ()]/.test(licence) ? [{ expression: licence }] : [{ license: { id: licence } }];
}

/** npm writes a hash as `sha512-` and base64. */
function hashesIn(integrity) {
  return integrity.split(" ").map((one) => {
    const [, bits, content] = /^sha(\d+)-(.+)$/.exec(one);
    return { alg: `SHA-${bits}`, content: Buffer.from(content, "base64").toString("hex") };
  });
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) console.log(JSON.stringify(sbom(), undefined, 2));
