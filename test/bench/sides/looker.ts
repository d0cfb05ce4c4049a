import { get, type IncomingMessage } from "node:http";

const EVERY_MS = 1_000;

/** Who looks at a proxy's admin address as a site does: Prometheus once a second, and one status page that is open. */
export class Looker {
  readonly #timer: NodeJS.Timeout;
  readonly #events: IncomingMessage;

  private constructor(address: string, events: IncomingMessage) {
    this.#events = events;
    const scrape = (): void => {
      get(`http://${address}/metrics`, (answer) => void answer.resume()).on("error", () => undefined);
    };
    this.#timer = setInterval(scrape, EVERY_MS);
  }

  /** @throws where nobody shows the page's events there */
  static async at(address: string): Promise<Looker> {
    const events = await new Promise<IncomingMessage>((resolve, reject) => {
      get(`http://${address}/events`, resolve).on("error", reject);
    });
    if (events.statusCode !== 200) throw new Error(`/events: ${events.statusCode}`);
    events.on("error", () => undefined).resume();
    return new Looker(address, events);
  }

  leave(): void {
    clearInterval(this.#timer);
    this.#events.destroy();
  }
}
