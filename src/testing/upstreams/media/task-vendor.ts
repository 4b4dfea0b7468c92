/** A simulated vendor of media tasks, whatever its format: jobs, faults, files, callbacks and a meter of its own. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import {
  DEFAULT_TASK_DIRECTIVES,
  directiveTextIn,
  readTaskDirectives,
  type TaskDirectives,
  type TaskFault,
} from './directives.ts'
import { sendFile } from './file-answer.ts'
import { type AskedJob, Job } from './job.ts'
import { JobMeter, type JobMeterReading, type JobPrices } from './job-meter.ts'
import { refusalOf } from './refusals.ts'
import { type SentCallback, sendCallback } from './sent-callback.ts'
import type { Errand, FormatContext, VendorFormat, WireAnswer } from './vendor-format.ts'
import { parsed, send, sendPage } from './wire-body.ts'

export interface TaskVendorOptions {
  readonly prices?: JobPrices | undefined
  /** Where set, any other key is refused. */
  readonly apiKey?: string | undefined
  /** For every job, before what its own prompt says: `done-after-ms=20`. */
  readonly defaults?: string | undefined
}

/** A request as it came. */
export interface ReceivedCall {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: unknown
  /** Of a create call that was taken. */
  jobId?: string | undefined
}

export class TaskVendor {
  readonly #format: VendorFormat
  readonly #options: TaskVendorOptions
  readonly #meter: JobMeter
  readonly #jobs = new Map<string, Job>()
  readonly #timers = new Set<NodeJS.Timeout>()
  readonly #next: string[] = []
  readonly #calls: ReceivedCall[] = []
  readonly #callbacks: SentCallback[] = []
  /** Refusals so far, by create call. */
  readonly #refused = new Map<string, number>()
  #origin = ''
  #created = 0

  constructor(format: VendorFormat, options: TaskVendorOptions) {
    this.#format = format
    this.#options = options
    this.#meter = new JobMeter(options.prices ?? {})
  }

  listensAt(origin: string): void {
    this.#origin = origin
  }

  meter(): JobMeterReading {
    return this.#meter.read()
  }

  calls(): readonly ReceivedCall[] {
    return this.#calls
  }

  callbacks(): readonly SentCallback[] {
    return this.#callbacks
  }

  /** The next create calls meet these, one each, whatever their prompts say. */
  faultNext(texts: readonly string[]): void {
    for (const text of texts) readTaskDirectives(text, DEFAULT_TASK_DIRECTIVES)
    this.#next.push(...texts)
  }

  reset(): void {
    for (const timer of this.#timers) clearTimeout(timer)
    this.#timers.clear()
    this.#jobs.clear()
    this.#next.length = 0
    this.#calls.length = 0
    this.#callbacks.length = 0
    this.#refused.clear()
    this.#meter.reset()
  }

  serve(request: IncomingMessage, response: ServerResponse): void {
    const pieces: Buffer[] = []
    request.on('data', (piece: Buffer) => pieces.push(piece))
    request.on('error', () => undefined)
    request.on('end', () => void this.#answer(request, response, Buffer.concat(pieces).toString()))
  }

  async #answer(request: IncomingMessage, response: ServerResponse, raw: string): Promise<void> {
    const url = new URL(request.url ?? '/', this.#origin)
    const method = request.method ?? 'GET'
    const body = parsed(raw)
    if (url.pathname.startsWith('/__')) send(response, this.#control(url.pathname, body))
    else if (url.pathname.startsWith('/files/')) await this.#file(url.pathname, response)
    else {
      const call: ReceivedCall = {
        method,
        path: `${url.pathname}${url.search}`,
        headers: request.headers,
        body,
      }
      this.#calls.push(call)
      const { pathname: path, searchParams: query } = url
      const wire = { method, path, query, headers: request.headers, body }
      const errand = this.#format.errandOf(wire, this.#context)
      if (this.#admits(request, errand)) await this.#run(errand, call, raw, response)
      else send(response, this.#format.unauthorized())
    }
  }

  async #run(
    errand: Errand | undefined,
    call: ReceivedCall,
    raw: string,
    response: ServerResponse,
  ): Promise<void> {
    if (errand?.kind === 'fixed') send(response, errand.answer)
    else if (errand?.kind === 'create') await this.#create(errand.asked, call, raw, response)
    else if (errand?.kind === 'list') {
      const jobs = [...this.#jobs.values()].toReversed()
      send(response, this.#format.listed?.(jobs, this.#context) ?? this.#format.notFound())
    } else {
      const job = errand === undefined ? undefined : this.#jobs.get(errand.id)
      if (errand === undefined || job === undefined) send(response, this.#format.notFound())
      else if (errand.kind === 'look') this.#look(job, response)
      else if (errand.kind === 'cancel') this.#cancel(job, response)
      else this.#result(job, response)
    }
  }

  #result(job: Job, response: ServerResponse): void {
    const answer = this.#format.result?.(job, this.#context) ?? this.#format.notFound()
    const isMalformed = job.meets('result-malformed') && job.successesTold <= job.directives.times
    if (isMalformed) response.writeHead(200).end(JSON.stringify(answer.body).slice(0, -4))
    else send(response, answer)
  }

  #admits(request: IncomingMessage, errand: Errand | undefined): boolean {
    const { apiKey } = this.#options
    if (apiKey === undefined || (errand?.kind === 'fixed' && errand.open === true)) return true
    const { header, prefix } = this.#format.auth
    return request.headers[header] === `${prefix}${apiKey}`
  }

  async #create(asked: AskedJob, call: ReceivedCall, raw: string, response: ServerResponse): Promise<void> {
    this.#meter.created()
    const directives = this.#directivesFor(raw)
    const refusals = (this.#refused.get(raw) ?? 0) + 1
    const refusal = refusals > directives.refusals ? undefined : refusalOf(this.#format, directives)
    this.#refused.set(raw, refusals)
    if (refusal !== undefined) {
      this.#meter.refused()
      send(response, refusal)
      return
    }
    const job = new Job(this.#format.makeId(++this.#created, asked), asked, directives)
    this.#jobs.set(job.id, job)
    call.jobId = job.id
    this.#meter.accepted()
    if (job.meets('callback-forged')) this.#later(0, () => void this.#callBack(job, false))
    if (job.meets('callback-out-of-order')) {
      // Before the create call is answered.
      this.#end(job)
      await this.#callBack(job, true)
    } else if (!job.meets('never-ends')) this.#later(directives.doneAfterMs, () => this.#finish(job))
    if (job.meets('create-lost')) response.socket?.destroy()
    else if (job.meets('create-html')) sendPage(response)
    else if (!job.meets('create-hang')) send(response, this.#format.created(job, this.#context))
  }

  #directivesFor(raw: string): TaskDirectives {
    const defaults = readTaskDirectives(this.#options.defaults ?? '', DEFAULT_TASK_DIRECTIVES)
    return readTaskDirectives(this.#next.shift() ?? directiveTextIn(raw, this.#format.name), defaults)
  }

  #look(job: Job, response: ServerResponse): void {
    const look = ++job.looks
    const isSpoiled = (fault: TaskFault) => look <= job.directives.times && job.meets(fault)
    if (isSpoiled('poll-reset')) response.socket?.destroy()
    else if (isSpoiled('poll-html')) sendPage(response)
    else if (isSpoiled('poll-404')) send(response, this.#format.notFound())
    else if (isSpoiled('poll-429')) {
      const headers = { 'retry-after': String(job.directives.retryAfterSeconds) }
      send(response, { ...this.#format.refused(429), headers })
    } else if (isSpoiled('poll-500')) send(response, this.#format.refused(500))
    else if (!isSpoiled('poll-hang')) {
      const told = job.toldAt(look)
      if (told === 'succeeded') job.successesTold += 1
      send(response, this.#format.looked(job, told, look, this.#context))
    }
  }

  #cancel(job: Job, response: ServerResponse): void {
    const hadEnded = job.hasEnded
    if (this.#format.cancelled !== undefined && !hadEnded) {
      job.state = 'cancelled'
      this.#meter.ended(job.id, job.asked.model, 'cancelled', 0, 0)
    }
    send(response, this.#format.cancelled?.(job, hadEnded, this.#context) ?? this.#format.notFound())
  }

  #finish(job: Job): void {
    if (job.hasEnded) return
    this.#end(job)
    if (job.meets('callback-none')) return
    void this.#callBack(job, true)
    if (job.meets('callback-duplicate')) void this.#callBack(job, true)
  }

  #end(job: Job): void {
    job.state = job.destiny
    job.endedAtMs = Date.now()
    const seconds = job.state === 'succeeded' ? job.asked.seconds : 0
    this.#meter.ended(job.id, job.asked.model, job.destiny, job.delivered, seconds)
  }

  async #callBack(job: Job, genuine: boolean): Promise<void> {
    const sent = await sendCallback(this.#format, job, genuine, this.#context)
    if (sent !== undefined) this.#callbacks.push(sent)
  }

  async #file(path: string, response: ServerResponse): Promise<void> {
    const [, , id = '', name = ''] = path.split('/')
    const job = this.#jobs.get(decodeURIComponent(id))
    const index = Number.parseInt(name, 10)
    // Covers are numbered after the files.
    if (job === undefined || !(index < 2 * job.delivered)) {
      send(response, { status: 404, body: { detail: 'no such file' } })
      return
    }
    await sendFile(response, job, index)
  }

  #control(path: string, body: Readonly<Record<string, unknown>>): WireAnswer {
    switch (path) {
      case '/__meter':
        return { status: 200, body: this.meter() }
      case '/__requests':
        return { status: 200, body: this.#calls }
      case '/__callbacks':
        return { status: 200, body: this.#callbacks }
      case '/__reset':
        this.reset()
        return { status: 200, body: {} }
      case '/__faults':
        return this.#controlFaults(body.next)
      default:
        return { status: 404, body: { error: 'no such control' } }
    }
  }

  #controlFaults(next: unknown): WireAnswer {
    try {
      this.faultNext(Array.isArray(next) ? next.map(String) : [])
      return { status: 200, body: {} }
    } catch (error) {
      return { status: 400, body: { error: String(error) } }
    }
  }

  get #context(): FormatContext {
    return {
      origin: this.#origin,
      files: job =>
        Array.from(
          { length: job.delivered },
          (_, index) => `${this.#origin}/files/${job.id}/${index}.${job.asked.kind}`,
        ),
    }
  }

  #later(delayMs: number, act: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      act()
    }, delayMs)
    this.#timers.add(timer)
  }
}
