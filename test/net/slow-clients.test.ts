/** R2: a deadline holds for the whole of what is waited for, not for each octet of it. */
import { expect, test } from 'vitest'
import type { Client } from '../helpers/client.js'
import { stage, until } from '../helpers/listener-stage.js'

const PATIENCE_MS = 300
const DRIP_MS = 50

/** Sends one octet again and again until the server has had enough. @returns all that was heard */
async function dripping(client: Client): Promise<string> {
  const drip = setInterval(() => client.send('x'), DRIP_MS)
  try {
    return await client.end()
  } finally {
    clearInterval(drip)
  }
}

test('a body that comes octet by octet ends with its deadline (R2)', async () => {
  const { client, sessions } = await stage({}, PATIENCE_MS)
  const slow = await client()
  await slow.hear('hello\r\n')
  slow.send('body\r\n')
  await slow.hear('go on\r\n')
  expect(await dripping(slow)).toMatch(/idle\r\n$/)
  await until(() => sessions.every(({ isClosed }) => isClosed))
})
