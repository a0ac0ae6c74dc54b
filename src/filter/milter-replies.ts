/** What a milter says to a step, and what it wants done at the end of a message. */
import { Refusal } from '../mail/refusal.js'
import type { Verdict } from './filter.js'
import { foreignRefusal, headerLine } from './foreign-words.js'
import type { MilterWire, Packet } from './milter-wire.js'

/** Packets that it may answer one step with: added fields, signs of life. */
const MAX_REPLIES = 1_000
const NUL = 0
/** Of an inserted field: its place, which is in front with us in any case. */
const INDEX_OCTETS = 4

/** `accept`: it wants to hear no more of this message; `skip`: no more of its body. */
export type Step = 'continue' | 'accept' | 'skip'

const STEPS: ReadonlyMap<string, Step> = new Map([
  ['c', 'continue'],
  ['a', 'accept'],
  ['s', 'skip'],
])

const rejected = (): Refusal =>
  new Refusal(554, '5.7.1', 'this message was refused by a filter', { why: 'milter' })
const deferred = (): Refusal =>
  new Refusal(451, '4.7.1', 'this message cannot be taken now; try again later', { why: 'milter' })

const REFUSALS: ReadonlyMap<string, (data: Buffer) => Refusal> = new Map([
  ['r', rejected],
  // Mail is not dropped in silence: who sent it shall know.
  ['d', rejected],
  ['t', deferred],
  ['y', customRefusal],
])

/** The answer to a step before the end of the message. @throws Refusal; Error for what is none */
export async function stepReply(wire: MilterWire): Promise<Step> {
  for (let count = 0; count < MAX_REPLIES; count++) {
    const packet = await wire.receive()
    const step = outcome(packet)
    if (step !== null) return step
    if (packet.command !== 'p') throw unexpected(packet)
  }
  throw new Error('it answers without end')
}

/** All answers to the end of the message. @throws Refusal; Error for what is none */
export async function finalReply(wire: MilterWire): Promise<Verdict> {
  const headers: string[] = []
  let junk = false
  for (let count = 0; count < MAX_REPLIES; count++) {
    const packet = await wire.receive()
    if (outcome(packet) !== null) return { headers, junk }
    if (packet.command === 'q') junk = true
    else headers.push(...addedBy(packet))
  }
  throw new Error('it answers without end')
}

/** `null` if this is not what ends the answer. */
function outcome({ command, data }: Packet): Step | null {
  const refusal = REFUSALS.get(command)
  if (refusal !== undefined) throw refusal(data)
  return STEPS.get(command) ?? null
}

function addedBy(packet: Packet): string[] {
  const { command, data } = packet
  if (command === 'p') return []
  if (command !== 'h' && command !== 'i') throw unexpected(packet)
  const [name = '', value = ''] = texts(command === 'i' ? data.subarray(INDEX_OCTETS) : data)
  const line = headerLine(name, value)
  if (line === null) throw new Error('it adds a field that has no name')
  return [line]
}

/** `550 5.7.1 text`, in several lines with a hyphen as SMTP has it; `%%` is a percent sign. */
function customRefusal(data: Buffer): Refusal {
  const [reply = ''] = texts(data)
  const lines = reply.replaceAll('%%', '%').split(/\r?\n/)
  const [first = '', ...more] = lines.filter((line) => line !== '')
  const rest = more.map((line) => line.replace(/^\d{3}[ -](?:\d\.\d{1,3}\.\d{1,3} +)?/, ''))
  return foreignRefusal([first, ...rest].join(' '), rejected().message) ?? deferred()
}

/** Texts that end in NUL each. */
function texts(data: Buffer): string[] {
  const end = data[data.length - 1] === NUL ? data.length - 1 : data.length
  return data.toString('utf8', 0, end).split('\0')
}

function unexpected({ command }: Packet): Error {
  return new Error(`it said ${JSON.stringify(command)}, which was not agreed on`)
}
