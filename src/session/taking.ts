import type { Connection } from "./connection.ts";

/** Whether the other end takes anything of what is written to it. */
export class Taking {
  readonly #connection: Connection;
  #progress: number;
  /** So many bytes had arrived when the system was asked last; NaN: it did not tell. */
  #arrived = Number.NaN;

  constructor(connection: Connection) {
    this.#connection = connection;
    this.#progress = connection.progress;
  }

  /** What it takes counts from now on. */
  begin(): void {
    this.#progress = this.#connection.progress;
    this.#arrived = Number.NaN;
  }

  /**
   * Has it taken anything since the last time? The network takes large portions, and may take none for minutes while
   * somebody reads slowly: the system, which then is asked, sees more from the second time on.
   * @param told called at once or later
   */
  ask(told: (hasTaken: boolean) => void): void {
    if (this.#hasProgressed()) {
      told(true);
      return;
    }
    this.#connection.ask((seen) => {
      if (this.#hasProgressed()) {
        told(true);
        return;
      }
      const before = this.#arrived;
      this.#arrived = seen === undefined ? Number.NaN : this.#progress - seen.unacknowledged;
      told(this.#arrived > before);
    });
  }

  #hasProgressed(): boolean {
    const { progress } = this.#connection;
    if (progress === this.#progress) return false;
    this.begin();
    return true;
  }
}
