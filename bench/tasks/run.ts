/** Everything about tasks, callbacks and idle servers, one after another, on servers of its own. */
import type { ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { endChild, forkProgram } from '../child.ts'
import { median } from '../samples.ts'
import { runCallbacks, startedReceiver } from './callbacks.ts'
import { runIdle } from './idle.ts'
import { tasksPlan } from './plan.ts'
import type { TasksReport } from './report.ts'
import { openRoom, type Room } from './room.ts'
import { runTraffic, type Traffic } from './traffic.ts'

export class TasksBench {
  readonly #folder: string
  readonly #say: (line: string) => void
  readonly #rooms: Room[] = []
  #receiver: ChildProcess | undefined

  /** Its databases are folders beside the given one. */
  constructor(folder: string, say: (line: string) => void) {
    this.#folder = folder
    this.#say = say
  }

  async run(generator: ChildProcess, quick: boolean): Promise<TasksReport> {
    const plan = tasksPlan(quick)
    const [small, large] = [await this.#open(plan.finished[0]), await this.#open(plan.finished[1])]
    const rooms = [small, large]
    for (const room of rooms) await room.restart({ TASK_CONCURRENCY: '0' })
    const traffic = await runTraffic(generator, rooms, plan, this.#say)
    const written = await Promise.all(rooms.map(room => writtenOf(room, traffic)))
    const idle = await runIdle(small, large, plan)
    await this.#closeRoom(large)
    const receiver = forkProgram(join('tasks', 'receiver.ts'))
    this.#receiver = receiver
    const callbacks = await runCallbacks(small, receiver, await startedReceiver(receiver), plan)
    const { connections, rounds } = plan
    const otherCores = median(traffic.map(one => one.otherCores))
    return { connections, rounds, fills: rooms, traffic, otherCores, written, idle, callbacks }
  }

  /** Ends all that it started. */
  async stop(): Promise<void> {
    await Promise.all(this.#rooms.splice(0).map(room => room.close()))
    if (this.#receiver) await endChild(this.#receiver)
  }

  async #open(finished: number): Promise<Room> {
    const room = await openRoom(`${this.#folder}-${finished}`, finished)
    this.#rooms.push(room)
    this.#say(
      `${finished} finished tasks in ${(room.fillMs / 1000).toFixed(1)} s, ${(room.fillCpuMs / 1000).toFixed(1)} s of CPU`,
    )
    return room
  }

  async #closeRoom(room: Room): Promise<void> {
    this.#rooms.splice(this.#rooms.indexOf(room), 1)
    await room.close()
  }
}

async function writtenOf(room: Room, traffic: readonly Traffic[]) {
  const { rows } = await room.server.withDatabase(({ database }) =>
    database.query<{ tasks: bigint; holds: bigint }>(
      '',
      `select (select count(*) from task where state = 'queued') as tasks, (select count(*) from hold) as holds`,
    ),
  )
  const answered = traffic.find(one => one.kind === 'submit' && one.finished === room.finished)?.answered ?? 0
  return {
    finished: room.finished,
    tasks: Number(rows[0]?.tasks ?? 0n),
    holds: Number(rows[0]?.holds ?? 0n),
    answered,
  }
}
