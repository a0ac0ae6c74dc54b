import { chown, lchown, lstat, mkdir, readdir, rmdir, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { BODY, courierWorld, isRoot, OWNER } from '../helpers/courier-world.js'
import { temporaryDirectory } from '../helpers/domain-tree.js'

async function makeMaildir(path: string, owner: number): Promise<void> {
  for (const part of ['', 'tmp', 'new', 'cur']) {
    await mkdir(join(path, part), { mode: 0o700 })
    if (isRoot) await chown(join(path, part), owner, owner)
  }
}

describe('a Maildir that an alias names', () => {
  it('gets one copy, with its trace', async () => {
    const { send, mailbox, here } = await courierWorld('box: HERE/box/\nboth: box, alice\n')
    await makeMaildir(join(here, 'box'), OWNER)
    expect(await send(['both', 'box'])).toEqual(['delivered', 'delivered'])
    expect(await mailbox('box')).toEqual([
      `Return-Path: <joe@far.example>\nDelivered-To: box@example.com\n${BODY}`,
    ])
    const [name = ''] = await readdir(join(here, 'box', 'new'))
    if (isRoot) expect((await lstat(join(here, 'box', 'new', name))).uid).toBe(OWNER)
    expect(await readdir(join(here, 'box', 'tmp'))).toEqual([])
  })

  it.runIf(!isRoot)('is made when it is missing', async () => {
    const { send, mailbox } = await courierWorld('box: HERE/box/\n')
    expect(await send('box')).toEqual(['delivered'])
    expect(await mailbox('box')).toHaveLength(1)
  })

  it.runIf(isRoot)('is written by root only if the owner of the domain has it', async () => {
    const outside = await temporaryDirectory()
    await makeMaildir(join(outside, 'box'), 0)
    const { send, here } = await courierWorld(
      `none: HERE/none/\nroots: HERE/roots/\npart: HERE/part/\nout: ${outside}/box/\nlink: HERE/link/\n`,
    )
    await makeMaildir(join(here, 'roots'), 0)
    await makeMaildir(join(here, 'part'), OWNER)
    await chown(join(here, 'part', 'cur'), 0, 0)
    await symlink(join(outside, 'box'), join(here, 'link'))
    const all = ['none', 'roots', 'part', 'out', 'link']
    expect(await send(all)).toEqual(all.map(() => '451 4.3.5'))
    expect(await readdir(join(outside, 'box', 'new'))).toEqual([])
  })

  it.runIf(isRoot).each(['tmp', 'new', 'cur'])(
    'whose %s is a link of its owner gets nothing, however large the mail is',
    async (part) => {
      const outside = await temporaryDirectory()
      const { send, here } = await courierWorld('box: HERE/box/\n')
      await makeMaildir(join(here, 'box'), OWNER)
      await rmdir(join(here, 'box', part))
      await symlink(outside, join(here, 'box', part))
      await lchown(join(here, 'box', part), OWNER, OWNER)
      let opened = false
      const open = async function* (): AsyncGenerator<Buffer> {
        opened = true
        yield Buffer.alloc(200_000, 'x')
      }
      const before = (await lstat(outside, { bigint: true })).mtimeNs
      expect(await send('box')).toEqual(['451 4.3.5'])
      expect(await send('box', { size: 200_000, lines: 0, open })).toEqual(['451 4.3.5'])
      expect(opened).toBe(false)
      expect((await lstat(outside, { bigint: true })).mtimeNs).toBe(before)
    },
  )
})

describe('an alias that discards', () => {
  it('takes the mail and says so in the log', async () => {
    const { send, lines } = await courierWorld('void: :blackhole:\nboth: alice, /dev/null\n')
    expect(await send(['void', 'both'])).toEqual(['delivered', 'delivered'])
    expect(lines).toEqual(
      ['void', 'both'].map((local) => `mail discarded {"id":"E1","of":"${local}@example.com"}`),
    )
  })
})

describe('an address elsewhere', () => {
  it('waits as long as there is no relay', async () => {
    const { send } = await courierWorld('far: alice, joe@elsewhere.example\n')
    expect(await send(['far', 'alice'])).toEqual(['451 4.3.5', 'delivered'])
  })
})
