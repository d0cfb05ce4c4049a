import { readFileSync, writeFileSync } from "node:fs";
import { configSchema } from "../../src/config/schema.ts";
import { optionRows, withOptionTable } from "./option-table.ts";

// `npm run docs` writes what is generated of the documents; with `--check` it only says what it would change.

const FILE = "docs/configuration.md";

const found = readFileSync(FILE, "utf8");
const wanted = withOptionTable(found, optionRows(configSchema));
const isCheck = process.argv.includes("--check");

if (found === wanted) process.stdout.write(`${FILE}: as src/config/schema.ts says\n`);
else if (isCheck) {
  process.stderr.write(`${FILE}: not as src/config/schema.ts says; npm run docs writes it\n`);
  process.exitCode = 1;
} else {
  writeFileSync(FILE, wanted);
  process.stdout.write(`${FILE}: written\n`);
}
