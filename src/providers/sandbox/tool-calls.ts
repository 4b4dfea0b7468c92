/** Which tools the sandbox calls, and with which arguments. */
import type { ChatRequest, ChatTool, ToolCall } from '#spec/chat.ts'
import { ProviderFailure } from '#spec/provider.ts'
import { lastUserMessage, textOf, topicsOf } from './conversation.ts'
import { writeInstance } from './json/instance.ts'
import { type Json, type Schema, SchemaRefusal, type TypeName } from './json/schema.ts'
import { digestOf, type Random } from './random.ts'

const MAX_PARALLEL_CALLS = 8
const READ_CHARS = 4_000
/** What texts are made of where a prompt has no topics. */
const PLAIN_WORDS = ['sandbox', 'answer', 'example', 'value', 'sample', 'note']

/**
 * The calls a choice makes; none where it answers in words. With `auto` a user's message is answered by a
 * call and a tool's result in words. The tools that the prompt names are called, else the one whose name and
 * description share most words with it, else one by chance. Throws a ProviderFailure (`rejected`) where a
 * named tool is not given or a schema has no instance.
 */
export function toolCallsFor(
  request: ChatRequest,
  drawn: { random: Random; fingerprint: string },
): readonly ToolCall[] {
  return chosenTools(request, drawn.random).map((tool, index) => ({
    id: `call_${digestOf(drawn.fingerprint, tool.name, String(index)).toString('hex').slice(0, 24)}`,
    name: tool.name,
    arguments: argumentsFor(tool, request, drawn.random),
  }))
}

function chosenTools(request: ChatRequest, random: Random): readonly ChatTool[] {
  const { tools, toolChoice = 'auto', messages } = request
  if (tools.length === 0 || toolChoice === 'none') return []
  if (typeof toolChoice === 'object') return [toolNamed(toolChoice.name, tools)]
  if (toolChoice === 'auto' && messages.at(-1)?.role !== 'user') return []
  const prompt = textOf(lastUserMessage(messages)).slice(0, READ_CHARS).toLowerCase()
  const named = tools.filter(tool => isNamedIn(tool, prompt))
  const most = request.parallelToolCalls === false ? 1 : MAX_PARALLEL_CALLS
  return named.length > 0 ? named.slice(0, most) : [nearestTool(tools, prompt, random)]
}

function toolNamed(name: string, tools: readonly ChatTool[]): ChatTool {
  const tool = tools.find(candidate => candidate.name === name)
  if (!tool)
    throw new ProviderFailure(
      'rejected',
      `The tool choice names "${name.slice(0, 100)}", which is not among the tools.`,
    )
  return tool
}

/** `get_weather` is named by "get_weather" and by "get weather". */
function isNamedIn(tool: ChatTool, prompt: string): boolean {
  return [tool.name.toLowerCase(), wordsOf(tool.name).join(' ')].some(
    name => name !== '' && prompt.includes(name),
  )
}

function wordsOf(text: string): string[] {
  const spaced = text.replace(/([a-z\d])([A-Z])/g, '$1 $2').toLowerCase()
  return spaced.match(/[\p{L}\p{N}]+/gu) ?? []
}

function nearestTool(tools: readonly ChatTool[], prompt: string, random: Random): ChatTool {
  const asked = new Set(wordsOf(prompt).filter(word => word.length > 2))
  const shared = (tool: ChatTool) =>
    new Set(
      wordsOf(`${tool.name} ${(tool.description ?? '').slice(0, READ_CHARS)}`).filter(word =>
        asked.has(word),
      ),
    ).size
  const most = Math.max(...tools.map(shared))
  return random.pick(tools.filter(tool => shared(tool) === most))
}

/** A call's arguments are an object, whether or not the schema says so. */
function argumentsFor(tool: ChatTool, request: ChatRequest, random: Random): string {
  if (!tool.parameters) return '{}'
  return JSON.stringify(
    instanceFor(tool.parameters, request, random, `the parameters of tool "${tool.name}"`, 'object'),
  )
}

/**
 * A valid instance of a client's schema, its texts made of the prompt's words. Throws a ProviderFailure
 * (`rejected`) that says which schema it was and what is wrong with it.
 */
export function instanceFor(
  schema: Schema,
  request: ChatRequest,
  random: Random,
  what: string,
  type?: TypeName,
): Json {
  const { namesFirst } = topicsOf(textOf(lastUserMessage(request.messages)))
  const words = namesFirst.length > 0 ? namesFirst : PLAIN_WORDS
  try {
    return writeInstance(schema, { random, words }, type)
  } catch (error) {
    if (!(error instanceof SchemaRefusal)) throw error
    throw new ProviderFailure(
      'rejected',
      `The sandbox cannot answer by ${what.slice(0, 120)}: ${error.message}.`,
    )
  }
}
