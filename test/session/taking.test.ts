import { describe, expect, it } from "vitest";
import { Taking } from "../../src/session/taking.ts";
import { PlayedConnection } from "./played-connection.ts";

function newTaking() {
  const connection = new PlayedConnection("client:1");
  const taking = new Taking(connection);
  const asked = (): boolean | undefined => {
    let answer: boolean | undefined;
    taking.ask((hasTaken) => (answer = hasTaken));
    return answer;
  };
  const sees = (unacknowledged: number | undefined): void => {
    connection.seen = unacknowledged === undefined ? undefined : { unacknowledged, hasLeft: false };
  };
  return { connection, taking, asked, sees };
}

describe("the other end has taken something", () => {
  it("when the network has, since the last time", () => {
    const { connection, asked } = newTaking();
    expect(asked()).toBe(false);
    connection.takes();
    expect(asked()).toBe(true);
    expect(asked()).toBe(false);
  });

  it("when the system has seen more arrive than the last time that it was asked", () => {
    const { asked, sees } = newTaking();
    sees(100);
    expect(asked()).toBe(false);
    expect(asked()).toBe(false);
    sees(99);
    expect(asked()).toBe(true);
    expect(asked()).toBe(false);
    sees(undefined);
    expect(asked()).toBe(false);
    sees(50);
    expect(asked()).toBe(false);
  });

  it("not when only what the system has not sent yet has become more", () => {
    const { connection, asked, sees } = newTaking();
    sees(100);
    asked();
    connection.takes();
    sees(200);
    expect(asked()).toBe(true);
    expect(asked()).toBe(false);
    expect(asked()).toBe(false);
    sees(201);
    expect(asked()).toBe(false);
  });

  it("when the network has while the system was asked", () => {
    const { connection, taking } = newTaking();
    const answers: boolean[] = [];
    connection.answersLater();
    taking.ask((hasTaken) => answers.push(hasTaken));
    connection.takes();
    connection.answers({ unacknowledged: 100, hasLeft: false });
    taking.ask((hasTaken) => answers.push(hasTaken));
    connection.answers({ unacknowledged: 99, hasLeft: false });
    expect(answers).toEqual([true, false]);
  });

  it("without that the system is asked, when the network has", () => {
    const { connection, taking } = newTaking();
    const answers: boolean[] = [];
    connection.answersLater();
    connection.takes();
    taking.ask((hasTaken) => answers.push(hasTaken));
    expect(answers).toEqual([true]);
    expect(() => connection.answers(undefined)).toThrow("nobody has asked");
  });

  it("not before it began", () => {
    const { connection, taking, asked, sees } = newTaking();
    connection.takes();
    sees(100);
    taking.begin();
    expect(asked()).toBe(false);
    sees(99);
    taking.begin();
    expect(asked()).toBe(false);
  });
});
