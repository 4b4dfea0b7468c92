#!/usr/bin/env node
// Plain JavaScript for any Node from 18 on: it finds the Node that Tollgate is pinned to, which runs TypeScript as
// it is, and hands everything over to it.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { constants } from 'node:os'
import process from 'node:process'
import { fileURLToPath } from 'node:url'

const OLDEST_MAJOR = 24

/** The pinned Node that npm installed for this machine, else the one that runs this file if it is new enough. */
function findNode() {
  const require = createRequire(import.meta.url)
  for (const name of ['node', 'node-bin']) {
    try {
      const path = require.resolve(`${name}-${process.platform}-${process.arch}/bin/node`)
      if (existsSync(path)) return path
    } catch {}
  }
  return Number.parseInt(process.versions.node, 10) >= OLDEST_MAJOR ? process.execPath : undefined
}

function run(node) {
  const main = fileURLToPath(new URL('../src/main.ts', import.meta.url))
  const child = spawn(node, [main, ...process.argv.slice(2)], { stdio: 'inherit' })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR2']) {
    process.on(signal, () => child.kill(signal))
  }
  child.on('error', error => fail(`${node} could not be started: ${error.message}`))
  child.on('exit', (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 0)))
}

function fail(sentence) {
  process.stderr.write(`tollgate: ${sentence}\n`)
  process.exit(1)
}

const node = findNode()
if (node === undefined) {
  fail(
    `no Node ${OLDEST_MAJOR} or newer for ${process.platform}-${process.arch}. Run "npm ci" without --omit=optional ` +
      `in ${fileURLToPath(new URL('..', import.meta.url))}, or install Node ${OLDEST_MAJOR} (this is ${process.version}).`,
  )
} else {
  run(node)
}
