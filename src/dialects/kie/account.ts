/** What the key can still spend, and links to files: `chat/credit` and `common/download-url`. */
import { z } from 'zod'
import { balanceNumber } from '#dialect-kit/credit-number.ts'
import { endpoint } from '#dialect-kit/define-dialect.ts'
import { GatewayError } from '#spec/errors.ts'
import { readBody } from './body.ts'
import { webUrl } from './client-fields.ts'
import { answerOf } from './endpoints.ts'
import { success } from './envelope.ts'

/** Recorded answers have fractions, and clients that want whole credits cut them off themselves. */
export const chatCredit = endpoint({
  method: 'GET',
  path: '/chat/credit',
  reference: {
    summary: 'Credits left',
    tag: 'Account',
    answer: answerOf(z.number().describe('Credits that can be spent now')),
    example: {},
  },
  async handle({ call, gateway, reply }) {
    const { availableNanoUsd } = await gateway.account(call)
    const spendable = availableNanoUsd > 0n ? availableNanoUsd : 0n
    reply.send(success(balanceNumber(spendable, gateway.credits)))
  },
})

const downloadBody = z.looseObject({ url: z.string().describe('An address of a file that we made') })

/** Our addresses need no exchange and never expire, so the answer is the address itself, checked. */
export const downloadUrl = endpoint({
  method: 'POST',
  path: '/common/download-url',
  reference: {
    summary: 'A link to download a file',
    tag: 'Account',
    body: { schema: downloadBody },
    answer: answerOf(z.string()),
    example: { body: { url: 'https://example.com/files/image.png' } },
  },
  async handle({ request, call, gateway, reply }) {
    const { fields } = readBody(request.body, downloadBody)
    const url = webUrl(fields.url, 'url')
    const artifact = await gateway.findArtifact(call, url)
    if (artifact === undefined) throw new GatewayError('file_not_found', 'url is wrong', { param: 'url' })
    reply.send(success(url))
  },
})
