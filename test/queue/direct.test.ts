import { symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { formatAddress } from '../../src/mail/address.js'
import { fromBuffer } from '../../src/mail/message.js'
import { envelopeOf, mailIn, mailWorld } from '../helpers/mail-world.js'

it('DirectQueue says of each recipient who has the message and who has not', async () => {
  const { queue, tree } = await mailWorld({
    domains: { 'example.com': { users: { alice: '!', bob: '!' }, aliases: 'loop: loop\n' } },
  })
  await symlink('/nowhere', join(tree.root, 'example.com', 'bob'))
  const asked = ['alice', 'postmaster', 'ghost', 'bob', 'loop']
  const envelope = envelopeOf(null, ...asked.map((local) => `${local}@example.com`))
  const outcomes = await queue.put(envelope, fromBuffer(Buffer.from('Subject: x\n\nhello\n')))
  expect(outcomes.map(({ to, refusal }) => [formatAddress(to), refusal?.status])).toEqual([
    ['alice@example.com', undefined],
    ['postmaster@example.com', undefined],
    ['ghost@example.com', '5.1.1'],
    ['bob@example.com', '4.2.0'],
    ['loop@example.com', '4.3.5'],
  ])
  expect(await mailIn(tree, 'example.com', 'alice')).toHaveLength(1)
  expect(await mailIn(tree, 'example.com', 'postmaster')).toHaveLength(1)
})
