import Database from "better-sqlite3";

/**
 * Loads SQLite's native part in the calling thread. When it is loaded in worker threads alone, it is unloaded as the last
 * of them ends, while that thread's last garbage collection still calls into it: the process dies of SIGSEGV
 * (WiseLibs/better-sqlite3#1476). Loaded in the main thread it stays for as long as the process lives.
 */
export function pinSqlite(): void {
  new Database(":memory:").close();
}
