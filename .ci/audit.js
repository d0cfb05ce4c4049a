// Asks the registry for advisories about what the proxy is made with. One that is known is a failure. Not every registry can
// be asked, nor is there one everywhere: that is said, and is none.
import { spawnSync } from "node:child_process";

const { stdout, stderr, error } = spawnSync("npm", ["audit", "--omit=dev", "--json"], { encoding: "utf8" });

function read(text) {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}

const report = read(stdout ?? "{}");
const counts = report.metadata?.vulnerabilities;
if (counts === undefined) {
  const line = stderr?.split("\n").find((one) => one.trim() !== "");
  const reason = report.message ?? report.error?.summary ?? error?.message ?? line ?? "no answer";
  console.log(`not audited: the registry gives no advisories (${String(reason).trim()})`);
} else if (counts.total === 0) {
  console.log("audited: no advisory is known about what the proxy is made with");
} else {
  for (const { name, severity, range } of Object.values(report.vulnerabilities)) {
    console.log(`${severity}: ${name} ${range}`);
  }
  console.log(`audited: ${counts.total} packages with advisories`);
  process.exitCode = 1;
}
