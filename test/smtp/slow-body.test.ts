import { expect, test } from 'vitest'
import { SmtpStage } from '../helpers/smtp-stage.js'

const NOTHING = Buffer.alloc(0)

/** A session that waits for a body, and its patience. */
async function receiving() {
  const stage = new SmtpStage()
  const user = 'alice@example.com'
  stage.direct({ kind: 'directive', name: 'user', rest: user, block: NOTHING })
  const session = stage.open()
  await session.greet()
  for (const line of ['EHLO client', 'MAIL FROM:<>', `RCPT TO:<${user}>`, 'DATA']) {
    await session.command(Buffer.from(line))
  }
  return session
}

test('a body has five minutes and one millisecond per octet, two hours at most: who drips is cut off (R2)', async () => {
  const session = await receiving()
  const { raw } = session
  expect(raw?.patience(0)).toBe(300_000)
  expect(raw?.patience(60_000)).toBe(360_000)
  // One octet every ten seconds gains a millisecond each: it ends with the first five minutes.
  expect(raw?.patience(31)).toBeLessThan(31 * 10_000)
  expect(raw?.patience(1e12)).toBe(7_200_000)
  await session.closed()
})

test('a command has five minutes, however its octets come (R2)', async () => {
  const session = await receiving()
  expect(session.patience).toBe(300_000)
  await session.closed()
})
