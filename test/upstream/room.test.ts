import { expect, it } from "vitest";
import { Room } from "../../src/upstream/room.ts";

it("a room has place for so many, and tells all who watch of everyone that comes or goes", () => {
  const room = new Room(2);
  const told: boolean[][] = [[], []];
  for (const list of told) room.watch((hasRoom) => list.push(hasRoom));
  expect(room.hasRoom).toBe(true);
  room.take();
  room.take();
  expect([room.hasRoom, room.taken]).toEqual([false, 2]);
  room.free();
  expect([room.hasRoom, room.taken]).toEqual([true, 1]);
  expect(told).toEqual([
    [true, false, true],
    [true, false, true],
  ]);
});
