/**
 * The proxy as a library.
 *
 *     import { createProxy } from "zeo-proxy";
 *
 *     const proxy = createProxy({ upstreams: [{ listen: "127.0.0.1:9100", server: "127.0.0.1:8100" }] });
 *     proxy.on("repaired", ({ tid, oids }) => console.log(tid, oids));
 *     await proxy.start();
 *     // ...
 *     await proxy.stop();
 */
export type { ClientStatus, Status, StorageStatus, UpstreamStatus } from "./admin/shape.ts";
export { loadConfig, parseConfig } from "./config/load.ts";
export { ConfigError } from "./config/problem.ts";
export type { Config, ConfigInput, UpstreamConfig } from "./config/schema.ts";
export type { Proxy, ProxyStats, ReloadResult, StorageStats, UpstreamStats } from "./proxy/api.ts";
export { ListenError } from "./proxy/errors.ts";
export { createProxy, type ProxyOptions } from "./proxy/proxy.ts";
export type { ProxyEvents, ResumeEvent, SessionEndEvent, UpstreamEvent } from "./report/events.ts";
export type { RepairEvent } from "./report/repair.ts";
