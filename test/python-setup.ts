import { installAll } from "./peers/install.ts";

/** Installs the real ZEO releases that tests of single modules need, where that was not done before. */
export default async function setup(): Promise<void> {
  const mode = process.env["ZEO_PEERS"];
  if (mode === "off") return;
  const results = await installAll((line) => process.stderr.write(`${line}\n`));
  const missing = results.flatMap((result) =>
    result.type === "missing" ? [`${result.peer.name}: ${result.why}`] : [],
  );
  if (mode === "required" && missing.length > 0) throw new Error(`ZEO_PEERS=required, but: ${missing.join("; ")}`);
}
