import * as z from "zod";

const pool = z.object({
  /** Queues that this pool serves; `*` is every queue that no other pool names. */
  queues: z.array(z.string()).min(1),
  slots: z.number().int().min(1).max(1000),
  /** Slots kept free for levels 8–10, on top of `slots`. */
  expressSlots: z.number().int().min(0).max(100).default(1),
});

/** Every setting of the daemon. Durations in milliseconds, sizes in bytes. */
export const settingsSchema = z.object({
  environment: z
    .string()
    .default("development")
    .meta({ description: "Chooses .env.<environment>" }),
  logLevel: z
    .enum(["debug", "info", "warn", "error"])
    .default("info")
    .meta({ description: "Least level of the lines in the log" }),
  nats: z
    .object({
      serverPath: z.string().optional().meta({ description: "nats-server binary to use" }),
      url: z.string().optional().meta({
        description: "An external server or cluster (comma-separated); absent: the embedded server",
      }),
      credsFile: z
        .string()
        .optional()
        .meta({ description: "Seed file (nkey) of the daemon for an external server" }),
      host: z
        .string()
        .default("127.0.0.1")
        .meta({ description: "Address that the embedded server listens on" }),
      port: z.number().int().min(0).max(65535).default(0).meta({ description: "0: any free port" }),
      httpPort: z
        .number()
        .int()
        .min(-1)
        .max(65535)
        .default(-1)
        .meta({ description: "Monitoring port on the same host; -1: any free port, 0: off" }),
      allowPlainText: z
        .boolean()
        .default(false)
        .meta({ description: "Allow an address other than loopback without TLS" }),
      tlsCert: z.string().optional().meta({ description: "PEM file of the server's certificate" }),
      tlsKey: z.string().optional().meta({ description: "PEM file of its private key" }),
      prefix: z
        .string()
        .regex(/^[a-z][a-z0-9]{0,15}$/)
        .default("ms")
        .meta({ description: "Prefix of subjects and streams" }),
      durability: z.enum(["default", "strict"]).default("default").meta({
        description: "default: fsync each 100 ms and the enqueue journal; strict: fsync each write",
      }),
      replicas: z
        .number()
        .int()
        .min(1)
        .max(5)
        .default(1)
        .meta({ description: "Replicas of each stream, on an external cluster" }),
      maxFileStoreBytes: z
        .number()
        .int()
        .min(1_048_576)
        .default(10 * 1024 ** 3)
        .meta({ description: "Most that the streams may take on disk, in bytes" }),
    })
    .prefault({}),
  workers: z
    .object({
      config: z.string().optional().meta({ description: "Path of msgsys.config.ts; absent: none" }),
      pools: z
        .record(z.string(), pool)
        .default({
          fast: { queues: ["*"], slots: 10, expressSlots: 1 },
          slow: { queues: ["etl", "reports", "cls"], slots: 4, expressSlots: 1 },
        })
        .meta({
          description:
            "Worker processes by name: their queues (`*`: all that no other names), slots, and slots on top for levels 8–10",
        }),
      drainMs: z
        .number()
        .int()
        .min(0)
        .default(3000)
        .meta({ description: "How long running tasks may go on after a stop was asked for" }),
    })
    .prefault({}),
  lease: z
    .object({
      heartbeatMs: z
        .number()
        .int()
        .min(50)
        .default(500)
        .meta({ description: "Time between two heartbeats of a worker" }),
      missedBeats: z
        .number()
        .int()
        .min(1)
        .default(3)
        .meta({ description: "Missing heartbeats after which a worker counts as silent" }),
      graceMs: z
        .number()
        .int()
        .min(0)
        .default(1000)
        .meta({ description: "A lost worker may come back within this time" }),
      /** Workers extend the messages they hold each third of it. */
      ackWaitMs: z
        .number()
        .int()
        .min(500)
        .default(1500)
        .meta({ description: "How long a message that nobody claimed is out of reach" }),
    })
    .prefault({}),
  sweep: z
    .object({
      busyMs: z
        .number()
        .int()
        .min(10)
        .default(500)
        .meta({ description: "Forced look at every level while there is work" }),
      idleMs: z
        .number()
        .int()
        .min(10)
        .default(5000)
        .meta({ description: "The same when there is none" }),
    })
    .prefault({}),
  retention: z
    .object({
      journalMs: z
        .number()
        .int()
        .min(0)
        .default(86_400_000)
        .meta({ description: "How long the journal of an ended task stays on the broker" }),
      sweepMs: z
        .number()
        .int()
        .min(100)
        .default(60_000)
        .meta({ description: "Time between two purges of such journals" }),
      eventsMs: z
        .number()
        .int()
        .min(1000)
        .default(7 * 86_400_000)
        .meta({ description: "How long events stay on the broker" }),
      deadMs: z
        .number()
        .int()
        .min(1000)
        .default(30 * 86_400_000)
        .meta({ description: "How long dead letters stay on the broker" }),
    })
    .prefault({}),
  dashboard: z
    .object({
      enabled: z
        .boolean()
        .default(true)
        .meta({ description: "Serve the dashboard to browsers on this machine" }),
      port: z.number().int().min(0).max(65535).default(8050).meta({
        description: "Port on 127.0.0.1; when it is taken the next free one, 0: any free port",
      }),
    })
    .prefault({}),
  reconcileMs: z
    .number()
    .int()
    .min(100)
    .default(30_000)
    .meta({ description: "Time between two looks for tasks that nothing holds" }),
  cls: z
    .object({
      checkout: z
        .string()
        .optional()
        .meta({ description: "Folder of a Python CLS_Allscripts checkout" }),
      checkoutPhases: z
        .array(z.enum(["sync", "integrate", "classify", "export"]))
        .default([])
        .meta({ description: "Phases that the checkout serves" }),
      python: z
        .string()
        .default("python3")
        .meta({ description: "Python interpreter for the checkout" }),
      archive: z.boolean().default(false).meta({ description: "Move applied input files aside" }),
    })
    .prefault({}),
});
export type Settings = z.output<typeof settingsSchema>;
export type SettingsInput = z.input<typeof settingsSchema>;

/** Files of a data directory, relative to it. */
export const DATA_FILES = {
  lock: "lock.db",
  lease: "daemon.json",
  audit: "audit.db",
  keys: "keys",
  nats: "nats",
  logs: "logs",
  cls: "cls",
} as const;

/** What a running daemon writes to `daemon.json` (0600), refreshed each second: how clients find it. */
export interface DaemonLease {
  readonly pid: number;
  readonly version: string;
  readonly protocol: number;
  readonly natsUrl: string;
  /** PEM file of the server's certificate, for clients on the same machine; absent: none is needed. */
  readonly tlsCert?: string | undefined;
  readonly prefix: string;
  readonly startedAt: string;
  readonly refreshedAt: string;
  readonly state: "starting" | "ready" | "stopping";
}
