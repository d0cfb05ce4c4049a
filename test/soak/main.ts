import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { leftovers, mebibytes, type Measure } from "./measure.ts";
import { readOptions, USAGE, UsageError, type Options } from "./options.ts";
import { playPart } from "./part.ts";
import { pause } from "./pause.ts";
import { ProxyProcess } from "./proxy-process.ts";
import { BreakingRelay } from "./relays.ts";
import { firstLine } from "./scene.ts";
import { GARBAGE_STORAGE, Site, STORAGE } from "./site.ts";
import { Tally } from "./tally.ts";
import { Watch } from "./watch.ts";

/** The first part, after which all leave for the first time. Of a short run a third. */
const FIRST_SECONDS = 60;

/** What the proxy holds without its clients: before the first came, after the first part, and at the end. */
interface Rests {
  readonly fresh: Measure;
  readonly first: Measure;
  readonly last: Measure;
}

async function soak(options: Options, sites: readonly Site[], folder: string, tally: Tally): Promise<void> {
  const relays = new Map<Site, BreakingRelay>();
  if (options.actors.has("cuts")) {
    for (const site of sites) relays.set(site, await BreakingRelay.start(site.server.port));
  }
  const fronts = sites.flatMap((site) => {
    const server = relays.get(site)?.port ?? site.server.port;
    return [
      { name: site.name, server },
      { name: lonely(site), server },
    ];
  });
  const proxy = await ProxyProcess.start(fronts, options.isWatched ? [STORAGE, GARBAGE_STORAGE] : [], folder);
  for (const site of sites) {
    site.port = proxy.port(site.name);
    site.lonelyPort = proxy.port(lonely(site));
  }
  const watch = new Watch(proxy, tally, options.actors);
  try {
    const rests = await play(options, sites, proxy, tally, (site) => {
      const relay = relays.get(site);
      return relay === undefined ? undefined : (random) => relay.breakOne(random);
    });
    await watch.stop();
    await look(proxy, rests, tally);
    report(rests, watch, tally);
  } catch (error) {
    tally.problem("the run could not go on", firstLine(error));
    proxy.kill();
  } finally {
    for (const relay of relays.values()) await relay.stop();
  }
}

function lonely(site: Site): string {
  return `${site.name} alone`;
}

async function play(
  { seconds, seed, actors }: Options,
  sites: readonly Site[],
  proxy: ProxyProcess,
  tally: Tally,
  breakOne: Parameters<typeof playPart>[2]["breakOne"],
): Promise<Rests> {
  // The dial that showed that a server is there is closed by then, and the witnesses are there.
  await pause(1_000);
  const fresh = await proxy.measure(true);
  const firstSeconds = Math.min(FIRST_SECONDS, seconds / 3);
  await playPart(sites, tally, { seconds: firstSeconds, seed, actors, breakOne });
  const first = await proxy.atRest(fresh);
  console.log(`all have left for the first time: ${said(first)}`);
  await playPart(sites, tally, { seconds: seconds - firstSeconds, seed: seed + 1, actors, breakOne });
  const last = await proxy.atRest(fresh);
  return { fresh, first, last };
}

/** What has to be so once all have gone, and at the end of the process. */
async function look(proxy: ProxyProcess, { fresh, first, last }: Rests, tally: Tally): Promise<void> {
  for (const left of leftovers(fresh, first, last)) tally.problem("left over", left);
  const status = await proxy.stop();
  if (status !== 0) tally.problem("the proxy did not end in order", String(status));
  for (const { msg, text } of await proxy.lines(["error", "fatal"])) {
    if (msg === "an unexpected error" || msg.startsWith("internal error")) tally.problem(msg, text.slice(0, 500));
  }
}

function said({ clients, descriptors, resources, heapBytes, externalBytes, residentBytes }: Measure): string {
  const counts = [...Object.entries(descriptors), ...Object.entries(resources)].map(
    ([kind, count]) => `${count} ${kind}`,
  );
  const memory = `${mebibytes(heapBytes)} + ${mebibytes(externalBytes)} of ${mebibytes(residentBytes)}`;
  return `${clients} clients, ${memory}, ${counts.join(", ")}`;
}

function report({ fresh, first, last }: Rests, watch: Watch, tally: Tally): void {
  console.log(`\nbefore the first client: ${said(fresh)}`);
  console.log(`after the first part:    ${said(first)}`);
  console.log(`at the end:              ${said(last)}`);
  console.log(`sessions that the proxy ended: ${watch.ended}`);
  console.log(`its loop stood for at most ${Math.round(watch.stoodMs)} ms`);
  console.log(tally.toString());
}

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2), () => 1 + Math.floor(Math.random() * 1_000_000));
  if (options === undefined) {
    console.log(USAGE);
    return 0;
  }
  const { seconds, seed, actors } = options;
  console.log(`soak: ${seconds} s, seed ${seed}: ${[...actors].join(", ")}`);
  const tally = new Tally(options.verbose ? (line) => console.log(line) : undefined);
  const folder = await mkdtemp(join(tmpdir(), "zeo-proxy-soak-"));
  const sites = await Site.startAll((line) => console.log(line));
  if (sites.length === 0) tally.problem("no server: its Python is missing");
  if (sites.length < 2 && process.env["ZEO_PEERS"] === "required") tally.problem("a server's Python is missing");
  try {
    if (sites.length > 0) await soak(options, sites, folder, tally);
  } finally {
    await Promise.all(sites.map((site) => site.stop()));
  }
  const keeps = options.keep || !tally.isGood;
  if (keeps) console.log(`the proxy's log: ${join(folder, "zeo-proxy.log")}`);
  else await rm(folder, { recursive: true, force: true });
  console.log(tally.isGood ? "\nnothing left over, nothing missing" : `\nwhat is wrong:\n${tally.problems.join("\n")}`);
  return tally.isGood ? 0 : 1;
}

process.once("SIGINT", () => process.exit(130));
try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(`${error.message}\n${USAGE}`);
  process.exitCode = 2;
}
