import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, expect, test } from "vitest";
import { expectGood } from "./checked.ts";
import { killRest, zeoProxy } from "./command.ts";

const folder = mkdtempSync(join(tmpdir(), "zeo-proxy-check-"));
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(killRest);

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

test("a good file is said to be good, with its upstreams; nothing is started", async () => {
  const ending = await zeoProxy(["check", "config/zeo-proxy.yaml"]).ended();
  expectGood(ending);
  expect(ending.stdout).toBe("config/zeo-proxy.yaml: good\n  main: 127.0.0.1:9100 before 127.0.0.1:8100\n");
});

/** What nothing guards against; a machine that has so few descriptors that even this wants more there is not. */
const OPEN = `upstreams:
  - { name: main, listen: "0.0.0.0:0", server: 127.0.0.1:9, accept-proxy: true, server-tls: { verify: off } }
  - { name: own, listen: 127.0.0.1:0, server: 127.0.0.1:9 }
  - { name: listed, listen: "0.0.0.0:0", server: 127.0.0.1:9, allow: [10.0.0.0/8] }
limits: { clients: 1000000 }
`;

test("what a start warns of is shown, and the file is good", async () => {
  const path = file("open.yaml", OPEN);
  const { status, stdout, stderr } = await zeoProxy(["check", path]).ended();
  expect({ status, stdout }).toMatchObject({ status: 0, stdout: expect.stringMatching(/: good\n/) });
  const lines = stderr.trimEnd().split("\n");
  expect(lines.slice(0, 3)).toEqual([
    "zeo-proxy: warning: everybody who reaches this address is served: no allow list (upstream main, address 0.0.0.0:0)",
    "zeo-proxy: warning: everybody who reaches this address may name any other as his: accept-proxy has no list (upstream main, address 0.0.0.0:0)",
    "zeo-proxy: warning: server-tls.verify is off: whoever answers at the server's address is taken for it (upstream main)",
  ]);
  expect(lines[3] ?? "zeo-proxy: warning: the limit").toMatch(/^zeo-proxy: warning: the limit/);
  // And the start does.
  const started = zeoProxy(["run", "--config", path]);
  const told = (text: string) => started.line(({ msg }) => text.includes(`: ${String(msg)} (`), text);
  for (const line of lines) expect((await told(line))["level"]).toBe("warn");
  started.signal("SIGTERM");
  await started.ended();
  expect(started.lines.filter(({ level }) => level === "warn")).toHaveLength(lines.length);
});

const WRONG = `upstreams:
  - listen: 127.0.0.1:9100
    server: 127.0.0.1:9100
  - listen: 127.0.0.1:9100
    server: zeo
limit: { clients: 5 }
log: { level: loud, level: info }
`;

const complaints = (path: string) => [
  `${path}:3:13: upstreams[0].server: expected a ZEO server, got 127.0.0.1:9100, the upstream's own listening address`,
  `${path}:4:13: upstreams[1].listen: expected an address of its own, got 127.0.0.1:9100 while upstreams[0] listens on 127.0.0.1:9100`,
  `${path}:5:13: upstreams[1].server: expected HOST:PORT such as 127.0.0.1:8100, "[::1]:8100" or zeo.example.com:8100, or an absolute path of at most 107 bytes, got "zeo"`,
  `${path}:6:1: limit: unknown key, expected a map with the keys upstreams, log, limits, witness, keep-alive, unknown-protocol, admin`,
  `${path}:7:15: log.level: expected one of trace, debug, info, warn, error, fatal, silent, got "loud"`,
  `${path}:7:21: log.level: expected each key once, got it again`,
  "zeo-proxy: 6 problems in the configuration, nothing started",
];

test.each([[["check"]], [["run", "--config"]]])("%j: a wrong file is status 2 with every problem", async (args) => {
  const path = file("wrong.yaml", WRONG);
  const { status, stdout, stderr } = await zeoProxy([...args, path]).ended();
  expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
  expect(stderr.trimEnd().split("\n")).toEqual(complaints(path));
});

test.each([[["check"]], [["run", "--config"]]])("%j: a missing file is status 2", async (args) => {
  const path = join(folder, "missing.yaml");
  const { status, stdout, stderr } = await zeoProxy([...args, path]).ended();
  expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
  expect(stderr).toBe(
    `${path}: expected a file that can be read, got no such file\n` +
      "zeo-proxy: one problem in the configuration, nothing started\n",
  );
});

test.each([[["check"]], [["run", "--config"]]])("%j: a token that others can read is status 2", async (args) => {
  const token = file("token", "0123456789abcdef0123456789abcdef\n");
  chmodSync(token, 0o644);
  const path = file(
    "admin.yaml",
    `upstreams: [{ listen: 127.0.0.1:0, server: 127.0.0.1:1 }]
admin: { listen: 127.0.0.1:0, token-file: ${token} }
`,
  );
  const { status, stdout, stderr } = await zeoProxy([...args, path]).ended();
  expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
  expect(stderr).toContain(
    `admin.token-file: expected a file that nobody but its owner and its group may use, got ${token}`,
  );
});
