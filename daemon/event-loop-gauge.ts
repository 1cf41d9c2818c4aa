import { monitorEventLoopDelay } from "node:perf_hooks";

/** How late the daemon's main loop is, milliseconds beyond the sampling interval. */
export interface EventLoopGauge {
  read(): { p50: number; p99: number; p999: number; max: number };
  stop(): Promise<void>;
}

const RESOLUTION_MS = 10;

export function startEventLoopGauge(): EventLoopGauge {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  histogram.enable();
  const ms = (ns: number): number => Math.max(0, Math.round((ns / 1e6 - RESOLUTION_MS) * 10) / 10);
  return {
    read: () => ({
      p50: ms(histogram.percentile(50)),
      p99: ms(histogram.percentile(99)),
      p999: ms(histogram.percentile(99.9)),
      max: ms(histogram.max),
    }),
    async stop() {
      histogram.disable();
    },
  };
}
