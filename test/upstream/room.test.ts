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

it("another limit is told at once; below what is taken there is no room until so many have gone", () => {
  const room = new Room(3);
  const told: boolean[] = [];
  const unwatch = room.watch((hasRoom) => told.push(hasRoom));
  room.take();
  room.take();
  room.limit = 1;
  room.free();
  expect(room.hasRoom).toBe(false);
  room.free();
  room.take();
  room.limit = 2;
  expect(told).toEqual([true, true, false, false, true, false, true]);
  unwatch();
  room.limit = 1;
  expect(told).toHaveLength(7);
});
