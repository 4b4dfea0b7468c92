/**
 * The one place that knows how each system starts the server: a shell script that takes the lock on DATA_DIR,
 * makes the database where there is none, and becomes the server. Everything that touches the data happens inside
 * that one script, so that the lock is never let go in between.
 */
import process from 'node:process'
import type { ServerBinaries } from './binaries.ts'

/** How the script ends when it does not become the server. */
export const LAUNCH_EXIT = { busy: 75, parentGone: 76, initFailed: 77, foreignFolder: 78 } as const

/** What the script writes on descriptor 3 once it holds the lock. */
export const LOCKED = 'locked'

/** No launch waits longer for the lock, not even for a dying server that writes its last checkpoint. */
export const LONGEST_LOCK_WAIT_SECONDS = 120

export interface LaunchPlan {
  /** Absolute, without links. */
  readonly dataDir: string
  readonly socketDir: string
  readonly dataFolder: string
  readonly binaries: ServerBinaries
  readonly superuser: string
  readonly userPrefix: readonly string[]
  readonly giveTo: { readonly uid: number; readonly gid: number } | undefined
  readonly settings: Readonly<Record<string, string>>
  /** False for throw-away servers: initdb then does not wait for the disk. */
  readonly durable: boolean
}

export interface LaunchCommand {
  readonly words: readonly string[]
  /**
   * Whether the script waits for a lock that the kernel keeps. If not, the caller must look for a living owner
   * first, and give the script a pipe on descriptor 4 that closes when we die.
   */
  readonly holdsKernelLock: boolean
}

/** What to spawn, in its own session, with descriptor 3 a pipe. */
export function launchCommand(plan: LaunchPlan): LaunchCommand {
  return process.platform === 'linux' ? linuxCommand(plan) : portableCommand(plan)
}

/**
 * Linux: the kernel's lock (`flock`) is inherited by the server and all its children, so that it is free exactly
 * when the last of them is gone; `--pdeathsig` stops the server when we die, however we die. The signal is lost
 * if we die before it is armed, hence the look at the parent after each arming.
 */
function linuxCommand(plan: LaunchPlan): LaunchCommand {
  const parent = String(process.pid)
  const asUser = plan.userPrefix
  const server = [...asUser, 'setpriv', '--pdeathsig', 'INT', 'sh', '-c', EXEC_IF_PARENT, 'sh', parent]
  const unfinished = quote(`${plan.dataFolder}.unfinished`)
  const initdb = quoteAll([...asUser, 'setpriv', '--pdeathsig', 'KILL', ...initdbWords(plan)])
  const script = [
    `[ "$PPID" = ${parent} ] || exit ${LAUNCH_EXIT.parentGone}`,
    `echo ${LOCKED} >&3`,
    'exec 3>&-',
    `rm -rf ${unfinished}`,
    ...makeDatabase(plan, unfinished, `${initdb} -D ${unfinished}`),
    // The lock proves that whatever wrote these is gone; a stale pid in them could be anybody's by now.
    `rm -f ${quote(`${plan.dataFolder}/postmaster.pid`)} ${socketFiles(plan)}`,
    `exec ${quoteAll([...server, ...serverWords(plan)])}`,
  ].join('\n')
  const lock = ['flock', '--wait', String(LONGEST_LOCK_WAIT_SECONDS), '-E', String(LAUNCH_EXIT.busy)]
  const lockFile = `${plan.dataDir}/lock`
  return {
    words: ['setpriv', '--pdeathsig', 'KILL', ...lock, '--no-fork', lockFile, 'sh', '-c', script],
    holdsKernelLock: true,
  }
}

const EXEC_IF_PARENT = `[ "$PPID" = "$1" ] || exit ${LAUNCH_EXIT.parentGone}; shift; exec "$@"`

/**
 * Elsewhere: PostgreSQL's own pid file is the lock, and a watcher that reads a pipe from us stops the server, or
 * initdb, when that pipe closes. An initdb that outlived its script is left alone in a folder of its own.
 */
export function portableCommand(plan: LaunchPlan): LaunchCommand {
  const pidFile = quote(`${plan.dataFolder}/postmaster.pid`)
  const stem = quote(`${plan.dataFolder}.unfinished.`)
  const unfinished = `${stem}"$$"`
  const script = [
    '( cat <&4 >/dev/null; kill -s INT -- -$$ ) 2>/dev/null &',
    'exec 4<&-',
    // A server whose owner died may still be shutting down.
    'n=0',
    `while [ $n -lt 300 ] && kill -0 "$(head -n 1 ${pidFile} 2>/dev/null)" 2>/dev/null; do sleep 0.1; n=$((n+1)); done`,
    `echo ${LOCKED} >&3`,
    'exec 3>&-',
    `for left in ${stem}*; do kill -0 "\${left##*.}" 2>/dev/null || rm -rf "$left"; done`,
    ...makeDatabase(plan, unfinished, `${quoteAll(initdbWords(plan))} -D ${unfinished}`),
    `exec ${quoteAll(serverWords(plan))}`,
  ].join('\n')
  return { words: ['sh', '-c', script], holdsKernelLock: false }
}

/** Into a folder of another name, renamed when whole: a half-made database starts and then hangs. */
function makeDatabase(plan: LaunchPlan, unfinished: string, initdb: string): string[] {
  const data = quote(plan.dataFolder)
  const orFail = `|| exit ${LAUNCH_EXIT.initFailed}`
  const fill = isElsewhere(plan)
    ? `if ${isFolder(nearData(plan))}; then cp -a ${nearData(plan)}/. ${unfinished}; else ${initdb}; fi`
    : initdb
  return [
    ...(isElsewhere(plan) ? [setAsideUnlinked(plan, data)] : []),
    `if [ ! -e ${data}/PG_VERSION ]; then`,
    `  if [ -e ${data} ]; then rmdir ${data} || exit ${LAUNCH_EXIT.foreignFolder}; fi`,
    `  mkdir -m 700 ${unfinished} ${orFail}`,
    `  ${giveAway(plan, unfinished)}`,
    `  ${fill} ${orFail}`,
    `  mv ${unfinished} ${data} && ${plan.durable ? 'sync' : ':'} ${quote(parentOf(plan.dataFolder))} ${orFail}`,
    'fi',
    giveAway(plan, data),
    giveAway(plan, quote(plan.socketDir)),
    ...(isElsewhere(plan) ? linkFromDataDir(plan, data) : []),
  ]
}

/** Whoever removed DATA_DIR, and the link in it, expects an empty database. What was there is kept. */
function setAsideUnlinked(plan: LaunchPlan, data: string): string {
  return `if [ ! -L ${nearData(plan)} ] && [ -e ${data} ]; then mv ${data} ${data}.unlinked-$(date +%s); fi`
}

/** What is still root's goes to the server's user. */
function giveAway(plan: LaunchPlan, path: string): string {
  if (plan.giveTo === undefined) return ':'
  return `if [ -O ${path} ]; then chown -R ${plan.giveTo.uid}:${plan.giveTo.gid} ${path}; fi`
}

/** So that the data is found from DATA_DIR. An earlier database there was copied, and is kept under another name. */
function linkFromDataDir(plan: LaunchPlan, data: string): string[] {
  const near = nearData(plan)
  return [`if ${isFolder(near)}; then mv ${near} ${near}.before-move; fi`, `ln -sfn ${data} ${near}`]
}

function isElsewhere(plan: LaunchPlan): boolean {
  return plan.dataFolder !== `${plan.dataDir}/postgres`
}

function nearData(plan: LaunchPlan): string {
  return quote(`${plan.dataDir}/postgres`)
}

function isFolder(path: string): string {
  return `[ -d ${path} ] && [ ! -L ${path} ]`
}

function initdbWords(plan: LaunchPlan): string[] {
  return [
    `${plan.binaries.root}/bin/initdb`,
    ...['-U', plan.superuser, '-E', 'UTF8', '--locale=C', '--no-instructions'],
    // Who may connect is decided by the socket's folder, which only its owner can enter: a password beside it
    // would be readable by exactly the same users, and is one more secret to leak.
    ...['--auth-local=trust', '--auth-host=reject'],
    ...(plan.durable ? [] : ['--no-sync']),
  ]
}

function serverWords(plan: LaunchPlan): string[] {
  const settings = Object.entries(plan.settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  return [`${plan.binaries.root}/bin/postgres`, '-D', plan.dataFolder, ...settings]
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'))
}

function socketFiles(plan: LaunchPlan): string {
  const socket = `${plan.socketDir}/.s.PGSQL.5432`
  return `${quote(socket)} ${quote(`${socket}.lock`)}`
}

function quoteAll(words: readonly string[]): string {
  return words.map(quote).join(' ')
}

function quote(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`
}
