/** argv → command; nothing else. */
import process from 'node:process'
import { runCommand } from './app/commands/index.ts'

process.exitCode = await runCommand(process.argv.slice(2))
// Whatever a library left open must not keep a finished command alive.
process.exit()
