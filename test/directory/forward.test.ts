import { writeFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import type { Target } from '../../src/directory/directory.js'
import type { Step } from '../../src/directory/names.js'
import { formatAddress } from '../../src/mail/address.js'
import { formatLmtpPlace } from '../../src/mail/lmtp-place.js'
import { Refusal } from '../../src/mail/refusal.js'
import { plant } from '../helpers/domain-tree.js'

const DOMAIN = 'example.com'

/** Users with files of these texts, beside alice, bob and carol who have nothing special. */
async function withFiles(files: Readonly<Record<string, string>>, aliases = '') {
  const users = { alice: '!', bob: '!', carol: '!' }
  const tree = await plant({ domains: { [DOMAIN]: { users, aliases } } })
  for (const [name, text] of Object.entries(files)) {
    await writeFile(tree.userFile(DOMAIN, name), text, { mode: 0o600 })
  }
  return async (local: string): Promise<string> => {
    try {
      const targets = await tree.directory.resolve({ local, domain: DOMAIN })
      return targets.map(asText).join(' ')
    } catch (error) {
      if (error instanceof Refusal) return `${error.code} ${error.status}`
      throw error
    }
  }
}

function asText(target: Target): string {
  if (target.kind === 'mailbox') return target.user.local
  if (target.kind === 'remote') return formatAddress(target.address)
  if (target.kind === 'lmtp') return `${target.to.local} at ${formatLmtpPlace(target.endpoint)}`
  return target.kind
}

describe('a user who forwards', () => {
  it('gets a copy only with keep', async () => {
    const of = await withFiles({
      alice: 'forward = ["bob@example.com", "Joe@elsewhere.example"]\n',
      carol: 'forward = ["bob@example.com"]\nkeep = true\n',
    })
    expect(await of('alice')).toBe('bob Joe@elsewhere.example')
    expect(await of('alice+x')).toBe('bob Joe@elsewhere.example')
    expect(await of('carol')).toBe('carol bob')
  })

  it('gets one by naming the own address, too', async () => {
    const of = await withFiles({
      alice: 'forward = ["ALICE@example.com", "bob@example.com"]\n',
      carol: 'forward = ["carol+kept@example.com", "bob@example.com"]\n',
    })
    expect(await of('alice')).toBe('alice bob')
    expect(await of('carol')).toBe('carol bob')
  })

  it('forwards through aliases and further forwards, each mailbox once', async () => {
    const of = await withFiles(
      { alice: 'forward = ["team@example.com"]\n', bob: 'forward = ["carol@example.com"]\n' },
      'team: bob, carol\n',
    )
    expect(await of('alice')).toBe('carol')
  })

  it('in a circle or to nobody makes the mail wait', async () => {
    const of = await withFiles({
      alice: 'forward = ["bob@example.com"]\n',
      bob: 'forward = ["alice@example.com"]\n',
      carol: 'forward = ["ghost@example.com"]\nkeep = true\n',
    })
    for (const local of ['alice', 'bob', 'carol']) expect(await of(local)).toBe('451 4.3.5')
  })

  it('gets nothing at all while disabled', async () => {
    const of = await withFiles({ alice: 'forward = ["bob@example.com"]\ndisabled = true\n' })
    expect(await of('alice')).toBe('550 5.2.1')
  })

  it('may be postmaster, who is there even if the forward leads nowhere', async () => {
    const of = await withFiles({ postmaster: 'forward = ["bob@example.com"]\n' })
    expect(await of('postmaster')).toBe('bob')
    const lost = await withFiles({ postmaster: 'forward = ["ghost@example.com"]\n' })
    expect(await lost('abuse')).toBe('postmaster')
  })
})

describe('a user with an LMTP server', () => {
  it('gets the mail there', async () => {
    const of = await withFiles({
      alice: 'deliver = "lmtp:unix:/run/alice"\n',
      bob: 'deliver = "lmtp:[::1]:24"\nforward = ["carol@example.com"]\nkeep = true\n',
    })
    expect(await of('alice+x')).toBe('alice at lmtp:unix:/run/alice')
    expect(await of('bob')).toBe('bob at lmtp:[::1]:24 carol')
  })
})

describe('whoever follows an address', () => {
  it('is told each step', async () => {
    const users = { alice: '!', bob: '!' }
    const aliases = 'sales: team, "|/bin/cat"\nteam: alice+x, bob\n'
    const tree = await plant({
      domains: { [DOMAIN]: { users, aliases, catchAll: 'sales@example.com' } },
      aliasDomains: { 'b.example': DOMAIN },
    })
    const steps: Step[] = []
    await tree.directory.resolve({ local: 'Who', domain: 'b.example' }, (step) => steps.push(step))
    const file = tree.aliasFile(DOMAIN)
    const told = steps.map(({ rule, depth, of, at }) => [
      rule,
      depth,
      of,
      at?.replace(file, 'f') ?? '',
    ])
    expect(told).toEqual([
      ['alias domain', 0, 'who@example.com', ''],
      ['catch-all', 0, 'sales@example.com', ''],
      ['alias', 0, 'sales@example.com', 'f:1'],
      ['alias', 1, 'team@example.com', 'f:2'],
      ['tag', 2, 'alice@example.com', ''],
      ['target', 2, 'alice@example.com', ''],
      ['target', 2, 'bob@example.com', ''],
      ['target', 1, 'sales@example.com', 'f:1'],
    ])
  })
})
