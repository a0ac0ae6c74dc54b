/** `mailtap queue route`: which way what waits would go now. */
import type { Given } from './command.js'
import { printList } from './json-lines.js'
import { looking } from './queue-desk.js'
import { choiceIn } from './queue-words.js'
import { settingsFor } from './settings.js'
import { say } from './terminal.js'

export async function routeQueue(given: Given): Promise<void> {
  const config = await settingsFor(given)
  const choice = choiceIn(given)
  await looking(config, async (desk) => {
    const all = desk.route(choice)
    if (given.has('json')) return printList(all)
    for await (const { id, to, place, lane } of all) say(`${id}\t${to}\t${place}\t${lane}`)
  })
}
