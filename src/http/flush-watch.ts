/** Watches an answer that was handed over whole but not taken yet: a reader that stalls is cut off. */
import type { ServerResponse } from 'node:http'
import type { Pulse, Pulsed } from './pulse.ts'

/** The exchange whose answer may be stuck. */
export interface FlushOwner {
  readonly response: ServerResponse
  readonly pulse: Pulse
  readonly config: { readonly stallTimeoutMs: number }
  cutOff(): void
}

export class FlushWatch implements Pulsed {
  readonly #owner: FlushOwner
  #sinceMs: number | undefined = undefined
  #left: number

  /** Watches only where something is left to take; most answers fit into the kernel's buffer at once. */
  static start(owner: FlushOwner): void {
    if (owner.response.writableFinished || owner.response.writableLength === 0) return
    owner.pulse.add(new FlushWatch(owner))
  }

  private constructor(owner: FlushOwner) {
    this.#owner = owner
    this.#left = owner.response.writableLength
    owner.response.once('close', () => owner.pulse.delete(this))
  }

  tick(nowMs: number): void {
    const { response, config, pulse } = this.#owner
    const left = response.writableLength
    // Behind another answer on a pipelined connection, it is not the reader who is slow.
    if (this.#sinceMs === undefined || left !== this.#left || response.socket === null) {
      this.#left = left
      this.#sinceMs = nowMs
    }
    if (nowMs - this.#sinceMs < config.stallTimeoutMs) return
    pulse.delete(this)
    this.#owner.cutOff()
  }
}
