import { chmod, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { RoutingCourier } from '../../src/courier/routing.js'
import { fromBuffer } from '../../src/mail/message.js'
import { BODY, courierWorld, DOMAIN } from '../helpers/courier-world.js'
import { envelopeOf } from '../helpers/mail-world.js'

const LATER = '451 4.3.0'

describe('a recipient with several places', () => {
  it('waits when only some of them refuse for good, and the log names those', async () => {
    const world = await courierWorld('team: alice, "|/bin/false secret"\nalso: team, bob\n')
    expect(await world.send(['team', 'also', 'alice'])).toEqual([LATER, LATER, 'delivered'])
    expect(await world.mailbox('alice')).toHaveLength(1)
    const errors = world.lines.filter((line) => line.startsWith('recipient served in part'))
    expect(errors).toHaveLength(2)
    expect(errors[0]).toContain('"to":"team@example.com","failed":"program /bin/false: ')
    expect(errors.join('')).not.toContain('secret')
  })

  it('is refused when all of them refuse for good', async () => {
    const { send, lines } = await courierWorld('team: "|/bin/false", "|/bin/false again"\n')
    expect(await send('team')).toEqual(['554 5.3.0'])
    expect(lines.join('\n')).not.toContain('in part')
  })

  it('waits without a word when one of them only fails for now', async () => {
    const { send, lines } = await courierWorld('team: alice, "|/bin/false", |/nowhere/x\n')
    expect(await send('team')).toEqual([LATER])
    expect(lines.join('\n')).not.toContain('in part')
  })
})

describe('an answer that is missing', () => {
  it.each([0, 1])('is "later", where a courier gave %d of two', async (given) => {
    const { tree } = await courierWorld('')
    const mailbox = { deliver: async () => Array<null>(given).fill(null) }
    const courier = new RoutingCourier(tree.directory, { mailbox })
    const to = ['alice', 'bob'].map((local) => `${local}@${DOMAIN}`)
    const outcomes = await courier.deliver(envelopeOf(null, ...to), fromBuffer(Buffer.from(BODY)))
    const codes = outcomes.map(({ refusal }) => refusal?.code ?? 'delivered')
    expect(codes).toEqual([...Array<string>(given).fill('delivered'), 451, 451].slice(0, 2))
  })
})

describe('a message for very many programs', () => {
  it('starts some of them, and the rest is "later"', async () => {
    const many = Array.from({ length: 20 }, (_, n) => `p${n}`)
    const aliases = many.map((name) => `${name}: "|HERE/script ${name}"\n`)
    const { send, here } = await courierWorld(aliases.join(''))
    await writeFile(join(here, 'script'), '#!/bin/sh\ncat > /dev/null; echo "$1" >> runs\n')
    await chmod(join(here, 'script'), 0o755)
    const told = await send(many)
    expect(told).toEqual(many.map((_, n) => (n < 16 ? 'delivered' : LATER)))
    const runs = (await readFile(join(here, 'runs'), 'utf8')).trim().split('\n')
    expect(runs.toSorted()).toEqual(many.slice(0, 16).toSorted())
  })
})
