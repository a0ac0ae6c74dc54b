import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Outcome } from '../../src/mail/outcome.js'
import { formatAddress } from '../../src/mail/address.js'
import { fromBuffer } from '../../src/mail/message.js'
import { addressOf, envelopeOf, mailIn, mailWorld } from '../helpers/mail-world.js'

const BODY = 'Subject: x\n\nhello\n'
const message = fromBuffer(Buffer.from(BODY))
const users = { alice: '!', bob: '!', 'two words': '!' }
const example = (aliases = '') => mailWorld({ domains: { 'example.com': { users, aliases } } })

const told = (outcomes: readonly Outcome[]): [string, string][] =>
  outcomes.map(({ to, refusal }) => [
    formatAddress(to),
    refusal === null ? 'delivered' : `${refusal.code} ${refusal.status}`,
  ])

describe('LocalCourier', () => {
  it('puts the trace of the final delivery before the message', async () => {
    const { courier, tree } = await example()
    const envelope = envelopeOf('Joe@far.example', 'ALICE@example.com')
    expect(told(await courier.deliver(envelope, message))).toEqual([
      ['ALICE@example.com', 'delivered'],
    ])
    expect(await mailIn(tree, 'example.com', 'alice')).toEqual([
      `Return-Path: <Joe@far.example>\nDelivered-To: alice@example.com\n${BODY}`,
    ])
  })

  it('writes the null sender and quoted local parts as paths', async () => {
    const { courier, tree } = await example()
    await courier.deliver(envelopeOf(null, '"two words"@example.com'), message)
    expect(await mailIn(tree, 'example.com', 'two words')).toEqual([
      `Return-Path: <>\nDelivered-To: "two words"@example.com\n${BODY}`,
    ])
  })

  it('gives a mailbox one copy, however many recipients lead to it', async () => {
    const { courier, tree } = await example('team: alice, bob\nsales: team, alice\n')
    const to = ['sales@example.com', 'alice@example.com', 'team@example.com']
    const outcomes = await courier.deliver(envelopeOf('joe@far.example', ...to), message)
    expect(told(outcomes)).toEqual(to.map((one) => [one, 'delivered']))
    expect(await mailIn(tree, 'example.com', 'alice')).toHaveLength(1)
    expect(await mailIn(tree, 'example.com', 'bob')).toHaveLength(1)
  })

  it('delivers to a long list, every mailbox once, with nothing in it that tells who else has it', async () => {
    const names = Array.from({ length: 40 }, (_, n) => `u${n}`)
    const { courier, tree } = await mailWorld({
      domains: {
        'example.com': {
          users: Object.fromEntries(names.map((name) => [name, '!'])),
          aliases: `all: ${names.join(', ')}\n`,
        },
      },
    })
    await courier.deliver(envelopeOf('joe@far.example', 'all@example.com'), message)
    for (const name of names) {
      const [mail, ...more] = await mailIn(tree, 'example.com', name)
      expect(mail).toBe('Return-Path: <joe@far.example>\nSubject: x\n\nhello\n')
      expect(more).toEqual([])
    }
  })

  it('tells of each recipient what became of it, in order', async () => {
    const { courier, tree } = await example('loop: pool\npool: loop\nteam: alice, bob\n')
    await symlink('/nowhere', join(tree.root, 'example.com', 'bob'))
    const to = ['bob', 'ghost', 'alice', 'loop', 'team'].map((local) => `${local}@example.com`)
    expect(told(await courier.deliver(envelopeOf('joe@far.example', ...to), message))).toEqual([
      ['bob@example.com', '451 4.2.0'],
      ['ghost@example.com', '550 5.1.1'],
      ['alice@example.com', 'delivered'],
      ['loop@example.com', '451 4.3.5'],
      ['team@example.com', '451 4.2.0'],
    ])
    expect(await mailIn(tree, 'example.com', 'alice')).toHaveLength(1)
  })

  it('says "later" to what it did not expect, and never throws', async () => {
    const { courier, tree } = await example()
    await writeFile(tree.userFile('example.com', 'eve'), 'hunter2\n')
    const broken = {
      ...message,
      open: (): never => {
        throw new TypeError('boom')
      },
    }
    const eve = envelopeOf(null, 'eve@example.com')
    expect(told(await courier.deliver(eve, message))).toEqual([['eve@example.com', '451 4.3.0']])
    const [outcome] = await courier.deliver(envelopeOf(null, 'alice@example.com'), broken)
    expect(outcome?.refusal?.temporary).toBe(true)
    expect(await mailIn(tree, 'example.com', 'alice')).toEqual([])
  })

  it('keeps domains apart', async () => {
    const { courier, tree } = await mailWorld({
      domains: { 'example.com': { users }, 'example.org': { users } },
    })
    await mkdir(join(tree.root, 'example.org', 'bob'), { mode: 0o700 })
    await courier.deliver(envelopeOf(null, 'alice@example.org'), message)
    expect(await mailIn(tree, 'example.com', 'alice')).toEqual([])
    expect(await mailIn(tree, 'example.org', 'alice')).toHaveLength(1)
    expect(addressOf('alice@example.org').domain).toBe('example.org')
  })
})
