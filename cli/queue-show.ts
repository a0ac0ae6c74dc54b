/** `mailtap queue show`: one message that waits. */
import type { Given } from './command.js'
import { textOf } from './json-lines.js'
import { looking } from './queue-desk.js'
import { factsOf } from './queue-facts.js'
import { sayOne } from './queue-list.js'
import { settingsFor } from './settings.js'
import { say, sayJson, write } from './terminal.js'

/** Octets of a header that is shown; longer ones are cut when they are read. */
const MAX_HEADER = 2 * 1024 * 1024

export async function showMessage(given: Given): Promise<void> {
  const config = await settingsFor(given)
  const id = given.argument!
  await looking(config, async (desk) => {
    if (given.has('raw')) return write(await desk.content(id, 'whole'))
    const message = await desk.show(id)
    const header = given.has('header')
      ? await textOf(await desk.content(id, 'header'), MAX_HEADER)
      : null
    if (given.has('json'))
      return sayJson({ ...factsOf(message), ...(header === null ? {} : { header }) })
    sayOne(message)
    if (header === null) return
    say()
    for (const line of header.trimEnd().split('\n')) say(line)
  })
}
