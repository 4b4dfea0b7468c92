/** What the reports of the two suites add up to. A suite that ended badly without naming a test counts as a failure. */
import { readFile } from 'node:fs/promises'

export interface Totals {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
}

interface VitestReport {
  readonly numPassedTests: number
  readonly numFailedTests: number
  readonly numPendingTests: number
  readonly numTodoTests: number
  readonly testResults: readonly {
    readonly status: string
    readonly assertionResults: readonly { readonly status: string }[]
  }[]
}

/** From vitest's JSON report; a file that failed outside its tests (its set-up, its tear-down) is one failure more. */
export async function totalsOfVitest(path: string, exitCode: number): Promise<Totals> {
  const report = await readReport(path, text => JSON.parse(text) as VitestReport)
  if (report === undefined) return { passed: 0, failed: 1, skipped: 0 }
  const brokenFiles = report.testResults.filter(
    file => file.status === 'failed' && file.assertionResults.every(({ status }) => status !== 'failed'),
  )
  return withExit(
    {
      passed: report.numPassedTests,
      failed: report.numFailedTests + brokenFiles.length,
      skipped: report.numPendingTests + report.numTodoTests,
    },
    exitCode,
  )
}

/** From pytest's JUnit report. */
export async function totalsOfPytest(path: string, exitCode: number): Promise<Totals> {
  const suite = await readReport(path, text => /<testsuite [^>]*>/.exec(text)?.[0])
  if (suite === undefined) return { passed: 0, failed: 1, skipped: 0 }
  const count = (name: string) => Number(new RegExp(`\\b${name}="(\\d+)"`).exec(suite)?.[1] ?? 0)
  const failed = count('failures') + count('errors')
  const skipped = count('skipped')
  return withExit({ passed: Math.max(0, count('tests') - failed - skipped), failed, skipped }, exitCode)
}

function withExit(totals: Totals, exitCode: number): Totals {
  return exitCode !== 0 && totals.failed === 0 ? { ...totals, failed: 1 } : totals
}

async function readReport<Report>(
  path: string,
  parse: (text: string) => Report,
): Promise<Report | undefined> {
  try {
    return parse(await readFile(path, 'utf8'))
  } catch {
    return undefined
  }
}
