/** The desk that a command about the queue works at: the running server's, or the files themselves. */
import type { Config } from '../src/config/config.js'
import {
  BadChoice,
  type ChoiceText,
  parseChoice,
  parseOrder,
  type QueueVerb,
} from '../src/mail/queue-choice.js'
import type {
  ContentPart,
  Deed,
  QueueDesk,
  QueueViews,
  RoutedRecipient,
  WaitingMessage,
} from '../src/queue/desk.js'
import { Exit, Failure, usage } from './exit.js'
import { ControlClient, NoServer } from './control-client.js'
import { RemoteDesk } from './remote-desk.js'
import { openSpool, viewSpool } from './spool-files.js'

/** An order as it is said. */
export interface OrderText {
  readonly verb: QueueVerb
  readonly choice: ChoiceText
  readonly dryRun: boolean
}

/** Everything throws Failure for what is wrong with the words. */
interface Views {
  /** A server is at work with these messages. */
  readonly runs: boolean
  list(choice: ChoiceText): AsyncIterable<WaitingMessage>
  /** @throws Failure when there is none */
  show(id: string): Promise<WaitingMessage>
  /** @throws Failure when there is none */
  content(id: string, part: ContentPart): Promise<AsyncIterable<Buffer>>
  route(choice: ChoiceText): AsyncIterable<RoutedRecipient>
}

export interface Desk extends Views {
  carryOut(order: OrderText): AsyncIterable<Deed>
}

/** Looks at what waits, whether a server runs or not. */
export async function looking(config: Config, use: (desk: Views) => Promise<void>): Promise<void> {
  const remote = await remoteDesk(config)
  return use(remote ?? new LocalViews(await viewSpool(config)))
}

/** Changes what waits: where no server runs, none can start meanwhile. */
export async function ordering(config: Config, use: (desk: Desk) => Promise<void>): Promise<void> {
  const remote = await remoteDesk(config)
  if (remote !== null) return use(remote)
  const spool = await openSpool(config)
  try {
    await use(new LocalDesk(spool.desk))
  } finally {
    await spool.close()
  }
}

/** @returns `null` if no server runs */
async function remoteDesk({ state }: Config): Promise<Desk | null> {
  const client = new ControlClient(state)
  try {
    await client.get('/status')
    return new RemoteDesk(client)
  } catch (error) {
    if (error instanceof NoServer) return null
    throw error
  }
}

class LocalViews implements Views {
  readonly runs = false
  readonly #views: QueueViews

  constructor(views: QueueViews) {
    this.#views = views
  }

  list(choice: ChoiceText): AsyncIterable<WaitingMessage> {
    return this.#views.list(understood(() => parseChoice(choice)))
  }

  async show(id: string): Promise<WaitingMessage> {
    return found(await this.#views.show(id), id)
  }

  async content(id: string, part: ContentPart): Promise<AsyncIterable<Buffer>> {
    return found(await this.#views.content(id, part), id)
  }

  route(choice: ChoiceText): AsyncIterable<RoutedRecipient> {
    return this.#views.route(understood(() => parseChoice(choice)))
  }
}

class LocalDesk extends LocalViews implements Desk {
  readonly #desk: QueueDesk

  constructor(desk: QueueDesk) {
    super(desk)
    this.#desk = desk
  }

  carryOut(order: OrderText): AsyncIterable<Deed> {
    return this.#desk.carryOut(understood(() => parseOrder(order)))
  }
}

function understood<T>(parse: () => T): T {
  try {
    return parse()
  } catch (error) {
    throw error instanceof BadChoice ? usage(error.message) : error
  }
}

function found<T>(what: T | null, id: string): T {
  if (what !== null) return what
  throw new Failure(Exit.badData, `no message ${id} waits`)
}
