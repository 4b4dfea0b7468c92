/** `GET /balance`: what the key can spend now, under both names that clients may look for. */
import { z } from 'zod'
import { balanceNumber } from '#dialect-kit/credit-number.ts'
import { endpoint } from '#dialect-kit/define-dialect.ts'
import { jsonAnswer } from '#dialect-kit/json-answer.ts'

export const balance = endpoint({
  method: 'GET',
  path: '/balance',
  reference: {
    summary: 'Check the balance',
    tag: 'Simple images',
    answer: {
      schema: z.object({
        balance: z.number().describe('Credits that can be spent now'),
        credits: z.number().describe('The same'),
      }),
    },
    example: {},
  },
  async handle({ call, gateway, reply }) {
    const { availableNanoUsd } = await gateway.account(call)
    const left = balanceNumber(availableNanoUsd, gateway.credits)
    reply.send(jsonAnswer(200, { balance: left, credits: left }))
  },
})
