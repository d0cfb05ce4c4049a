import { codeOf } from "../net/system-error.ts";

/** What was started, and on which port it was wanted where that one was taken. */
export interface Started<T> {
  readonly value: T;
  readonly taken: number | undefined;
}

/**
 * Starts something on its usual port, or on any free one where that is taken. With `fixed` there is no other port: the
 * error comes through.
 */
export async function startOnPort<T>(
  port: number,
  fixed: boolean,
  start: (port: number) => Promise<T>,
): Promise<Started<T>> {
  try {
    return { value: await start(port), taken: undefined };
  } catch (error) {
    if (fixed || codeOf(error) !== "EADDRINUSE") throw error;
    return { value: await start(0), taken: port };
  }
}
