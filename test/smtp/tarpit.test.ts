import { expect, test } from 'vitest'
import { SmtpStage } from '../helpers/smtp-stage.js'

/** What a client is kept waiting for each of its guesses, in milliseconds. */
async function waits(guesses: number): Promise<number[]> {
  const stage = new SmtpStage()
  stage.direct({
    kind: 'directive',
    name: 'user',
    rest: 'alice@example.com',
    block: Buffer.alloc(0),
  })
  const session = stage.open()
  await session.greet()
  const say = async (line: string) => (await session.command(Buffer.from(line))).after ?? 0
  await say('EHLO client')
  await say('MAIL FROM:<>')
  const each: number[] = []
  for (let i = 0; i < guesses; i++) each.push(await say(`RCPT TO:<guess${i}@example.com>`))
  // Whoever is known is known at once, however many mistakes came before.
  each.push(await say('RCPT TO:<alice@example.com>'))
  await session.closed()
  return each
}

test('ten unknown recipients are answered at once, each further one late (E14)', async () => {
  expect(await waits(12)).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1_000, 1_000, 0])
})
