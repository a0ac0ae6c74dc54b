/** How the command line says which messages are meant. */
import { parseSpan } from '../src/config/durations.js'
import type { ChoiceText } from '../src/mail/queue-choice.js'
import type { Given, Option } from './command.js'
import { usage } from './exit.js'

/** In the place of ids: all of them, as postsuper(1) has it. */
const ALL = 'ALL'

export const CHOICE_OPTIONS: readonly Option[] = [
  { flags: '--from <address>', help: 'from this sender; <> = without one' },
  { flags: '--to <address>', help: 'to this recipient' },
  { flags: '--domain <domain>', help: 'to this domain; .example.com = all below it' },
  { flags: '--older-than <time>', help: 'that came longer ago than 30m, 2h, 5d' },
  { flags: '--state <state>', help: 'waiting, active, held, or ended (only to be reported on)' },
]
export const ALL_OPTION: Option = {
  flags: '--all',
  help: 'all messages; ALL as an id says the same',
}

/** @throws Failure */
export function choiceIn(given: Given): ChoiceText {
  const words = given.argument === null ? [] : [given.argument, ...given.others]
  const ids = words.filter((word) => word !== ALL)
  return {
    ...(ids.length === 0 ? {} : { ids }),
    ...textIn(given, 'from'),
    ...textIn(given, 'to'),
    ...textIn(given, 'domain'),
    ...ageIn(given),
    ...textIn(given, 'state'),
    ...(given.has('all') || ids.length < words.length ? { all: true } : {}),
  }
}

function textIn(given: Given, name: 'from' | 'to' | 'domain' | 'state'): ChoiceText {
  const said = given.last(name)
  return said === null ? {} : { [name]: said }
}

function ageIn(given: Given): ChoiceText {
  const said = given.last('older-than')
  if (said === null) return {}
  const olderThanMs = parseSpan(said)
  if (olderThanMs !== undefined) return { olderThanMs }
  throw usage(`--older-than ${said}: no time; write it as 30m, 2h or 5d`)
}
