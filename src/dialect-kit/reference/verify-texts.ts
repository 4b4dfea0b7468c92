/** How a receiver knows that a callback is genuine: whole programs, that run as they are printed. */
import type { SignatureGuide } from '#spec/dialect.ts'

export type ReceiverLanguage = 'javascript' | 'python'

/**
 * A receiver on `PORT` (8080 where it is not set) that answers 204 to what was signed with the secret in `WEBHOOK_SECRET`, and
 * prints it, and 401 to everything else.
 */
export function receiverText(language: ReceiverLanguage, guide: SignatureGuide): string {
  return language === 'javascript' ? javascriptText(guide) : pythonText(guide)
}

function javascriptText({ javascript }: SignatureGuide): string {
  return `import { createHmac, timingSafeEqual } from 'node:crypto'
import { createServer } from 'node:http'
import { env } from 'node:process'

${javascript}

const isRecent = timestamp => Math.abs(Date.now() / 1000 - Number(timestamp)) < 300

function isEqual(one, other) {
  const [a, b] = [Buffer.from(one), Buffer.from(other)]
  return a.length === b.length && timingSafeEqual(a, b)
}

createServer(async (request, response) => {
  const chunks = []
  for await (const chunk of request) chunks.push(chunk)
  const body = Buffer.concat(chunks).toString()
  const genuine = isGenuine(request.headers, body)
  if (genuine) console.log(request.headers['webhook-id'], JSON.parse(body))
  response.writeHead(genuine ? 204 : 401).end()
}).listen(Number(env.PORT ?? 8080))`
}

const JAVASCRIPT_STANDARD = `const key = Buffer.from(env.WEBHOOK_SECRET.replace('whsec_', ''), 'base64')

function isGenuine(headers, body) {
  const id = headers['webhook-id']
  const timestamp = headers['webhook-timestamp']
  const signatures = (headers['webhook-signature'] ?? '').split(' ')
  const content = \`\${id}.\${timestamp}.\${body}\`
  const expected = \`v1,\${createHmac('sha256', key).update(content).digest('base64')}\`
  return isRecent(timestamp) && signatures.some(one => isEqual(one, expected))
}`

function pythonText({ python }: SignatureGuide): string {
  return `import base64, hashlib, hmac, json, os, time
from http.server import BaseHTTPRequestHandler, HTTPServer

${python}


def is_recent(timestamp):
    return timestamp.isdigit() and abs(time.time() - int(timestamp)) < 300


def signature_of(key, content):
    return base64.b64encode(hmac.new(key, content, hashlib.sha256).digest())


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        genuine = is_genuine(self.headers, body)
        if genuine:
            print(self.headers["webhook-id"], json.loads(body), flush=True)
        self.send_response(204 if genuine else 401)
        self.end_headers()


HTTPServer(("", int(os.environ.get("PORT", 8080))), Receiver).serve_forever()`
}

const PYTHON_STANDARD = `KEY = base64.b64decode(os.environ["WEBHOOK_SECRET"].removeprefix("whsec_"))


def is_genuine(headers, body):
    message_id = headers.get("webhook-id", "")
    timestamp = headers.get("webhook-timestamp", "")
    signatures = headers.get("webhook-signature", "").split(" ")
    content = f"{message_id}.{timestamp}.".encode() + body
    expected = b"v1," + signature_of(KEY, content)
    return is_recent(timestamp) and any(
        hmac.compare_digest(one.encode(), expected) for one in signatures
    )`

/** Of every callback. */
export const STANDARD_SIGNATURE: SignatureGuide = {
  about:
    'Every callback is signed by Standard Webhooks: any library of it verifies `webhook-signature` with the secret. Of an endpoint that is the secret of `POST /webhooks/endpoints`; of an address that a request named, the one of `GET /webhooks/secret`. What a library does, as a whole receiver:',
  javascript: JAVASCRIPT_STANDARD,
  python: PYTHON_STANDARD,
}
