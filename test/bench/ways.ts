/** What is between the clients and the server. */
export type Way = "direct" | "haproxy" | "pipe" | "proxy" | "bare";
export type RelayWay = Exclude<Way, "direct">;

export const WAYS: readonly Way[] = ["direct", "haproxy", "pipe", "proxy"];

/** And the proxy's sockets with nothing between them, where that is wanted: what is above it is for what the proxy knows. */
export const BARE: Way = "bare";
