/** The questions that a running server answers, each with who knows the answer. */
import {
  BadChoice,
  membersOf,
  parseChoice,
  parseId,
  parseOrder,
  type QueueChoice,
  type QueueOrder,
} from '../mail/queue-choice.js'
import { type Answer, ControlRefusal, type Route, type ServerStatus } from './control.js'

/** What waits, for those who ask and tell. Answers are JSON as they are. */
export interface QueueAsked {
  list(choice: QueueChoice): AsyncIterable<object>
  /** `null` = there is none. */
  show(id: string): Promise<object | null>
  /** `null` = there is none. */
  content(id: string, part: 'header' | 'whole'): Promise<AsyncIterable<Uint8Array> | null>
  route(choice: QueueChoice): AsyncIterable<object>
  carryOut(order: QueueOrder): AsyncIterable<object>
}

export interface ControlParts {
  readonly status: () => ServerStatus
  /** Takes up changed settings. @throws ControlRefusal (422) when they are bad, and nothing was changed */
  readonly reload: () => Promise<void>
  readonly queue: QueueAsked
}

const PARTS = ['header', 'whole'] as const

export function controlRoutes({ status, reload, queue }: ControlParts): readonly Route[] {
  return [
    get('/status', async () => value(status())),
    post('/reload', async (asked) => {
      membersOf(asked, [])
      await reload()
      return value({})
    }),
    post('/queue/list', async (asked) => lines(queue.list(parseChoice(asked)))),
    post('/queue/route', async (asked) => lines(queue.route(parseChoice(asked)))),
    post('/queue/order', async (asked) => lines(queue.carryOut(parseOrder(asked)))),
    post('/queue/show', async (asked) => {
      const id = parseId(membersOf(asked, ['id'])['id'])
      return value(found(await queue.show(id), id))
    }),
    post('/queue/content', async (asked) => {
      const words = membersOf(asked, ['id', 'part'])
      const id = parseId(words['id'])
      const part = PARTS.find((each) => each === words['part'])
      if (part === undefined) throw new BadChoice(`part: not one of ${PARTS.join(', ')}`)
      return { kind: 'octets', octets: found(await queue.content(id, part), id) }
    }),
  ]
}

const value = (given: unknown): Answer => ({ kind: 'value', value: given })
const lines = (given: AsyncIterable<object>): Answer => ({ kind: 'lines', lines: given })

/** @throws ControlRefusal */
function found<T>(what: T | null, id: string): T {
  if (what !== null) return what
  throw new ControlRefusal(404, [`no message ${id} waits`])
}

const get = (path: string, answer: Route['answer']): Route => ({ method: 'GET', path, answer })

function post(path: string, answer: Route['answer']): Route {
  return { method: 'POST', path, answer: (asked) => clearly(answer(asked)) }
}

/** A question that nobody understands is the client's fault, not the server's. */
async function clearly(answer: Promise<Answer>): Promise<Answer> {
  try {
    return await answer
  } catch (error) {
    if (!(error instanceof BadChoice)) throw error
    throw new ControlRefusal(400, [error.message], { cause: error })
  }
}
