import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import { afterEach, expect, it } from "vitest";
import { ClientCommit } from "../../src/embedded/client-commit.ts";
import { EmbeddedServer } from "../../src/embedded/server.ts";
import { numbers } from "../admin/numbers.ts";
import { portOf, Visitor } from "../admin/visitor.ts";
import { atEnd, enter, leave } from "./stage.ts";

afterEach(leave);

const OID = "0000000000000001";
const MIB = 1024;

/** The most resident memory that the process has had, in KiB. */
function peakOf(pid: number | undefined): number {
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
}

function descriptorsOf(pid: number | undefined): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

/** Somebody who asks so often for each path, and takes nothing of the answers. */
async function takeNothing(port: number, asks: Readonly<Record<string, number>>): Promise<void> {
  const words = Object.entries(asks).flatMap(([path, count]) => [String(count), path]);
  const child = spawn("python3", ["test/commands/fixtures/take-nothing.py", String(port), ...words], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  atEnd(() => child.kill("SIGKILL"));
  await once(child.stdout, "data");
}

const canMeasure = process.platform === "linux" && spawnSync("python3", ["--version"]).status === 0;

it.skipIf(!canMeasure)(
  "who takes nothing of /metrics, /status.json and /events costs bounded memory, however much happens",
  { timeout: 120_000 },
  async () => {
    const { command, join, port } = await enter(
      new EmbeddedServer({ protocol: "Z5" }),
      "limits: { clients: 1000, handshake: 5m }\nadmin: { listen: 127.0.0.1:0 }",
    );
    const { address } = await command.line(({ msg }) => msg === "admin listening", "the admin address");
    const admin = portOf(String(address));
    const ask = async (path: string) => await (await Visitor.to(String(address))).ask(path);
    // So the status is long: it lists them.
    for (let n = 0; n < 300; n++) {
      const silent = connect(port, "127.0.0.1").on("error", () => undefined);
      atEnd(() => silent.destroy());
      // oxlint-disable-next-line no-await-in-loop -- so that none is refused by the system
      await once(silent, "connect");
    }
    const commits = new ClientCommit(await join());
    await commits.commit({ create: [OID] });
    let made = 1;
    const commitUpTo = async (count: number): Promise<void> => {
      for (; made < count; made++) {
        // oxlint-disable-next-line no-await-in-loop -- one behind the other
        await commits.commit({ modify: [OID] });
      }
    };
    const commitsIn = async (): Promise<number> => {
      const found = numbers((await ask("/metrics")).body);
      return [...found].find(([name]) => name.startsWith("zeo_proxy_commits_total"))?.[1] ?? 0;
    };
    // What a process takes that has worked for a while.
    await commitUpTo(1_000);
    expect((await ask("/status.json")).body.length).toBeGreaterThan(100_000);
    const before = peakOf(command.child.pid);
    const idle = descriptorsOf(command.child.pid);
    // Some 200 KB each.
    await takeNothing(admin, { "/events": 16, "/status.json": 900, "/metrics": 100 });
    // Whoever came before has been accepted then.
    expect(await ask("/livez")).toMatchObject({ status: 200 });
    expect(descriptorsOf(command.child.pid)).toBeLessThan(idle + 80);
    await commitUpTo(2_000);
    expect(await commitsIn()).toBe(made);
    expect(peakOf(command.child.pid) - before).toBeLessThan(64 * MIB);
    expect(await ask("/livez")).toMatchObject({ status: 200 });
  },
);
