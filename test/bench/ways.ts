/** What is between the clients and the server. */
export type Way = "direct" | "haproxy" | "pipe" | "proxy" | "bare" | "watched";
export type RelayWay = Exclude<Way, "direct">;

export const WAYS: readonly Way[] = ["direct", "haproxy", "pipe", "proxy"];

/** And the proxy's sockets with nothing between them, where that is wanted: what is above it is for what the proxy knows. */
export const BARE: Way = "bare";

/** The proxy with its witness. Elsewhere it has none: what that costs is measured on its own. */
export const WATCHED: Way = "watched";
