import { symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { fromBuffer } from '../../src/mail/message.js'
import { envelopeOf, mailIn, mailWorld } from '../helpers/mail-world.js'

const message = fromBuffer(Buffer.from('Subject: x\n\nhello\n'))

async function world() {
  const all = await mailWorld({
    domains: { 'example.com': { users: { alice: '!', bob: '!' }, aliases: 'loop: loop\n' } },
  })
  await symlink('/nowhere', join(all.tree.root, 'example.com', 'bob'))
  const put = (...locals: string[]) =>
    all.queue.put(envelopeOf(null, ...locals.map((local) => `${local}@example.com`)), message)
  return { ...all, put }
}

describe('DirectQueue', () => {
  it('gives a receipt when every recipient has the message', async () => {
    const { put, tree } = await world()
    expect(await put('alice', 'postmaster')).toEqual({ id: 'E1' })
    expect(await mailIn(tree, 'example.com', 'alice')).toHaveLength(1)
    expect(await mailIn(tree, 'example.com', 'postmaster')).toHaveLength(1)
  })

  it('refuses for good only if every recipient failed for good', async () => {
    const { put } = await world()
    await expect(put('ghost', 'nobody')).rejects.toMatchObject({ code: 550, status: '5.1.1' })
  })

  it('says "later" when one recipient may work later', async () => {
    const { put } = await world()
    await expect(put('ghost', 'bob')).rejects.toMatchObject({ code: 451, status: '4.2.0' })
    await expect(put('alice', 'loop')).rejects.toMatchObject({ code: 451, status: '4.3.5' })
  })

  it('says "later" when some have the message and others never will', async () => {
    const { put, tree } = await world()
    await expect(put('alice', 'ghost')).rejects.toMatchObject({ code: 451, status: '4.3.0' })
    expect(await mailIn(tree, 'example.com', 'alice')).toHaveLength(1)
  })
})
