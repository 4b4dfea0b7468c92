/** Takes a disturbed measurement again: a shared machine has quiet moments, and only those say something. */
import { setTimeout as delay } from 'node:timers/promises'
import { type Measured, otherCores } from './measure.ts'
import { machineCpuMs } from './process-usage.ts'

/** What repeats and waits for a quiet moment may take in a whole run. */
export const REPEAT_BUDGET_MS = 75_000
/** Others that use more than this part of a core disturb. */
const DISTURBED_CORES = 0.3
const TRIES = 3
const LOOK_MS = 500

export class Calm {
  #budgetMs: number

  constructor(budgetMs: number) {
    this.#budgetMs = budgetMs
  }

  /** Measures, again where others were busy meanwhile and there is time; gives the least disturbed. */
  async measure(once: () => Promise<Measured>): Promise<Measured> {
    let best = await once()
    for (let tries = 1; tries < TRIES && otherCores(best) > DISTURBED_CORES && this.#budgetMs > 0; tries++) {
      const startedMs = performance.now()
      await this.#untilQuiet(this.#budgetMs / 4)
      const again = await once()
      if (otherCores(again) < otherCores(best)) best = again
      this.#budgetMs -= performance.now() - startedMs
    }
    return best
  }

  async #untilQuiet(patienceMs: number): Promise<void> {
    const giveUpAtMs = performance.now() + patienceMs
    while (performance.now() < giveUpAtMs) {
      const before = machineCpuMs()
      await delay(LOOK_MS)
      if ((machineCpuMs() - before) / LOOK_MS < DISTURBED_CORES) return
    }
  }
}
