import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    projects: [
      { test: { name: "unit", include: ["test/unit/**/*.test.ts", "test/*.test.ts"] } },
      {
        test: {
          name: "webview",
          include: ["test/webview/**/*.test.{ts,tsx}"],
          environment: "happy-dom",
        },
      },
      {
        test: {
          name: "integration",
          include: ["test/integration/**/*.test.ts"],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          // Most of them wait for something most of the time.
          maxWorkers: 3,
          // Set by .ci/run alone, which names the tests that needed it.
          retry: Number(process.env["INTEGRATION_RETRIES"] ?? 0),
        },
      },
    ],
  },
});
