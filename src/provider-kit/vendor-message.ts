/** What a vendor wrote, made fit for a stranger's eyes. */

const MAX_LENGTH = 300

/** Order matters: whole links first, then what could remain of them. */
const REDACTIONS: readonly (readonly [RegExp, string])[] = [
  [/\b[a-z][a-z0-9+.-]*:\/\/[^\s"'<>)]+/gi, '[link]'],
  [/\bbearer\s+\S+/gi, '[redacted]'],
  // Keys and account ids: sk-…, org-…, proj_…; a digit or a mask tells them from hyphenated words.
  [/\b(?:sk|pk|rk|ak|key|org|proj|sess|acct|user|req)[-_](?=\S*[\d*])[\w*.…-]{4,}/gi, '[redacted]'],
  [/\b(?=\w*\d)\w{24,}\b/g, '[redacted]'],
  [/\b(?:\d{1,3}\.){3}\d{1,3}(?::\d+)?\b/g, '[host]'],
  [/\[[0-9a-f:]*:[0-9a-f:]+\](?::\d+)?/gi, '[host]'],
  [/\blocalhost(?::\d+)?(?:\/\S*)?/gi, '[host]'],
  [
    /\b(?:[a-z0-9-]+\.)+(?:com|net|org|ai|io|dev|app|co|cloud|cn|eu|internal|local|localdomain|svc|lan|corp)\b(?::\d+)?(?:\/\S*)?/gi,
    '[host]',
  ],
]

/**
 * A vendor's sentence without keys, account ids, links, hosts and control characters, at most 300 characters;
 * `undefined` where nothing is left to say.
 */
export function presentableMessage(message: unknown): string | undefined {
  if (typeof message !== 'string') return undefined
  // Bounded before the expressions run: a vendor may echo a whole prompt.
  let text = message
    .slice(0, 4 * MAX_LENGTH)
    .replace(/[\s\p{Cc}]+/gu, ' ')
    .trim()
  for (const [pattern, replacement] of REDACTIONS) text = text.replace(pattern, replacement)
  if (text === '') return undefined
  return text.length <= MAX_LENGTH ? text : `${text.slice(0, MAX_LENGTH - 1).toWellFormed()}…`
}
