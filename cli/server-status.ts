/** `mailtap status` and `mailtap reload`: a word with the running server. */
import type { ServerStatus } from '../src/control/control.js'
import { CONFIG, JSON_OUTPUT, type Command, type Given } from './command.js'
import { ControlClient, NoServer } from './control-client.js'
import { Exit, Failure } from './exit.js'
import { shortSpan } from './queue-facts.js'
import { settingsFor } from './settings.js'
import { say, sayJson } from './terminal.js'

export const status: Command = {
  name: 'status',
  summary: 'tell whether the server runs, where it listens, and how much mail waits',
  options: [CONFIG, JSON_OUTPUT],
  run: tellStatus,
}

export const reload: Command = {
  name: 'reload',
  summary:
    'let the running server take up changed settings and certificates; bad ones change nothing',
  options: [CONFIG],
  run: (given) => asked(given, async (client) => void (await client.post('/reload'))),
}

async function tellStatus(given: Given): Promise<void> {
  const found = await asked(given, (client) => client.get('/status'))
  if (given.has('json')) return sayJson(found)
  const { version, pid, uptime, listeners, queue } = found as ServerStatus
  say(`mailtap ${version} runs as process ${pid} for ${shortSpan(uptime * 1000)}`)
  for (const { protocol, endpoint } of listeners) say(`${protocol}\t${endpoint}`)
  say(`${queue.messages} ${queue.messages === 1 ? 'message waits' : 'messages wait'}`)
}

/** @throws Failure when no server runs */
async function asked<T>(given: Given, ask: (client: ControlClient) => Promise<T>): Promise<T> {
  const { state } = await settingsFor(given)
  try {
    return await ask(new ControlClient(state))
  } catch (error) {
    if (!(error instanceof NoServer)) throw error
    const what = `${state}: no server runs with this state directory; 'mailtap run' starts one`
    throw new Failure(Exit.unavailable, what, { cause: error })
  }
}
