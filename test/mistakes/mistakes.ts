/** A mistake of one line or two: in that file this text becomes that one. */
export interface Mistake {
  /** What is wrong then. */
  readonly name: string;
  readonly file: string;
  readonly text: string;
  readonly becomes: string;
  /** The tests that may find it, where the simulator has nothing of that file. */
  readonly tests?: readonly string[];
}

/**
 * Mistakes that are easily made between the ledger and the bytes, and that nobody would see. The simulator finds each of
 * them, or a named test does: `npm run mistakes` plants them one by one and shows which. Where the code moves, they move
 * with it: a test looks that each can still be planted.
 */
export const MISTAKES: readonly Mistake[] = [
  // --- what the ledger is told ---
  {
    name: "a question proves what settled until its reply came, not until it was asked",
    file: "src/ledger/ledger.ts",
    text: "proveAnswered(this.state, account, asked.order, true, this.#actions)",
    becomes: "proveAnswered(this.state, account, this.state.settles, true, this.#actions)",
  },
  {
    name: "a question that was answered counts as still asked",
    file: "src/ledger/ledger.ts",
    text: "    account.question = undefined;\n",
    becomes: "",
  },
  {
    name: "a reply to nobody knows what proves what has settled by now",
    file: "src/session/to-client.ts",
    text: "const UNKNOWN_CALL = { method: UNKNOWN, order: 0 };",
    becomes: "const UNKNOWN_CALL = { method: UNKNOWN, order: Number.MAX_SAFE_INTEGER };",
  },
  {
    name: "an ordinary call counts as forwarded one commit later",
    file: "src/session/calls.ts",
    text: "return { method: methodAt(note - order * ORDER_FACTOR), order };",
    becomes: "return { method: methodAt(note - order * ORDER_FACTOR), order: order + 1 };",
  },
  {
    name: "replies that are skimmed are never taken out of the open calls",
    file: "src/session/to-client.ts",
    text: "      calls.answeredSkimmed(skim);\n",
    becomes: "",
  },
  {
    name: "replies are skimmed though something is finishing",
    file: "src/session/to-client.ts",
    text: "if (!this.#ledger.isQuiet(this.#number) || calls.hasSpecial) return from;",
    becomes: "if (calls.hasSpecial) return from;",
  },
  {
    name: "replies are skimmed though one of them is the ledger's",
    file: "src/session/to-client.ts",
    text: "if (!this.#ledger.isQuiet(this.#number) || calls.hasSpecial) return from;",
    becomes: "if (!this.#ledger.isQuiet(this.#number)) return from;",
  },
  {
    name: "what is held for somebody is not seen by who looks at all of them at once",
    file: "src/ledger/place.ts",
    text: "  state.mayOwe = true;\n",
    becomes: "",
  },
  {
    name: "what is due to somebody is not seen by who looks at all of them at once",
    file: "src/ledger/owe.ts",
    text: "  state.mayOwe = true;\n",
    becomes: "",
  },
  {
    name: "what came late is not seen by who looks at all of them at once",
    file: "src/ledger/late.ts",
    text: "  state.mayOwe = true;\n",
    becomes: "",
  },
  {
    name: "nothing is owed to anybody, if not to the one that was asked about",
    file: "src/ledger/ledger.ts",
    text: "this.state.mayOwe = owesAnybody(this.state);",
    becomes: "this.state.mayOwe = false;",
  },
  {
    name: "what the server's messages before the reply lack all together each of them is taken to lack",
    file: "src/ledger/settle.ts",
    text: " && heard.own === heard.oids",
    becomes: "",
  },
  {
    name: "a store that is skimmed is the last transaction's, whichever it names",
    file: "src/session/to-server.ts",
    text: "        if (!this.#isSameTail(chunk, stored.restAt, end)) return at;\n",
    becomes: "        if (this.#tail === NO_TAIL) return at;\n",
  },
  {
    name: "what the system does not take at once is kept where it was read",
    file: "src/net/socket-connection.ts",
    text: "isScratch(bytes) ? Buffer.from(bytes) : bytes",
    becomes: "bytes",
  },
  {
    name: "what is gathered for one leaves behind what was written to another later",
    file: "src/net/outbox.ts",
    text: "    if (this.#recipient !== recipient || this.#length + bytes.length > WRITE_ROOM.length) {\n      this.flush();",
    becomes:
      "    if (this.#recipient !== undefined && this.#recipient !== recipient) return false;\n" +
      "    if (this.#recipient !== recipient || this.#length + bytes.length > WRITE_ROOM.length) {\n      this.flush();",
  },
  {
    name: "replies that pass are never taken out of the open calls",
    file: "src/session/to-client.ts",
    text: "        this.#calls.answered(envelope.id);\n        reads?.take",
    becomes: "        reads?.take",
  },
  {
    name: "every reply to a read is taken for plain: nothing is evidence",
    file: "src/session/to-client.ts",
    text: "const evidence = this.#server.codec.shown(payload, envelope, method);",
    becomes: "const evidence = { tid: NO_TID, exact: method !== undefined };",
  },
  {
    name: "serialnos pass while the session is quiet: a refused store counts as stored",
    file: "src/session/to-client.ts",
    text: 'if (envelope.method === SERIALNOS && server.protocol.family === "old") return "hold";',
    becomes: "",
  },
  {
    name: "the conflict that serialnos show is no evidence",
    file: "src/session/to-client.ts",
    text: "if (shown.tid !== NO_TID) {",
    becomes: "if (shown.tid === 5n) {",
  },
  {
    name: "a tpc_finish is noted, and the server's connection stays unread",
    file: "src/session/to-server.ts",
    text: "        this.#storage.run(number);\n",
    becomes: "",
  },
  {
    name: "the reply to a vote is a grant, whatever it says",
    file: "src/session/to-client.ts",
    text: 'if (outcome.kind === "granted") ledger.voteGranted(number, NO_TID, read);',
    becomes: 'if (outcome.kind !== "unclear") ledger.voteGranted(number, NO_TID, read);',
  },
  {
    name: "a second tpc_begin of one transaction forgets its stores",
    file: "src/ledger/transactions.ts",
    text: "  if (open !== undefined && !open.over) return;\n",
    becomes: "",
  },

  // --- the guard ---
  {
    name: "the guard is never told of the client's own commits",
    file: "src/session/to-client.ts",
    text: "if (tid !== undefined) this.#talk.guard.committed(tid);",
    becomes: "if (tid === undefined) this.#talk.guard.committed(NO_TID);",
  },
  {
    name: "the guard is never told that an old client is inside its finish",
    file: "src/session/to-server.ts",
    text: "        this.#guard.finishForwarded();\n",
    becomes: "        this.#guard.finishReplyWritten();\n",
  },

  // --- ends ---
  {
    name: "a connection that breaks is taken for one that the server closed",
    file: "src/session/lifetime.ts",
    text: "    this.serverEnded(true);\n",
    becomes: "    this.serverEnded(false);\n",
  },
  {
    name: "a reset of the server's connection is not seen as its end",
    file: "src/session/leg.ts",
    text: "    this.isClosed = true;\n",
    becomes: "    this.isClosed = this.hasEnded = true;\n",
  },
  {
    name: "behind a part of a frame that was passed on, what is held still goes out",
    file: "src/session/lifetime.ts",
    text: "life.talk.serverFrames.midFrame",
    becomes: "life.talk.serverFrames.isRaw",
  },
  {
    name: "a session that has been told of everything after its server's end is never left",
    file: "src/session/registration.ts",
    text: '        this.#turns.done("client");\n',
    becomes: "",
  },
  {
    name: "a client's half-close overtakes the reply to its commit",
    file: "src/session/lifetime.ts",
    text: 'if (!this.client.hasEnded || ("registration" in life && life.registration.isFinishing)) return;',
    becomes: "if (!this.client.hasEnded || life === undefined) return;",
  },
  {
    name: "a half-close that waited for a commit is never passed on",
    file: "src/session/registration.ts",
    text: "      this.#turns.look();\n    }",
    becomes: "    }",
  },
  {
    name: "a client that has gone is forgotten, and nobody is told what that decides",
    file: "src/session/registration.ts",
    text: "    this.storage.ledger.clientGone(this.number);\n    this.storage.run(this.number);",
    becomes: "    this.storage.ledger.clientGone(this.number);",
  },
  {
    name: "an error in the server's bytes leaves its client's commit on its way for ever",
    file: "src/session/lifetime.ts",
    text: "        life.talk.serverFrames.stop();\n        life.registration.serverGone(true);",
    becomes: "        life.talk.serverFrames.stop();",
  },
  {
    name: "after a failed register the next one is not followed",
    file: "src/session/session.ts",
    text: "    talk.continueWith(this.#early(talk.client.codec, talk.calls));\n",
    becomes: "",
  },
  {
    name: "a session that has left a storage is still told",
    file: "src/storage/storage.ts",
    text: "    this.#members.delete(session);\n",
    becomes: "",
  },
  {
    name: "a storage is forgotten though a commit in limbo is known",
    file: "src/ledger/ledger.ts",
    text: " && known === NO_TID && limbo.length === 0;",
    becomes: " && (known === NO_TID || limbo.length > 0);",
  },
  {
    name: "a server that comes back as another family goes on with the old ledger",
    file: "src/storage/storages.ts",
    text: "const key = `${family} ${name}`;",
    becomes: "const key = ` ${name}`;",
  },
  {
    name: "whoever is ended with a commit on its way is followed on: what it says behind that goes to the server",
    file: "src/session/lifetime.ts",
    text: '    if ("registration" in life) {\n      life.talk.clientFrames.stop();\n',
    becomes: '    if ("registration" in life) {\n',
  },
  {
    name: "a client whose server is gone stays connected when what it waited for has gone out",
    file: "src/ledger/release.ts",
    text: ' || account.phase === "closing") pump(',
    becomes: ") pump(",
  },
  {
    name: "a commit that the server may still read is bounded by the next one that settles",
    file: "src/ledger/limbo.ts",
    text: "if (limbo.open || limbo.top !== undefined || ",
    becomes: "if (limbo.top !== undefined || ",
  },
  {
    name: "an error while a session is ended ends whoever has made that necessary",
    file: "src/session/session.ts",
    text: "    } catch {\n      this.destroy();\n    }\n  }\n\n  done(",
    becomes: "    } finally {\n      void how;\n    }\n  }\n\n  done(",
  },

  // --- bytes ---
  {
    name: "a message that waits is not copied",
    file: "src/session/to-client.ts",
    text: "    if (isView) this.#keep();\n",
    becomes: "    void isView;\n",
  },
  {
    name: "a getInvalidations reply that waits is not copied",
    file: "src/session/to-client.ts",
    text: 'isView && call.sort === "resume" ? Buffer.from(frame) : frame',
    becomes: "isView ? frame : frame",
  },
  {
    name: "the oid of a store that comes in parts is not copied",
    file: "src/session/to-server.ts",
    text: "oid: Buffer.from(head.subarray(store.oidAt, store.oidAt + 8))",
    becomes: "oid: head.subarray(store.oidAt, store.oidAt + 8)",
  },
  {
    name: "the beginning of a frame is not copied",
    file: "src/wire/frame.ts",
    text: "this.#carry = Buffer.from(chunk.subarray(at));",
    becomes: "this.#carry = chunk.subarray(at);",
  },
  {
    name: "what a client says behind its protocol's name is lost",
    file: "src/session/session.ts",
    text: '    if (clientRest !== undefined) this.#try("client", () => talk.clientFrames.push(clientRest));\n',
    becomes: "",
  },
  {
    name: "the proxy's question is written into the middle of a client's frame",
    file: "src/session/registration.ts",
    text: "this.#talk.clientFrames.between(() => this.ask());",
    becomes: "this.ask();",
  },
  {
    name: "clients of all protocols get the same shape of invalidation",
    file: "src/storage/encoder.ts",
    text: "variant.dialect === dialect && variant.shape === shape",
    becomes: "variant.shape === shape",
  },
  {
    name: "a message of a known one's length is taken for it",
    file: "src/storage/reader.ts",
    text: "end <= chunk.length && frame.compare(chunk, at, end) === 0) return seen;",
    becomes: "end <= chunk.length) return seen;",
  },
  {
    name: "two invalidations of one length are taken for the same",
    file: "src/storage/reader.ts",
    text: "if (last.payload.equals(payload)) return last.seen;",
    becomes: "if (last.payload.length === payload.length) return last.seen;",
  },
  {
    name: "the server's message is remembered by memory that is somebody else's",
    file: "src/storage/reader.ts",
    text: "const own = Buffer.from(frame);",
    becomes: "const own = frame;",
  },

  // --- back-pressure and waiting ---
  {
    name: "a slow client's server is left unread, whoever waits for what it would bring",
    file: "src/session/flow.ts",
    text: "  return !registration.mayPause(isSlow);",
    becomes: "  return false;",
  },
  {
    name: "a server connection that was left unread is never read again",
    file: "src/session/session.ts",
    text: 'if (party === "client") this.#try("client", () => this.look());',
    becomes: 'if (party === "client") return;',
  },
  {
    name: "a client that was not read, because its server was behind, is never read again",
    file: "src/session/session.ts",
    text: "if (!this.#isQuiesced) this.#client.resume();",
    becomes: "if (this.#isQuiesced) this.#client.resume();",
  },
  {
    name: "nobody looks at the clock for a commit that settles late",
    file: "src/storage/storage.ts",
    text: "settles !== this.#settles || (",
    becomes: "(",
  },

  // --- what is owed ---
  {
    name: "who leaves is still owed what was due",
    file: "src/ledger/leave.ts",
    text: "  for (const { settled } of due) noLongerOwed(settled, account.number, actions);\n",
    becomes: "",
  },
  {
    name: "what the server has told stays due",
    file: "src/ledger/hear.ts",
    text: "  if (isDue) account.due.shift();\n",
    becomes: "",
  },
  {
    name: "a session that had to be ended is told on",
    file: "src/ledger/ledger.ts",
    text: '    if (this.#evidence(account, evidence, reply) === "ended") return;\n    const { tid, exact } = evidence;',
    becomes: "    this.#evidence(account, evidence, reply);\n    const { tid, exact } = evidence;",
  },

  // --- arriving ---
  {
    name: "a probe that leaves while its server is dialled stays for ever",
    file: "src/upstream/arrival.ts",
    text: "if (this.#earlyBytes === 0) this.#host.gone(this);",
    becomes: "if (this.#earlyBytes === 0) return;",
  },
  {
    name: "a client that leaves while its server is dialled leaves the dial",
    file: "src/upstream/arrivals.ts",
    text: "    cancel();\n    this.#all.delete(arrival);",
    becomes: "    this.#all.delete(arrival);",
  },
  {
    name: "clients that waited for the server are forgotten when it is back",
    file: "src/upstream/availability.ts",
    text: 'return [{ do: "tell-listening", isAgain }, ADMIT];',
    becomes: 'return [{ do: "tell-listening", isAgain }];',
  },
  {
    name: "what a client said before its server was there is lost",
    file: "src/upstream/arrival.ts",
    text: "    for (const bytes of this.#early) session.read(bytes);\n",
    becomes: "",
  },

  {
    name: "what this machine lacks is taken for an outage of the server",
    file: "src/upstream/availability.ts",
    text: "    if (isLocalTrouble(code)) return this.#hinder(code, false, now);\n",
    becomes: "",
  },
  {
    name: "who does not register stays for ever",
    file: "src/session/deadline.ts",
    text: 'else if (this.isNobody || (life === "relayed" && this.#server.hasEnded)) ',
    becomes: 'else if (life === "relayed" && this.#server.hasEnded) ',
  },
  {
    name: "nobody notes what a client is told while it reads",
    file: "src/session/registration.ts",
    text: "if (reads === undefined || reads.size === 0) return;",
    becomes: "if (reads === undefined || reads.size >= 0) return;",
  },

  // --- what the witness sees ---
  {
    name: "what nobody explains goes out without a look",
    file: "src/ledger/rules.ts",
    text: "  lookFirst: true,\n",
    becomes: "  lookFirst: false,\n",
  },
  {
    name: "nobody makes a witness dial that is waited for",
    file: "src/storage/watch.ts",
    text: "    if (isAwaited) this.#witness.retry();\n",
    becomes: "",
  },
  {
    name: "loads of a quiet session pass, whatever they show",
    file: "src/session/to-client.ts",
    text: "return horizon.isOpen ? undefined : horizon;",
    becomes: "return undefined;",
  },
  {
    name: "no load is looked at whose number has a tid",
    file: "src/session/to-client.ts",
    text: "return skim.isPair && !horizon.isBelowPrevious(skim.c, skim.d);",
    becomes: "return skim.isPair;",
  },
  {
    name: "what comes in parts shows nothing",
    file: "src/session/to-client.ts",
    text: "return head.length < length || horizon.isBelowAny(head, argsAt, length);",
    becomes: "return head.length === length && horizon.isBelowAny(head, argsAt, length);",
  },
  {
    name: "a load that shows more than the last transaction waits for good",
    file: "src/ledger/rules.ts",
    text: "  oneLookForRead: true,\n",
    becomes: "  oneLookForRead: false,\n",
  },
  {
    name: "a granted vote of an old server waits for no look",
    file: "src/ledger/rules.ts",
    text: "  lookAfterGrant: true,\n",
    becomes: "  lookAfterGrant: false,\n",
  },
  {
    name: "what a look finds is taken for others', though one of those that are finishing here may be it",
    file: "src/ledger/rules.ts",
    text: "  foreignAfterFinishing: true,\n",
    becomes: "  foreignAfterFinishing: false,\n",
  },
  {
    name: "who comes back from before the history verifies, though it could be read",
    file: "src/ledger/rules.ts",
    text: "  readPast: true,\n",
    becomes: "  readPast: false,\n",
  },
  {
    name: "a server's None stays one, though all is known",
    file: "src/ledger/rules.ts",
    text: "  answerNone: true,\n",
    becomes: "  answerNone: false,\n",
  },
  {
    name: "who can't be told of an undo is sent away, though it could be read",
    file: "src/ledger/rules.ts",
    text: "  readUndo: true,\n",
    becomes: "  readUndo: false,\n",
  },
  {
    name: "for a commit of which nobody knows all are sent away, though it could be read",
    file: "src/ledger/rules.ts",
    text: "  limboIsForeign: true,\n",
    becomes: "  limboIsForeign: false,\n",
  },
  {
    name: "a look passes over what is being copied, as if its reply could not fail to come",
    file: "src/ledger/look.ts",
    text: "last <= readUpTo || wasCopied(state, last)",
    becomes: "last <= readUpTo || isCopied(state, last)",
  },
  {
    name: "a look that was asked for while another one was on its way is taken to be over with that",
    file: "src/ledger/read-up-to.ts",
    text: "  sight.wanted = sight.begun + 1;\n",
    becomes: "  sight.wanted = Math.max(1, sight.begun);\n",
  },
  {
    name: "a commit of an old server whose vote was held for no look is taken to show what is below it",
    file: "src/ledger/read-up-to.ts",
    text: "if (!isCovered || sight.readUpTo === undefined",
    becomes: "if (sight.readUpTo === undefined",
  },
  {
    name: "what a witness was not told while it was away it is taken to have been told",
    file: "src/ledger/look.ts",
    text: "  sight.toldAbove = isSure ? last : ANY_TID;\n  wantLook(sight);\n",
    becomes: "  wantLook(sight);\n",
  },
  {
    name: "a witness that comes when something was copied last is taken to be told of all above that",
    file: "src/ledger/look.ts",
    text: "  sight.toldAbove = isSure ? last : ANY_TID;\n",
    becomes: "  sight.toldAbove = last;\n",
  },
  {
    name: "a look that names what was copied last shows a granted vote that nothing lies above that",
    file: "src/ledger/unseen.ts",
    text: "account.isCovered = sight.sure >= awaited.look;",
    becomes: "account.isCovered = true;",
  },

  // --- a stop ---
  {
    name: "a stop does not wait for commits that are on their way",
    file: "src/upstream/stopping.ts",
    text: "until(() => sessions().every((session) => session.isSettled), deadline, end);",
    becomes: "end();",
  },
  {
    name: "a stop lets clients begin something new",
    file: "src/upstream/stopping.ts",
    text: "      else session.quiesce();\n",
    becomes: "",
  },
];
