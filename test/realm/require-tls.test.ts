import { expect, test } from 'vitest'
import type { Directory, Target } from '../../src/directory/directory.js'
import { parseLmtpPlace } from '../../src/mail/lmtp-place.js'
import { checkRecipient } from '../../src/realm/own-domains.js'
import { addressOf, envelopeOf, mailWorld } from '../helpers/mail-world.js'

test.each([
  ['lmtp:192.0.2.9:24', '5.7.30'],
  ['lmtp:127.0.0.1:24', 'yes'],
  ['lmtp:unix:/run/lmtp', 'yes'],
])('mail with REQUIRETLS for a user behind %s: %s (RFC 8689)', async (place, expected) => {
  const { store, queue } = await mailWorld({ domains: { 'example.com': {} } })
  const to = addressOf('alice@example.com')
  const target: Target = { kind: 'lmtp', endpoint: parseLmtpPlace(place)!, to }
  const directory = { resolve: async () => [target] } as unknown as Directory
  const parts = { directory, store, queue, filter: { name: 'none' } }
  const ask = (requireTls: boolean): Promise<string> =>
    checkRecipient(parts, { ...envelopeOf(null), requireTls }, to).then(
      () => 'yes',
      (error: { status: string }) => error.status,
    )
  expect(await ask(true)).toBe(expected)
  expect(await ask(false)).toBe('yes')
})
