/**
 * What one process may ask another one, by name: `{ usage: { ask: undefined; answer: Usage } }`. Both sides of the
 * channel share the type.
 */
export type Asks = Record<string, { readonly ask: unknown; readonly answer: unknown }>;

export interface Question {
  readonly number: number;
  readonly name: string;
  readonly value: unknown;
}

export type Answer =
  | { readonly number: number; readonly value: unknown }
  | { readonly number: number; readonly error: string };

type Handlers<A extends Asks> = {
  readonly [K in keyof A]: (value: A[K]["ask"]) => A[K]["answer"] | Promise<A[K]["answer"]>;
};

/** Answers the parent's questions for as long as this process lives; it ends when the parent is gone. */
export function answerParent<A extends Asks>(handlers: Handlers<A>): void {
  const send = (answer: Answer): void => {
    process.send?.(answer);
  };
  process.on("message", (message) => {
    const { number, name, value } = message as Question;
    const handler = handlers[name];
    if (handler === undefined) {
      send({ number, error: `nobody answers ${name}` });
      return;
    }
    Promise.resolve()
      .then(() => handler(value))
      .then(
        (result) => send({ number, value: result }),
        (error: unknown) =>
          send({ number, error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
      );
  });
  process.on("disconnect", () => process.exit());
}
