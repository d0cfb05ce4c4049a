import { isSerials } from "../wire/announcement.ts";
import type { Client } from "../wire/client.ts";
import type { Observer } from "./observer.ts";
import { FINISH, ID_AT, TPC_FINISH, VOTE, type Transactions } from "./transaction.ts";

/** A client that commits. What it is told of others' commits its observer looks at. */
export class Writer {
  readonly client: Client;
  /** When the last `tpc_finish` was sent. */
  finishSent = 0;
  committed = 0;
  readonly #transactions: Transactions;
  readonly #observer: Observer;
  #done: () => void = () => undefined;

  constructor(client: Client, transactions: Transactions, observer: Observer) {
    this.client = client;
    this.#transactions = transactions;
    this.#observer = observer;
    this.listen();
  }

  listen(): void {
    this.client.onFrame((bytes, start, _end, length) => this.#frame(bytes, start, length));
  }

  /** `done` is called with the reply to `tpc_finish`. */
  commit(done: () => void): void {
    this.#done = done;
    this.#transactions.advance();
    this.client.messages += this.#transactions.messages;
    this.client.socket.write(this.#transactions.bytes);
  }

  #frame(bytes: Buffer, start: number, length: number): void {
    switch (bytes[start + ID_AT]) {
      case 0:
        if (this.client.isOld && isSerials(bytes, start)) return;
        this.#observer.told(bytes, start, length);
        return;
      case VOTE:
        this.finishSent = performance.now();
        this.client.send(TPC_FINISH);
        return;
      case FINISH:
        this.committed++;
        this.#done();
        return;
      default:
        throw new Error(`an unexpected message: ${bytes.toString("hex", start, start + 48)}`);
    }
  }
}
