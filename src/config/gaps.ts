import { isLoopback } from "./address.ts";
import type { UpstreamConfig } from "./schema.ts";

/**
 * What an upstream does not guard against: anybody who reaches its address; anybody there who says that he is somebody else; and
 * anybody who answers in its server's place.
 */
export type Gap = "anybody" | "forged addresses" | "another server";

/** Of a listening address that others than this machine reach, the first two. */
export function gapsOf({ listen, admission, serverTls }: UpstreamConfig): Gap[] {
  const found: Gap[] = [];
  if (listen.path === undefined && !isLoopback(listen.host)) {
    if (admission.allow.length === 0) found.push("anybody");
    if (admission.acceptProxy === true) found.push("forged addresses");
  }
  if (serverTls?.verify === "off") found.push("another server");
  return found;
}
