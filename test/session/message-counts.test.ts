import { describe, expect, it } from "vitest";
import { FROM_SERVER } from "../../src/session/message-counts.ts";
import { METHODS } from "../../src/wire/methods.ts";
import { eight } from "./speech.ts";
import { Stage } from "./stage.ts";

/** Those that were counted, by their names. */
function said({ messages }: Stage): Record<string, number> {
  const counted = METHODS.map(({ name }, index) => [name, messages.fromClients[index]] as const);
  return Object.fromEntries(counted.filter(([, count]) => count !== 0)) as Record<string, number>;
}

function heard({ messages: { fromServer } }: Stage): Record<keyof typeof FROM_SERVER, number> {
  const at = (which: keyof typeof FROM_SERVER) => fromServer[FROM_SERVER[which]] as number;
  return { reply: at("reply"), invalidation: at("invalidation"), other: at("other") };
}

describe.each(["Z4", "Z5", "M5"])("messages of %s", (protocol) => {
  it("count once each, whether they pass in one piece, byte by byte, or many at once", () => {
    const stage = new Stage(protocol);
    const { speech } = stage;
    const { client, server } = stage.registered();
    const before = said(stage);
    expect(before["register"]).toBe(1);
    const calls = [
      speech.call(11, "loadEx", Buffer.alloc(8)),
      speech.call(12, "new_oids"),
      speech.call(13, "lastTransaction"),
      speech.call(14, "nobody knows it", 5),
    ];
    for (const byte of Buffer.concat(calls)) client.reads(Buffer.from([byte]));
    // Now the client has verified its cache, and nothing is on its way that must be read: whole frames are looked at in passing.
    for (const id of [11, 12, 13, 14]) server.reads(speech.reply(id, id === 13 ? eight(1000) : null));
    const replies = heard(stage).reply;
    const more = [speech.call(15, "new_oids"), speech.call(16, "new_oids"), speech.call(17, "new_oids")];
    client.reads(Buffer.concat(more));
    const counted = said(stage);
    expect(counted).toMatchObject({ loadEx: 1, new_oids: 4, lastTransaction: 1, "": 1 });
    const answers = [15, 16, 17].map((id) => speech.reply(id, null));
    server.reads(Buffer.concat(answers.slice(0, 2)));
    for (const byte of answers[2] as Buffer) server.reads(Buffer.from([byte]));
    expect(heard(stage).reply - replies).toBe(3);
  });

  it("are the server's invalidations, too, also those that it has said to another client before", () => {
    const stage = new Stage(protocol);
    const { speech } = stage;
    const pairs = [stage.registered(), stage.registered()];
    const before = heard(stage);
    for (const tid of [2000, 3000]) for (const { server } of pairs) server.reads(speech.invalidation(tid, 5));
    expect(heard(stage)).toEqual({ ...before, invalidation: 4 });
  });
});
