/** Name of the environment variable that carries a worker's start, as JSON. */
export const WORKER_ENV = "MSGSYS_WORKER_START";

/** What a worker process needs to know. No secret is in it: the seed stays in its file. */
export interface WorkerProcessStart {
  readonly servers: string;
  /** PEM file of the server's certificate; absent: none is needed. */
  readonly tlsCert?: string | undefined;
  readonly seedFile: string;
  readonly user: string;
  readonly prefix: string;
  readonly pool: string;
  readonly queues: readonly string[];
  readonly namedByOthers: readonly string[];
  readonly slots: number;
  readonly expressSlots: number;
  readonly dataDir: string;
  readonly configFile: string | null;
  readonly drainMs: number;
  readonly parentPid: number | null;
  readonly logLevel: string;
}
