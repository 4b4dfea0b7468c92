/** A name server on the loopback that may say something else each time it is asked. */
import dgram from 'node:dgram'
import { once } from 'node:events'
import { parseIpAddress } from '#lib/public-address.ts'

export interface DnsQuestion {
  /** Lower case, without the final dot. */
  readonly name: string
  readonly type: 'A' | 'AAAA' | 'other'
  /** How often this name was asked for this type before. */
  readonly asked: number
}

/** Addresses of the type that was asked for (others are left out), or how the server fails. */
export type DnsAnswer = readonly string[] | 'no-such-name' | 'server-failure' | 'silence'

export interface RebindingDns {
  /** `address:port`, as `dns.Resolver` takes it. */
  readonly server: string
  readonly questions: readonly DnsQuestion[]
  stop(): Promise<void>
}

/** Answers every question over UDP with a TTL of 0. */
export async function startRebindingDns(answer: (question: DnsQuestion) => DnsAnswer): Promise<RebindingDns> {
  const socket = dgram.createSocket('udp4')
  const questions: DnsQuestion[] = []
  socket.on('message', (message, from) => {
    const { name, type, end } = readQuestion(message)
    const asked = questions.filter(question => question.name === name && question.type === type).length
    const question = { name, type, asked }
    questions.push(question)
    const said = answer(question)
    if (said !== 'silence') socket.send(writeAnswer(message, end, type, said), from.port, from.address)
  })
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  return {
    server: `127.0.0.1:${socket.address().port}`,
    questions,
    stop: async () => {
      socket.close()
      await once(socket, 'close')
    },
  }
}

const TYPES: Readonly<Record<number, 'A' | 'AAAA'>> = { 1: 'A', 28: 'AAAA' }
const HEADER_BYTES = 12

function readQuestion(message: Buffer): { name: string; type: DnsQuestion['type']; end: number } {
  const labels: string[] = []
  let at = HEADER_BYTES
  for (let length = message.readUInt8(at); length > 0; length = message.readUInt8(at)) {
    labels.push(message.toString('latin1', at + 1, at + 1 + length))
    at += 1 + length
  }
  const type = TYPES[message.readUInt16BE(at + 1)] ?? 'other'
  return { name: labels.join('.').toLowerCase(), type, end: at + 5 }
}

/** RFC 1035 §4.1: the question is echoed, and each record points back to its name. */
function writeAnswer(
  question: Buffer,
  end: number,
  type: DnsQuestion['type'],
  said: Exclude<DnsAnswer, 'silence'>,
): Buffer {
  const records = typeof said === 'string' ? [] : said.flatMap(address => recordOf(address, type))
  const header = Buffer.alloc(HEADER_BYTES)
  question.copy(header, 0, 0, 2)
  const code = said === 'no-such-name' ? 3 : said === 'server-failure' ? 2 : 0
  header.writeUInt16BE(0x8580 | code, 2)
  header.writeUInt16BE(1, 4)
  header.writeUInt16BE(records.length, 6)
  return Buffer.concat([header, question.subarray(HEADER_BYTES, end), ...records])
}

function recordOf(text: string, type: DnsQuestion['type']): Buffer[] {
  const address = parseIpAddress(text)
  if (address === undefined) throw new RangeError(`${text} is no address`)
  const isIpv4 = address.bits === 32
  if (type !== (isIpv4 ? 'A' : 'AAAA')) return []
  const data = Buffer.from(address.value.toString(16).padStart(address.bits / 4, '0'), 'hex')
  const head = Buffer.from([0xc0, HEADER_BYTES, 0, isIpv4 ? 1 : 28, 0, 1, 0, 0, 0, 0, 0, data.length])
  return [Buffer.concat([head, data])]
}
