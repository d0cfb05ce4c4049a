import type { Logger } from "pino";
import type { ProxyState } from "../proxy/state.ts";

/** So many lines of each sort are written at most; of a process with more of one another line says how many. */
const MAX_LINES = 100;

/** Of clients the state has no more anyhow. */
export const MAX_CLIENT_LINES = MAX_LINES;

/** Writes what a proxy knows: a line for the process, and one each for upstreams, storages and clients. */
export function dumpState(logger: Logger, state: ProxyState): void {
  const { upstreams, storages, clients, ...counts } = state;
  const { rss, heapUsed, external } = process.memoryUsage();
  const uptimeMs = Math.round(process.uptime() * 1000);
  logger.info({ uptimeMs, rss, heapUsed, external, ...counts }, "state of the process");
  for (const upstream of upstreams.slice(0, MAX_LINES)) logger.info(upstream, "state of an upstream");
  for (const storage of storages.slice(0, MAX_LINES)) logger.info(storage, "state of a storage");
  for (const client of clients.slice(0, MAX_LINES)) logger.info(client, "state of a client");
  const more = {
    upstreams: Math.max(0, upstreams.length - MAX_LINES),
    storages: Math.max(0, storages.length - MAX_LINES),
    clients: Math.max(0, state.clientsNow - Math.min(clients.length, MAX_LINES)),
  };
  if (Object.values(more).some((left) => left > 0)) logger.info(more, "state: so many more are left out");
}
