import type { TcpAddress } from "../config/address.ts";
import { formatAddress } from "../config/address.ts";
import { advice } from "../demo/advice.ts";
import { openDemoLog } from "../demo/log.ts";
import { isComplete, Play } from "../demo/play.ts";
import type { Seen } from "../demo/play.ts";
import { SCRIPT } from "../demo/script.ts";
import { Table } from "../demo/table.ts";
import { openWorld } from "../demo/world.ts";
import type { World } from "../demo/world.ts";
import type { ServerProtocol } from "../embedded/behaviour.ts";
import { EXIT } from "./exit-status.ts";
import { complain, print } from "./output.ts";
import { signalStatus, watchSignals } from "./signals.ts";

const DEFAULT_LISTEN: TcpAddress = { host: "127.0.0.1", port: 9100 };
const DEFAULT_SERVER_PORT = 8100;

export interface DemoOptions {
  readonly once?: true;
  readonly protocol: ServerProtocol;
  readonly listen?: TcpAddress;
  readonly serverPort?: number;
}

/** Plays the demo; returns the exit status. */
export async function runDemo({ once, protocol, listen, serverPort }: DemoOptions): Promise<number> {
  const signalled = waitForEnd();
  const log = await openDemoLog();
  const wanted = {
    protocol,
    listen: listen ?? DEFAULT_LISTEN,
    serverPort: serverPort ?? DEFAULT_SERVER_PORT,
    fixedListen: listen !== undefined,
    fixedServerPort: serverPort !== undefined,
  };
  let world: World;
  try {
    world = await openWorld(wanted, log.logger);
  } catch (error) {
    complain(error instanceof Error ? error.message : String(error));
    return EXIT.failed;
  }
  try {
    const missed = await Promise.race([show(world, protocol, log.lines), signalled]);
    if (missed === undefined) return EXIT.ok;
    log.passOn();
    if (once !== true) {
      say(`\n${advice(protocol, world.serverAddress, world.proxyAddress)}\n`);
      await signalled;
    }
    return missed === 0 ? EXIT.ok : EXIT.failed;
  } catch (error) {
    complain(error instanceof Error ? error.message : String(error));
    return EXIT.failed;
  } finally {
    await world.stop();
  }
}

/** Plays the script and prints it. Returns of how many commits the watcher behind the proxy missed something. */
async function show(world: World, protocol: ServerProtocol, logged: readonly string[]): Promise<number> {
  const table = new Table(process.stdout.isTTY && !process.env["NO_COLOR"]);
  say(`An unpatched ZEO server in memory (${protocol}) on ${formatAddress(world.serverAddress)}`);
  say(`and zeo-proxy before it on ${formatAddress(world.proxyAddress)}.`);
  if (world.taken.length > 0) say(`(${world.taken.join(" and ")} ${world.taken.length > 1 ? "were" : "was"} taken.)`);
  say("\nWhich objects the clients are told have changed:\n");
  say(table.head());
  const play = new Play(world);
  const seen: Seen[] = [];
  for (const step of SCRIPT) {
    const one = await play.commit(step);
    seen.push(one);
    say(table.row(one));
  }
  const back = await play.comeBack();
  say(`\n${table.row(back)}`);
  say(`\n${table.bold(summary(seen))}`);
  say("\nThe proxy's log:\n");
  say(logged.join("").trimEnd());
  return [...seen, back].filter(({ proxied, changed }) => !isComplete(proxied, changed)).length;
}

function summary(seen: readonly Seen[]): string {
  const all = seen.reduce((sum, { changed }) => sum + changed.length, 0);
  const count = (who: "direct" | "proxied"): number =>
    seen.reduce((sum, one) => sum + one.changed.filter((oid) => one[who]?.includes(oid) === true).length, 0);
  return `Of ${all} changes the server's own messages name ${count("direct")}, behind the proxy they name ${count("proxied")}.`;
}

function say(text: string): void {
  print(`${text}\n`);
}

/**
 * Resolves when the demo is to end. A terminal that is closed ends it, too: nobody looks on any more, and it would keep its
 * ports for good.
 */
function waitForEnd(): Promise<undefined> {
  return new Promise((resolve) => {
    const signalled = watchSignals({
      again: (signal) => {
        complain(`a second signal (${signal}): ended at once`);
        process.exit(signalStatus(signal));
      },
      kept: (signal, use) => {
        if (signal === "SIGHUP" && process.stdout.isTTY) resolve(undefined);
        else complain(`a signal that does nothing: ${signal}, ${use}`);
      },
    });
    void signalled.then(() => resolve(undefined));
  });
}
