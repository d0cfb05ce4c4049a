import type { Logger } from "pino";
import type { Status } from "../admin/shape.ts";

/** So many lines of each sort are written at most; of a process with more of one another line says how many. */
const MAX_LINES = 100;

/** Writes how everything is: a line for the process, and one each for upstreams, storages and those clients for whom most waits. */
export function dumpStatus(logger: Logger, { proxy, upstreams, storages }: Status): void {
  const { rss, heapUsed, external } = process.memoryUsage();
  logger.info({ ...proxy, rss, heapUsed, external }, "state of the process");
  for (const { clients, ...upstream } of upstreams.slice(0, MAX_LINES)) {
    logger.info({ ...upstream, clients: clients.count }, "state of an upstream");
  }
  for (const storage of storages.slice(0, MAX_LINES)) logger.info(storage, "state of a storage");
  const clients = upstreams.flatMap((upstream) =>
    upstream.clients.list.map((one) => ({ upstream: upstream.name, ...one })),
  );
  clients.sort((a, b) => b.waitingBytes + b.heldMessages - a.waitingBytes - a.heldMessages);
  for (const { address: client, ...one } of clients.slice(0, MAX_LINES))
    logger.info({ ...one, client }, "state of a client");
  const all = upstreams.reduce((sum, upstream) => sum + upstream.clients.count, 0);
  const more = {
    upstreams: Math.max(0, upstreams.length - MAX_LINES),
    storages: Math.max(0, storages.length - MAX_LINES),
    clients: all - Math.min(clients.length, MAX_LINES),
  };
  if (Object.values(more).some((left) => left > 0)) logger.info(more, "state: so many more are left out");
}
