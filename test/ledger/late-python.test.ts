import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { install } from "../peers/install.ts";
import { peerNamed } from "../peers/peers.ts";

/* What `late.ts` rests on: a cache, and its file, take an invalidation under the tid at which they stand. */

const CACHES = ["zodb3-py27", "zeo4-py27", "zeo4-py36", "zeo521-py27", "zeo521-py37", "zeo530-py39", "zeo62-py312"];

const INSTALL_TIMEOUT_MS = 600_000;

/**
 * The cache stands at T5. It has object 1 as of T2, object 3 as of T5. Both are told under T5, loaded again and changed in
 * T7. Prints what it then has as current of the two, and what it has when it is opened anew.
 */
const SCRIPT = `
import logging, sys
logging.disable(logging.CRITICAL)
from ZEO.cache import ClientCache
from ZODB.utils import p64, u64
path, late = sys.argv[1], [int(n) for n in sys.argv[2].split()]

def show(cache):
    found = []
    for oid in (1, 3):
        data = cache.load(p64(oid))
        found.append("-" if data is None else str(u64(data[1])))
    print(" ".join(found))

cache = ClientCache(path)
if hasattr(cache, "open"):
    cache.open()
cache.store(p64(1), p64(2), None, b"old")
cache.store(p64(3), p64(5), None, b"new")
cache.setLastTid(p64(5))
for oid in late:
    cache.invalidate(p64(oid), p64(5))
cache.setLastTid(p64(5))
show(cache)
if 3 in late:
    cache.store(p64(3), p64(5), None, b"new")
cache.invalidate(p64(3), p64(7))
cache.setLastTid(p64(7))
cache.close()
cache = ClientCache(path)
if hasattr(cache, "open"):
    cache.open()
show(cache)
cache.close()
`;

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "zeo-proxy-cache-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe.each(CACHES)("the cache of %s", (name) => {
  async function run(late: string): Promise<string[]> {
    const result = await install(peerNamed(name));
    if (result.type === "missing") throw new Error(`${name}: ${result.why}`);
    const { python, packages } = result.installed;
    const args = ["-c", SCRIPT, join(folder, "cache.zec"), late];
    const { stdout } = await promisify(execFile)(python, args, { env: { ...process.env, PYTHONPATH: packages } });
    return stdout.trim().split("\n");
  }

  it(
    "forgets what is told under the tid at which it stands, and its file does",
    { timeout: INSTALL_TIMEOUT_MS },
    async () => {
      expect(await run("1")).toEqual(["- 5", "- -"]);
    },
  );

  it(
    "has in its file what changed in that very transaction, when it was told of it",
    { timeout: INSTALL_TIMEOUT_MS },
    async () => {
      expect(await run("1 3")).toEqual(["- -", "- 5"]);
    },
  );
});
