import { config, type Config } from "./config.ts";

/** A named world. */
export interface Named {
  readonly name: string;
  readonly config: Config;
}

export function world(name: string, options: Partial<Config>): Named {
  return { name, config: config(options) };
}

export const NEWCOMER = { cold: 1, connects: 1 } as const;
export const RECONNECT = { connects: 1, disconnects: 1 } as const;
/** An undo whose message a client never gets ends that client. */
export const SKIPPED_UNDO = { ends: ["incomplete-undo"] } as const;
export const BROKEN = { ends: ["unknown-commit"] } as const;
