import { expect, test } from "vitest";
import { createLanes } from "../../../../daemon/queue/lanes.ts";
import { createNames } from "../../../../shared/subjects.ts";

function laneOfTen() {
  const lanes = createLanes(createNames());
  lanes.ring("etl", 10);
  return { lanes, lane: lanes.all()[0]! };
}

test("an empty answer to a doorbell is doubted twice, then believed", () => {
  const { lanes, lane } = laneOfTen();
  expect([lanes.emptied(lane), lanes.emptied(lane), lanes.emptied(lane)]).toEqual([5, 25, null]);
  expect(lane.maybe).toBe(false);
});

test("an empty answer after the message of the doorbell is believed", () => {
  const { lanes, lane } = laneOfTen();
  lanes.brought(lane);
  expect(lanes.emptied(lane)).toBeNull();
});

test("one message does not answer for two doorbells", () => {
  const { lanes, lane } = laneOfTen();
  lanes.ring("etl", 10);
  lanes.brought(lane);
  expect(lanes.emptied(lane)).toBe(5);
});

test("a new doorbell is doubted anew", () => {
  const { lanes, lane } = laneOfTen();
  lanes.emptied(lane);
  lanes.emptied(lane);
  lanes.ring("etl", 10);
  expect(lanes.emptied(lane)).toBe(5);
});
