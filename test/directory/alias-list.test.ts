import { chmod, chown, mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { AliasLists, parseList } from '../../src/directory/alias-list.js'
import { reason } from '../../src/log/log.js'
import { formatAddress } from '../../src/mail/address.js'
import { Refusal } from '../../src/mail/refusal.js'
import { plant, temporaryDirectory } from '../helpers/domain-tree.js'

const DOMAIN = 'example.com'
const isRoot = process.getuid?.() === 0

/** A domain whose alias `all` is the list `members` in a directory beside it. */
async function withList(members: string) {
  const folder = await temporaryDirectory()
  const list = join(folder, 'members')
  await writeFile(list, members, { mode: 0o600 })
  const users = { alice: '!', bob: '!' }
  const aliases = `all: alice, :include:${list}\n`
  const tree = await plant({ domains: { [DOMAIN]: { users, aliases } } })
  const resolve = async (): Promise<string[]> => {
    const targets = await tree.directory.resolve({ local: 'all', domain: DOMAIN })
    return targets.flatMap((target) => {
      if (target.kind === 'mailbox') return formatAddress(target.user)
      return target.kind === 'remote' ? formatAddress(target.address) : target.kind
    })
  }
  const refusal = async (): Promise<string> => {
    try {
      return (await resolve()).join()
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      return `${error.code} ${error.status} ${reason(error.cause)}`
    }
  }
  return { folder, list, resolve, refusal }
}

describe('a list that an alias includes', () => {
  it('holds addresses, comments and further lists', async () => {
    const { folder, list, resolve } = await withList('')
    await writeFile(join(folder, 'more'), 'joe@elsewhere.example\n', { mode: 0o600 })
    await writeFile(list, `# friends\nbob, Alice\n\n:include:${folder}/more\n:include:${list}\n`)
    expect(await resolve()).toEqual([
      'alice@example.com',
      'bob@example.com',
      'joe@elsewhere.example',
    ])
  })

  it('is read anew after a change', async () => {
    const { list, resolve } = await withList('bob\n')
    expect(await resolve()).toEqual(['alice@example.com', 'bob@example.com'])
    await writeFile(list, 'joe@elsewhere.example\n')
    expect(await resolve()).toEqual(['alice@example.com', 'joe@elsewhere.example'])
  })

  it.each(['|/bin/sh', '"|/bin/cat"', '/var/mail/x', '/var/mail/', ':fail: no', ':blackhole:'])(
    'cannot hold %s',
    async (member) => {
      const { list, refusal } = await withList(`bob\n${member}\n`)
      expect(await refusal()).toMatch(`451 4.3.5 ${list}:2: a list holds nothing but addresses`)
    },
  )

  it('that is something else is never quoted', async () => {
    const { refusal } = await withList('root:$6$secret$hash:19000:0:99999:7:::\n')
    const told = await refusal()
    expect(told).toMatch(/^451 4\.3\.5 .*members:1: /)
    expect(told).not.toContain('secret')
  })

  it.each([0o602, 0o620])('is refused when others may write to it: mode %i', async (mode) => {
    const { list, refusal } = await withList('bob\n')
    await chmod(list, mode)
    expect(await refusal()).toMatch(/^451 4\.3\.5 .*\.aliases:1: :include:.*chmod go-w/)
    await chmod(list, 0o600)
    expect(await refusal()).toBe('alice@example.com,bob@example.com')
  })

  it.runIf(isRoot)('is refused when it belongs to somebody else', async () => {
    const { list, refusal } = await withList('bob\n')
    await chown(list, 65_534, 65_534)
    expect(await refusal()).toMatch(/^451 4\.3\.5 .*belongs neither to root nor/)
  })

  it('is refused when it is a link, a directory, too large or missing', async () => {
    const folder = await temporaryDirectory()
    const lists = new AliasLists()
    await symlink('/etc/hostname', join(folder, 'link'))
    await mkdir(join(folder, 'directory'))
    await writeFile(join(folder, 'large'), 'a\n'.repeat(262_145))
    const refused = { link: /ELOOP/, directory: /not a regular/, large: /larger/, none: /ENOENT/ }
    for (const [name, message] of Object.entries(refused)) {
      await expect(lists.read(join(folder, name))).rejects.toThrow(message)
    }
  })

  it('counts as a step, and its members as targets', async () => {
    const { folder, list, refusal } = await withList('')
    for (let n = 0; n < 12; n++) {
      await writeFile(join(folder, `l${n}`), `:include:${folder}/l${n + 1}\n`, { mode: 0o600 })
    }
    await writeFile(join(folder, 'l12'), 'bob\n', { mode: 0o600 })
    await writeFile(list, `:include:${folder}/l5\n`)
    expect(await refusal()).toBe('alice@example.com,bob@example.com')
    await writeFile(list, `:include:${folder}/l1\n`)
    expect(await refusal()).toMatch(/more than 10 aliases deep/)
    const many = Array.from({ length: 1_001 }, (_, n) => `u${n}@elsewhere.example\n`).join('')
    await writeFile(list, many)
    expect(await refusal()).toMatch(/more than 1000 addresses/)
  })

  it('tells the line of an open quote', () => {
    expect(() => parseList('a\n"b\n', 'f')).toThrow('f:2: a quote is not closed')
  })
})
