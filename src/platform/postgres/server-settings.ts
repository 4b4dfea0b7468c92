/** How the embedded server is configured. One place, passed on the command line, so that code and setting match. */

/** With `durable: false` a crash of the machine may lose everything: for throw-away test servers only. */
export interface ServerTuning {
  readonly durable: boolean
}

/** Settings by name. Every path must already be absolute. */
export function serverSettings(socketDir: string, tuning: ServerTuning): Readonly<Record<string, string>> {
  return {
    // Reachable through one folder that only its owner may enter, and through nothing else.
    listen_addresses: '',
    unix_socket_directories: `"${socketDir.replaceAll('"', '""')}"`,
    unix_socket_permissions: '0700',
    max_connections: '100',
    ...(tuning.durable ? DURABLE : DISPOSABLE),
    shared_buffers: '128MB',
    checkpoint_timeout: '15min',
    wal_compression: 'on',
    // Short statements only: compiling one, or sharing it among workers, costs more than running it.
    jit: 'off',
    max_parallel_workers_per_gather: '0',
    // Holds live for a second: a busy minute leaves tens of thousands of dead rows in a table of a hundred.
    autovacuum_naptime: '10s',
    // In the data folder, not in /dev/shm, of which a container has little and where kill -9 leaves litter.
    dynamic_shared_memory_type: 'mmap',
    timezone: 'UTC',
    log_timezone: 'UTC',
    // A failed statement may quote a client's values, in itself or in its detail: neither is logged.
    log_min_messages: 'warning',
    log_min_error_statement: 'panic',
    log_error_verbosity: 'terse',
    log_checkpoints: 'off',
    log_line_prefix: '%m [%p] ',
  }
}

const DURABLE = {
  // Money: an acknowledged commit is on the disk.
  fsync: 'on',
  synchronous_commit: 'on',
  full_page_writes: 'on',
  // Checkpoints rare enough to be unnoticed, recovery after a crash still a few seconds.
  max_wal_size: '1GB',
}

const DISPOSABLE = {
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  // A test server's folder may be in memory.
  max_wal_size: '128MB',
}
