/** The desk of the running server, asked over its control socket. */
import type { ChoiceText } from '../src/mail/queue-choice.js'
import type { ContentPart, Deed, RoutedRecipient, WaitingMessage } from '../src/queue/desk.js'
import type { ControlClient } from './control-client.js'
import type { Desk, OrderText } from './queue-desk.js'

/** What the server answers is believed: it is our own, of the same make. */
export class RemoteDesk implements Desk {
  readonly runs = true
  readonly #client: ControlClient

  constructor(client: ControlClient) {
    this.#client = client
  }

  list(choice: ChoiceText): AsyncIterable<WaitingMessage> {
    return this.#client.lines('/queue/list', choice) as AsyncIterable<WaitingMessage>
  }

  async show(id: string): Promise<WaitingMessage> {
    return (await this.#client.post('/queue/show', { id })) as WaitingMessage
  }

  content(id: string, part: ContentPart): Promise<AsyncIterable<Buffer>> {
    return this.#client.octets('/queue/content', { id, part })
  }

  route(choice: ChoiceText): AsyncIterable<RoutedRecipient> {
    return this.#client.lines('/queue/route', choice) as AsyncIterable<RoutedRecipient>
  }

  carryOut(order: OrderText): AsyncIterable<Deed> {
    return this.#client.lines('/queue/order', order) as AsyncIterable<Deed>
  }
}
