/** How receivers check `X-Webhook-Signature`, by the recipe of docs.kie.ai/common-api/webhook-verification. */
import type { SignatureGuide } from '#spec/dialect.ts'

export const signatureGuide: SignatureGuide = {
  about:
    'Callbacks about tasks of the kie.ai API carry `X-Webhook-Timestamp` and `X-Webhook-Signature` as well, keyed by the whole text of the same secret, for receivers that were written for it. They sign the task’s id and not the body: prefer the signature above where you can.',
  javascript: `const secret = env.WEBHOOK_SECRET

function isGenuine(headers, body) {
  const timestamp = headers['x-webhook-timestamp']
  const signature = headers['x-webhook-signature'] ?? ''
  const content = \`\${taskIdOf(body)}.\${timestamp}\`
  const expected = createHmac('sha256', secret).update(content).digest('base64')
  return isRecent(timestamp) && isEqual(signature, expected)
}

function taskIdOf(body) {
  try {
    return JSON.parse(body).data.task_id
  } catch {
    return undefined
  }
}`,
  python: `SECRET = os.environ["WEBHOOK_SECRET"].encode()


def is_genuine(headers, body):
    timestamp = headers.get("x-webhook-timestamp", "")
    signature = headers.get("x-webhook-signature", "")
    expected = signature_of(SECRET, f"{task_id_of(body)}.{timestamp}".encode())
    return is_recent(timestamp) and hmac.compare_digest(signature.encode(), expected)


def task_id_of(body):
    try:
        return json.loads(body)["data"]["task_id"]
    except (ValueError, KeyError, TypeError):
        return None`,
}
