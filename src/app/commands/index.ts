/** The command line: finds the command, opens the database it needs, prints what it gives. */
import process from 'node:process'
import { createLogger } from '#platform/telemetry/logger.ts'
import { GatewayError } from '#spec/errors.ts'
import { ConfigError, readConfig } from '../config.ts'
import { NoDatabase, openDatabaseForCommand } from '../database.ts'
import { serve, work } from '../server.ts'
import { wire } from '../wire.ts'
import { type Command, helpOf, print, readWords, UsageError } from './command.ts'
import { audit, migrateCommand, models } from './inspect.ts'
import { jobs } from './jobs.ts'
import { keyCap, keyChange, keyCreate, keyList, keyRevoke } from './key.ts'
import { tasks } from './tasks.ts'
import { webhooks } from './webhooks.ts'
import {
  grant,
  usage,
  workspaceCap,
  workspaceCreate,
  workspaceKeepFiles,
  workspaceList,
  workspacePlan,
} from './workspace.ts'

const COMMANDS: readonly Command[] = [
  keyCreate,
  keyList,
  keyRevoke,
  keyCap,
  keyChange,
  workspaceCreate,
  workspaceList,
  workspacePlan,
  workspaceCap,
  workspaceKeepFiles,
  grant,
  models,
  usage,
  ...tasks,
  ...webhooks,
  jobs,
  audit,
  migrateCommand,
]

/** Runs what the words ask for and resolves with the exit code: 0 done, 1 failed, 2 not understood. */
export async function runCommand(argv: readonly string[]): Promise<number> {
  try {
    if (argv[0] === 'serve' && !argv.includes('--help')) return await serve()
    if (argv[0] === 'work' && !argv.includes('--help')) return await work()
    return await dispatch(argv)
  } catch (error) {
    process.stderr.write(`tollgate: ${sentenceOf(error)}\n`)
    return error instanceof UsageError ? 2 : 1
  }
}

async function dispatch(argv: readonly string[]): Promise<number> {
  const command = COMMANDS.find(one => one.name.split(' ').every((word, position) => argv[position] === word))
  if (!command) {
    const wantsHelp = argv.length === 0 || argv.includes('--help') || argv[0] === 'help'
    if (!wantsHelp) throw new UsageError(`there is no command "${argv.join(' ')}"; see: npx tollgate --help`)
    print(overview(argv))
    return 0
  }
  const words = readWords(command, argv.slice(command.name.split(' ').length))
  if (words.flag('help')) {
    print(helpOf(command))
    return 0
  }
  const config = readConfig()
  const logger = createLogger({ level: 'error', destination: 2 })
  const database = await openDatabaseForCommand(config, logger)
  const wired = await wire(config, database.address, logger, new AbortController().signal)
  try {
    const outcome = await command.run(words, wired)
    print(words.flag('json') ? JSON.stringify(outcome.json, bigintAsText) : outcome.text)
    return outcome.exitCode ?? 0
  } finally {
    await wired.close()
    await database.stop()
    logger.close()
  }
}

const SERVERS = [
  { name: 'serve', summary: 'Starts the gateway (npm start does this).' },
  {
    name: 'work',
    summary: 'Works on tasks, callbacks and periodic jobs beside servers on the same DATABASE_URL.',
  },
]

/** Of the commands that begin with the words (`webhooks --help`), or of all where none does. */
function overview(argv: readonly string[]): string {
  const words = argv.filter(word => !word.startsWith('-') && word !== 'help').join(' ')
  const all = [...SERVERS, ...COMMANDS]
  const meant = all.filter(({ name }) => `${name} `.startsWith(`${words} `))
  const rows = meant.length > 0 ? meant : all
  const width = Math.max(...rows.map(({ name }) => name.length))
  return [
    'Tollgate: every generative model behind one key and one credit pool.',
    '',
    ...rows.map(({ name, summary }) => `  npx tollgate ${name.padEnd(width)}  ${summary}`),
    '',
    'serve and work run until they are told to stop, and are set by the environment: see config.default.env. Every other command',
    'takes --json and --help, and finds the database through DATA_DIR or DATABASE_URL, with the server running or not.',
  ].join('\n')
}

function bigintAsText(_name: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value
}

/** What a person can do something about is a sentence; a bug is a stack. */
function sentenceOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const isForPeople = [UsageError, ConfigError, GatewayError, NoDatabase].some(kind => error instanceof kind)
  return isForPeople ? error.message : (error.stack ?? error.message)
}
