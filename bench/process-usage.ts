/** CPU time and memory of processes, as Linux tells them under /proc. */
import { readdirSync, readFileSync } from 'node:fs'

/** Linux counts CPU time in hundredths of a second on every architecture Node runs on. */
const MS_PER_TICK = 10

/** User and system time of a process since its start, in milliseconds. Throws where it is gone. */
export function cpuMsOf(pid: number): number {
  const [user = 0, system = 0] = statOf(pid).times
  return (user + system) * MS_PER_TICK
}

/** The same of a process and all that it started, those that have ended included. */
export function cpuMsOfFamily(pid: number): number {
  let ticks = statOf(pid).times.reduce((sum, part) => sum + part, 0)
  for (const child of childrenOf(pid)) {
    const [user = 0, system = 0] = statsOrNothing(child)
    ticks += user + system
  }
  return ticks * MS_PER_TICK
}

/** Resident memory of a process in MB (10⁶ bytes). */
export function residentMbOf(pid: number): number {
  return kilobytes(readFileSync(`/proc/${pid}/status`, 'utf8'), 'VmRSS') / 1000
}

/**
 * Memory of a process and its children in MB, each shared page counted once (PSS): PostgreSQL's backends share one
 * buffer, which their resident sizes would each count again.
 */
export function proportionalMbOfFamily(pid: number): number {
  let total = 0
  for (const member of [pid, ...childrenOf(pid)]) {
    try {
      total += kilobytes(readFileSync(`/proc/${member}/smaps_rollup`, 'utf8'), 'Pss')
    } catch {
      // It ended meanwhile.
    }
  }
  return total / 1000
}

/** CPU time of the whole machine in milliseconds, whoever used it. */
export function machineCpuMs(): number {
  const [, user = 0, nice = 0, system = 0, , , irq = 0, softIrq = 0] = (
    readFileSync('/proc/stat', 'latin1').split('\n', 1)[0] ?? ''
  )
    .split(/ +/)
    .map(Number)
  return (user + nice + system + irq + softIrq) * MS_PER_TICK
}

interface Stat {
  readonly parent: number
  /** Ticks: user and system of its own, then of its children that have ended. */
  readonly times: readonly number[]
}

function statOf(pid: number): Stat {
  const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
  // The name, in brackets, may hold spaces and brackets.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return { parent: Number(fields[1]), times: fields.slice(11, 15).map(Number) }
}

function statsOrNothing(pid: number): readonly number[] {
  try {
    return statOf(pid).times
  } catch {
    return []
  }
}

function childrenOf(pid: number): number[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .map(Number)
    .filter(candidate => {
      try {
        return statOf(candidate).parent === pid
      } catch {
        return false
      }
    })
}

function kilobytes(text: string, field: string): number {
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0)
}
