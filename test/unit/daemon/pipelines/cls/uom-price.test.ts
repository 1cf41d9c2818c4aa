import { describe, expect, test } from "vitest";
import { highestUomPrice } from "../../../../../daemon/pipelines/cls/uom-price.ts";

const row = {
  price: "2.50",
  priceUnit: "BX",
  baseUnit: "EA",
  packs: [
    { unit: "BX", quantity: "10" },
    { unit: "CA", quantity: "100" },
    { unit: null, quantity: null },
  ],
};

describe("the highest price", () => {
  test("is the price of the largest pack", () => {
    expect(highestUomPrice(row)).toEqual({ price: "25", warning: null });
  });

  test("takes the base unit for one piece", () => {
    expect(highestUomPrice({ ...row, priceUnit: "EA" }).price).toBe("250");
  });

  test("takes the largest pack wherever it stands", () => {
    const packs = [
      { unit: "CA", quantity: "1,000" },
      { unit: "BX", quantity: "10" },
    ];
    expect(highestUomPrice({ ...row, packs }).price).toBe("250");
  });

  test("multiplies before it divides and rounds once, half away from zero", () => {
    const packs = [
      { unit: "BX", quantity: "3" },
      { unit: "CA", quantity: "9" },
    ];
    expect(highestUomPrice({ ...row, price: "0.1", packs }).price).toBe("0.3");
    const thirds = [
      { unit: "BX", quantity: "7" },
      { unit: "CA", quantity: "12" },
    ];
    expect(highestUomPrice({ ...row, price: "10", packs: thirds }).price).toBe("17.1429");
    const half = [
      { unit: "BX", quantity: "2" },
      { unit: "EA", quantity: "1" },
    ];
    expect(highestUomPrice({ ...row, price: "0.00005", packs: half }).price).toBe("0.0001");
    expect(highestUomPrice({ ...row, price: "-0.00005", packs: half }).price).toBe("-0.0001");
    expect(highestUomPrice({ ...row, price: "0.00004", packs: half }).price).toBe("0");
  });

  test("stays exact where floats do not", () => {
    const packs = [
      { unit: "BX", quantity: "1" },
      { unit: "CA", quantity: "3" },
    ];
    expect(highestUomPrice({ ...row, price: "900,719,925,474.0993", packs }).price).toBe(
      "2702159776422.2979",
    );
    expect(highestUomPrice({ ...row, price: "1.005E2", priceUnit: "CA" }).price).toBe("100.5");
  });

  test.each([
    ["is not among the row's units", "PK", /PK/],
    ["is missing", null, /no unit/],
    ["differs in case", "bx", /bx/],
  ])("is none, with a warning, when the price unit %s", (_, priceUnit, warning) => {
    const result = highestUomPrice({ ...row, priceUnit });
    expect(result.price).toBeNull();
    expect(result.warning).toMatch(warning);
  });

  test.each([["abc"], ["0"], ["-5"], [null]])(
    "is none, with a warning, when a named unit has the quantity %j",
    (quantity) => {
      const result = highestUomPrice({ ...row, packs: [...row.packs, { unit: "PL", quantity }] });
      expect(result.price).toBeNull();
      expect(result.warning).toMatch(/PL/);
    },
  );

  test("is none, with a warning, when one unit has two quantities", () => {
    const packs = [...row.packs, { unit: "BX", quantity: "20" }];
    expect(highestUomPrice({ ...row, packs }).warning).toMatch(/BX/);
    expect(
      highestUomPrice({ ...row, packs: [...row.packs, { unit: "BX", quantity: "10.0" }] }).price,
    ).toBe("25");
  });

  test("is none without a warning when there is no price, and with one when it is no number", () => {
    expect(highestUomPrice({ ...row, price: "  " })).toEqual({ price: null, warning: null });
    expect(highestUomPrice({ ...row, price: "1.2.3" }).warning).toMatch(/1\.2\.3/);
    expect(highestUomPrice({ ...row, price: "." }).warning).toMatch(/no number/);
  });
});
