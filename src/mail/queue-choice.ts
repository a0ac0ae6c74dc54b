/**
 * Which waiting messages somebody means, and what is to happen to them: the words in which the
 * command line, the control socket and the queue speak of it. Pure.
 */
import { identity, parseAddress } from './address.js'
import { DOMAIN_PATTERN_FORM, parseDomainPattern } from './domain-pattern.js'

/** `active` is being delivered, `held` waits until it is released, `ended` only to be reported on. */
export const QUEUE_STATES = ['waiting', 'active', 'held', 'ended'] as const
export type QueueState = (typeof QUEUE_STATES)[number]

/**
 * `flush` tries now, `hold` and `release` stop and go on, `drop` takes recipients out and tells
 * nobody, `bounce` takes them out and tells the sender.
 */
export const QUEUE_VERBS = ['flush', 'hold', 'release', 'drop', 'bounce'] as const
export type QueueVerb = (typeof QUEUE_VERBS)[number]

/** A choice as it is said; what is left out does not matter. */
export interface ChoiceText {
  readonly ids?: readonly string[]
  /** An address, or `<>` for the null path. */
  readonly from?: string
  readonly to?: string
  /** Of recipients: `example.com`, or `.example.com` for all below. */
  readonly domain?: string
  readonly olderThanMs?: number
  readonly state?: string
  readonly all?: boolean
}

/** Messages for which all of this is true; `null` = it does not matter. */
export interface QueueChoice {
  /** None = whatever its id is. */
  readonly ids: readonly string[]
  /** Identity of the sender; empty = the null path. */
  readonly from: string | null
  /** Identity of a recipient. */
  readonly to: string | null
  /** Pattern for the domain of a recipient. */
  readonly domain: string | null
  readonly olderThanMs: number | null
  readonly state: QueueState | null
  /** Said in so many words; then nothing else narrows it. */
  readonly all: boolean
}

export interface QueueOrder {
  readonly verb: QueueVerb
  readonly choice: QueueChoice
  /** Tell what would be done, change nothing. */
  readonly dryRun: boolean
}

/** What was said is no choice or no order; the message says what is wrong and what would be right. */
export class BadChoice extends Error {
  override readonly name = 'BadChoice'
}

/** Ids in one request. */
const MAX_IDS = 10_000
const ID = /^[A-Za-z0-9]{1,64}$/
const NULL_PATH = '<>'
const CHOICE_WORDS = ['ids', 'from', 'to', 'domain', 'olderThanMs', 'state', 'all']
const ORDER_WORDS = ['verb', 'choice', 'dryRun']

/** @throws BadChoice */
export function parseChoice(said: unknown): QueueChoice {
  const words = membersOf(said, CHOICE_WORDS)
  const choice: QueueChoice = {
    ids: idsOf(words['ids']),
    from: word(words, 'from', (text) => (text === NULL_PATH ? '' : addressOf('from', text))),
    to: word(words, 'to', (text) => addressOf('to', text)),
    domain: word(words, 'domain', domainOf),
    olderThanMs: ageOf(words['olderThanMs']),
    state: word(words, 'state', stateOf),
    all: flagOf(words, 'all'),
  }
  if (choice.all && isNarrow(choice)) throw new BadChoice('all: say either which ones, or all')
  return choice
}

/** @throws BadChoice, also for an order other than `flush` that does not say which messages it is about */
export function parseOrder(said: unknown): QueueOrder {
  const words = membersOf(said, ORDER_WORDS)
  const verb = QUEUE_VERBS.find((each) => each === words['verb'])
  if (verb === undefined) throw new BadChoice(`verb: not one of ${QUEUE_VERBS.join(', ')}`)
  const choice = parseChoice(words['choice'])
  // Nothing said is a slip more often than it is meant, and what is dropped does not come back.
  if (verb !== 'flush' && !choice.all && !isNarrow(choice))
    throw new BadChoice(`${verb}: say which messages, or that you mean all of them`)
  return { verb, choice, dryRun: flagOf(words, 'dryRun') }
}

/** @throws BadChoice */
export function parseId(said: unknown): string {
  if (typeof said === 'string' && ID.test(said)) return said
  throw new BadChoice(`${shown(said)}: no id of a message; 'queue list' tells them`)
}

/** @throws BadChoice unless it is an object of these members at most */
export function membersOf(
  said: unknown,
  names: readonly string[],
): Readonly<Record<string, unknown>> {
  if (typeof said !== 'object' || said === null || Array.isArray(said))
    throw new BadChoice('an object is wanted')
  // A filter that is not understood must not become "all of them".
  const unknown = Object.keys(said).find((name) => !names.includes(name))
  if (unknown !== undefined) throw new BadChoice(`${shown(unknown)}: unknown`)
  return said as Record<string, unknown>
}

function isNarrow({ ids, from, to, domain, olderThanMs, state }: QueueChoice): boolean {
  return ids.length > 0 || [from, to, domain, olderThanMs, state].some((each) => each !== null)
}

function idsOf(said: unknown): readonly string[] {
  if (said === undefined) return []
  if (!Array.isArray(said) || said.length === 0 || said.length > MAX_IDS)
    throw new BadChoice(`ids: a list of 1 to ${MAX_IDS} is wanted`)
  return [...new Set(said.map(parseId))]
}

function word<T>(
  words: Readonly<Record<string, unknown>>,
  name: string,
  read: (text: string) => T,
): T | null {
  const said = words[name]
  if (said === undefined) return null
  if (typeof said !== 'string') throw new BadChoice(`${name}: a text is wanted`)
  return read(said)
}

function addressOf(name: string, text: string): string {
  const address = parseAddress(text)
  if (address !== null) return identity(address)
  const more = name === 'from' ? `, or ${NULL_PATH} for mail without a sender` : ''
  throw new BadChoice(`${name}: ${shown(text)} is no address; write name@domain${more}`)
}

function domainOf(text: string): string {
  const pattern = parseDomainPattern(text)
  if (pattern !== null) return pattern
  throw new BadChoice(`domain: ${shown(text)} is none; write ${DOMAIN_PATTERN_FORM}`)
}

function stateOf(text: string): QueueState {
  const state = QUEUE_STATES.find((each) => each === text)
  if (state !== undefined) return state
  throw new BadChoice(`state: ${shown(text)} is none of ${QUEUE_STATES.join(', ')}`)
}

function ageOf(said: unknown): number | null {
  if (said === undefined) return null
  if (typeof said === 'number' && Number.isSafeInteger(said) && said >= 0) return said
  throw new BadChoice('olderThanMs: a whole number of milliseconds is wanted')
}

function flagOf(words: Readonly<Record<string, unknown>>, name: string): boolean {
  const said = words[name] ?? false
  if (typeof said === 'boolean') return said
  throw new BadChoice(`${name}: true or false is wanted`)
}

/** Characters of something wrong that are shown. */
const MAX_SHOWN = 80
const shown = (said: unknown): string => (JSON.stringify(said) ?? 'nothing').slice(0, MAX_SHOWN)
