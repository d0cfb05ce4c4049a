import { expect, it } from "vitest";
import type { Happening } from "../../src/happening/happening.ts";
import { Fullness } from "../../src/upstream/fullness.ts";
import { Room } from "../../src/upstream/room.ts";
import { MovedClock } from "../storage/moved-clock.ts";

function filled() {
  const clock = new MovedClock();
  const room = new Room(2);
  const told: Happening[] = [];
  const fullness = new Fullness(room, clock, (happening) => told.push(happening));
  for (let clients = 0; clients < 2; clients++) room.take();
  return { clock, room, told, fullness };
}

const FULL = { what: "full", clients: 2 };

it("a process that is full says so once, and once when it has had room for ten seconds", () => {
  const { clock, room, told } = filled();
  expect(told).toEqual([FULL]);
  // Clients come and go at the limit.
  for (let turns = 0; turns < 5; turns++) {
    clock.move(1_000);
    room.free();
    clock.move(9_999);
    room.take();
  }
  expect(told).toEqual([FULL]);
  room.free();
  clock.move(5_000);
  room.free();
  clock.move(5_000);
  expect(told).toEqual([FULL, { what: "room", lastedMs: 5 * 10_999 }]);
  for (let clients = 0; clients < 2; clients++) room.take();
  expect(told.at(-1)).toEqual(FULL);
  expect(told).toHaveLength(3);
});

it("a process that has never been full says nothing", () => {
  const { clock, room, told, fullness } = filled();
  fullness.stop();
  room.free();
  expect(clock.pending).toEqual([]);
  expect(told).toHaveLength(1);
});

it("a stop leaves no timer", () => {
  const { clock, room, told, fullness } = filled();
  room.free();
  expect(clock.pending).toEqual([10_000]);
  fullness.stop();
  expect(clock.pending).toEqual([]);
  expect(told).toEqual([FULL]);
});
