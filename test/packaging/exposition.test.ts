import { spawnSync } from "node:child_process";
import { expect, it, onTestFinished } from "vitest";
import { Visitor } from "../admin/visitor.ts";
import { ClientCommit } from "../../src/embedded/client-commit.ts";
import { oid, world } from "../proxy/world.ts";
import { linter } from "./linters.ts";

const promtool = linter("usr/bin", "promtool", "--version");

it.skipIf(!promtool.isThere)("promtool has nothing against what the admin address tells", async () => {
  const gateway = await world({ protocol: "Z4" }, { isWatched: true, admin: { listen: "127.0.0.1:0" } });
  await gateway.connect();
  await new ClientCommit(await gateway.connect()).commit({ create: [oid(1)] });
  const visitor = await Visitor.to(String(gateway.told("admin listening")[0]?.["address"]));
  onTestFinished(() => void visitor.socket.destroy());
  const { body } = await visitor.ask("/metrics");
  const { program, env } = promtool;
  const { status, stdout, stderr } = spawnSync(program, ["check", "metrics"], { input: body, encoding: "utf8", env });
  expect({ status, said: `${stdout}${stderr}` }).toEqual({ status: 0, said: "" });
});
