import { defineConfig } from "vitest/config";

/** Run by `npm run test:e2e`, which prepares what these files need; `npm test` does not know them. */
export default defineConfig({
  test: {
    name: "e2e",
    root: import.meta.dirname,
    include: ["scenarios/**/*.test.ts"],
    setupFiles: ["support/on-failure.ts"],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // Each drives a browser and a server: two at once make each other slow.
    fileParallelism: false,
    // Set by .ci/run alone, which names the tests that needed it.
    retry: Number(process.env["INTEGRATION_RETRIES"] ?? 0),
    expect: { poll: { timeout: 20_000, interval: 100 } },
  },
});
