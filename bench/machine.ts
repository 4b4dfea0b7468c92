/** What the figures were taken on. */
import { closeSync, fdatasyncSync, openSync, rmSync, writeSync } from 'node:fs'
import { availableParallelism, cpus, totalmem } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { ms } from './markdown.ts'
import { median } from './samples.ts'

export interface Machine {
  readonly cores: number
  readonly model: string
  readonly memoryGb: number
  readonly node: string
  readonly date: string
  /** What a durable write costs here: 8 kB and fdatasync, in milliseconds. */
  readonly commitMs: number
}

export function describeMachine(): Omit<Machine, 'commitMs'> {
  return {
    cores: availableParallelism(),
    model: cpus()[0]?.model.trim() ?? 'unknown',
    memoryGb: Math.round(totalmem() / 1e9),
    node: process.version,
    date: new Date().toISOString().slice(0, 10),
  }
}

/** When and on what. */
export function machineText({ date, cores, model, memoryGb }: Machine): string {
  return `${date}: ${cores} cores (${model}), ${memoryGb} GB`
}

export function commitText({ commitMs }: Machine): string {
  return `A durable write of 8 kB (fdatasync) takes ${ms(commitMs)} ms on its disk.`
}

const WRITES = 50
const PAGE = Buffer.alloc(8192, 1)

export async function commitCostMs(folder: string): Promise<number> {
  const path = join(folder, `bench-sync-${process.pid}`)
  const file = openSync(path, 'w', 0o600)
  const tookMs: number[] = []
  for (let count = 0; count < WRITES; count++) {
    const startedMs = performance.now()
    writeSync(file, PAGE)
    fdatasyncSync(file)
    tookMs.push(performance.now() - startedMs)
  }
  closeSync(file)
  rmSync(path)
  return median(tookMs)
}
