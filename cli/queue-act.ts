/** `mailtap queue flush|hold|release|drop|bounce`: what came of it, message by message. */
import type { QueueVerb } from '../src/mail/queue-choice.js'
import type { Deed } from '../src/queue/desk.js'
import type { Given } from './command.js'
import { Exit, Failure } from './exit.js'
import { printList } from './json-lines.js'
import { ordering } from './queue-desk.js'
import { choiceIn } from './queue-words.js'
import { settingsFor } from './settings.js'
import { complain, say } from './terminal.js'

const DONE: Readonly<Record<QueueVerb, string>> = {
  flush: 'tried now',
  hold: 'held',
  release: 'released',
  drop: 'dropped',
  bounce: 'bounced',
}
/** What it means while no server runs. */
const WITHOUT_SERVER: Partial<Readonly<Record<QueueVerb, string>>> = {
  flush: 'no server runs: mail leaves when it does',
  bounce: 'no server runs: senders are told when it does',
}
const WHY: Readonly<Record<Exclude<Deed['outcome'], 'done'>, string>> = {
  busy: 'is being delivered now; try again',
  nothing: 'there is nothing to change in it',
  unknown: 'no such message waits',
}

export async function carryOut(verb: QueueVerb, given: Given): Promise<void> {
  const config = await settingsFor(given)
  const choice = choiceIn(given)
  const dryRun = given.has('dry-run')
  const tally = new Tally(dryRun ? `would be ${DONE[verb]}` : DONE[verb], !given.has('json'))
  await ordering(config, async (desk) => {
    const deeds = tally.count(desk.carryOut({ verb, choice, dryRun }))
    if (given.has('json')) await printList(deeds)
    else for await (const deed of deeds) tally.tell(deed)
    if (!desk.runs && !dryRun && tally.done > 0 && WITHOUT_SERVER[verb] !== undefined)
      complain(WITHOUT_SERVER[verb])
  })
  tally.end()
}

/** Counts how it went, for the last line and the exit code. */
class Tally {
  readonly #words: string
  readonly #speaks: boolean
  readonly #counts = { done: 0, busy: 0, nothing: 0, unknown: 0 }

  constructor(words: string, speaks: boolean) {
    this.#words = words
    this.#speaks = speaks
  }

  get done(): number {
    return this.#counts.done
  }

  async *count(deeds: AsyncIterable<Deed>): AsyncIterable<Deed> {
    for await (const deed of deeds) {
      this.#counts[deed.outcome]++
      yield deed
    }
  }

  tell({ id, outcome, recipients }: Deed): void {
    if (outcome === 'done') say(`${id} ${this.#words}: ${recipients.join(', ')}`)
    else complain(`${id}: ${WHY[outcome]}`)
  }

  /** @throws Failure when not all went as it was wanted */
  end(): void {
    const { done, busy, nothing, unknown } = this.#counts
    const failed = busy + nothing + unknown
    if (this.#speaks && done + failed === 0) say('nothing of what waits fits')
    if (failed === 0) return
    const code = busy > 0 ? Exit.tryLater : Exit.badData
    throw new Failure(code, `${failed} of ${done + failed} messages were left as they are`)
  }
}
