import { rename, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { LoginInUse, LoginRefused, LoginUnavailable } from '../../src/cred/errors.js'
import { RemovalIncomplete } from '../../src/mail/mailbox.js'
import { fromBuffer } from '../../src/mail/message.js'
import { Refusal } from '../../src/mail/refusal.js'
import { MailRealm } from '../../src/realm/realm.js'
import { addressOf, envelopeOf, mailIn, mailWorld } from '../helpers/mail-world.js'

const ALICE = 'alice@example.com'
const message = fromBuffer(Buffer.from('Subject: x\n\nhello\n'))

async function world() {
  const all = await mailWorld({
    domains: { 'example.com': { users: { alice: '!', 'two words': '!' } } },
  })
  return { ...all, realm: new MailRealm(all) }
}

describe('the mailbox of a realm', () => {
  it('holds the mail of the one who logged in', async () => {
    const { realm, store } = await world()
    await store.append(addressOf(ALICE), message)
    const login = await realm.requestAvatar(ALICE, 'mailbox')
    expect(login.id).toBe(ALICE)
    const [mail] = login.avatar.messages
    expect(mail?.size).toBe(message.size + message.lines)
    await login.avatar.remove([mail!])
    await login.logout()
    const again = await realm.requestAvatar(ALICE, 'mailbox')
    expect(again.avatar.messages).toEqual([])
  })

  it('is found for ids whose local part is quoted', async () => {
    const { realm } = await world()
    const login = await realm.requestAvatar('"two words"@example.com', 'mailbox')
    expect(login.avatar.messages).toEqual([])
  })

  it('is had by one at a time, until the logout, which may come twice', async () => {
    const { realm } = await world()
    const first = await realm.requestAvatar(ALICE, 'mailbox')
    await expect(realm.requestAvatar('Alice@example.com', 'mailbox')).rejects.toThrow(LoginInUse)
    await first.logout()
    const second = await realm.requestAvatar(ALICE, 'mailbox')
    await first.logout()
    await expect(realm.requestAvatar(ALICE, 'mailbox')).rejects.toThrow(LoginInUse)
    await second.logout()
  })

  it('is not locked by a login that failed', async () => {
    const { realm, tree } = await world()
    const mailbox = join(tree.root, 'example.com', 'alice')
    await symlink('/nowhere', mailbox)
    for (let attempt = 0; attempt < 2; attempt++) {
      await expect(realm.requestAvatar(ALICE, 'mailbox')).rejects.toThrow(LoginUnavailable)
    }
    await rm(mailbox)
    expect((await realm.requestAvatar(ALICE, 'mailbox')).avatar.messages).toEqual([])
  })

  it('removes nothing after its lock was lost', async () => {
    const { realm, store, tree } = await world()
    await store.append(addressOf(ALICE), message)
    const login = await realm.requestAvatar(ALICE, 'mailbox')
    await login.logout()
    const removal = login.avatar.remove(login.avatar.messages)
    await expect(removal).rejects.toThrow(RemovalIncomplete)
    await expect(removal).rejects.toMatchObject({ left: 1 })
    expect(await mailIn(tree, 'example.com', 'alice')).toHaveLength(1)
  })

  it('goes to a newer login after a silence; the older one is told and removes nothing', async () => {
    const all = await world()
    await all.store.append(addressOf(ALICE), message)
    const realm = new MailRealm({ ...all, takeoverMs: () => 0 })
    const old = await realm.requestAvatar(ALICE, 'mailbox')
    let told = 0
    old.onRevoked?.(() => told++)
    const login = await realm.requestAvatar(ALICE, 'mailbox')
    expect(told).toBe(1)
    await expect(old.avatar.remove(old.avatar.messages)).rejects.toMatchObject({ left: 1 })
    await old.logout()
    await login.avatar.remove(login.avatar.messages)
    expect(await mailIn(all.tree, 'example.com', 'alice')).toHaveLength(0)
  })

  it('stays with a session that said something just now', async () => {
    const realm = new MailRealm({ ...(await world()), takeoverMs: () => 3_600_000 })
    const login = await realm.requestAvatar(ALICE, 'mailbox')
    login.touch?.()
    await expect(realm.requestAvatar(ALICE, 'mailbox')).rejects.toThrow(LoginInUse)
  })

  it.each(['', 'alice', 'alice@far.example', '../alice@example.com'])(
    'is refused to the id %j',
    async (id) => {
      const { realm } = await world()
      await expect(realm.requestAvatar(id, 'mailbox')).rejects.toThrow(LoginRefused)
    },
  )
})

const opening = envelopeOf(null)

describe('the sender of a realm', () => {
  const stranger = async () => {
    const all = await world()
    return { ...all, sender: (await all.realm.requestAvatar('', 'sender')).avatar }
  }
  const answer = (work: Promise<unknown>): Promise<unknown> =>
    work.then(
      () => 'yes',
      (error: unknown) => (error instanceof Refusal ? `${error.code} ${error.status}` : error),
    )

  it('lets a stranger reach local mailboxes and nothing else', async () => {
    const { sender } = await stranger()
    const asked = ['Alice@example.com', 'postmaster@example.com', 'ghost@example.com']
    const foreign = ['joe@far.example', 'alice@[127.0.0.1]', '"joe@far.example"@example.com']
    const answers = [...asked, ...foreign].map((to) =>
      answer(sender.checkTo(opening, addressOf(to))),
    )
    expect(await Promise.all(answers)).toEqual([
      'yes',
      'yes',
      '550 5.1.1',
      '550 5.7.1',
      '550 5.7.1',
      '550 5.1.1',
    ])
  })

  it('takes no mail for a full mailbox, however the client declares its size', async () => {
    const { sender, store, tree } = await stranger()
    const bob = addressOf('bob@example.com')
    await writeFile(tree.userFile('example.com', 'bob'), 'quota = "100"\n')
    expect(await answer(sender.checkTo({ ...opening, declaredSize: 100 }, bob))).toBe('yes')
    expect(await answer(sender.checkTo({ ...opening, declaredSize: null }, bob))).toBe('yes')
    expect(await answer(sender.checkTo({ ...opening, declaredSize: 101 }, bob))).toBe('452 4.2.2')
    await store.append(bob, fromBuffer(Buffer.alloc(100)), { bytes: 100, messages: null })
    expect(await answer(sender.checkTo({ ...opening, declaredSize: null }, bob))).toBe('452 4.2.2')
    // He must be reached whatever happens (RFC 5321 section 4.5.1).
    await writeFile(tree.userFile('example.com', 'postmaster'), 'quota = "1"\n')
    expect(
      await answer(
        sender.checkTo({ ...opening, declaredSize: 500 }, addressOf('postmaster@example.com')),
      ),
    ).toBe('yes')
  })

  it('does not call a user unknown when nobody can tell', async () => {
    const { sender, tree } = await stranger()
    await writeFile(tree.userFile('example.com', 'eve'), 'hunter2\n')
    const eve = await answer(sender.checkTo(opening, addressOf('eve@example.com')))
    expect(eve).toBeInstanceOf(Error)
    await rename(join(tree.root, 'example.com'), join(tree.root, 'unmounted'))
    expect(await answer(sender.checkTo(opening, addressOf(ALICE)))).toMatchObject({
      code: 'ENOENT',
    })
  })

  it('takes any reverse-path from a stranger and sends', async () => {
    const { sender, tree } = await stranger()
    for (const from of [null, addressOf('root@example.com'), addressOf('x@far.example')]) {
      expect(await answer(sender.checkFrom({ ...opening, from }))).toBe('yes')
    }
    expect(await answer(sender.checkRoom({ ...opening, declaredSize: 1_000 }))).toBe('yes')
    expect(
      await answer(sender.checkRoom({ ...opening, declaredSize: Number.MAX_SAFE_INTEGER })),
    ).toBe('452 4.3.1')
    expect(await sender.send(envelopeOf(null, ALICE), message)).toEqual([
      { to: addressOf(ALICE), refusal: null },
    ])
    expect(await mailIn(tree, 'example.com', 'alice')).toHaveLength(1)
  })

  it('speaks for a user who has logged in: from own addresses, to anybody here', async () => {
    const { realm, tree } = await world()
    const { avatar, id } = await realm.requestAvatar(ALICE, 'sender')
    expect(id).toBe(ALICE)
    const from = (text: string) => answer(avatar.checkFrom({ ...opening, from: addressOf(text) }))
    expect(await from('ALICE@example.com')).toBe('yes')
    expect(await from('bob@example.com')).toBe('553 5.7.1')
    expect(await from('alice@far.example')).toBe('553 5.7.1')
    expect(await answer(avatar.checkFrom(opening))).toBe('yes')
    const to = (text: string) => answer(avatar.checkTo(opening, addressOf(text)))
    expect(await to('postmaster@example.com')).toBe('yes')
    expect(await to('ghost@example.com')).toBe('550 5.1.1')
    expect(await to('joe@far.example')).toBe('550 5.7.1')
    expect(await avatar.send(envelopeOf(ALICE, ALICE), message)).toMatchObject([{ refusal: null }])
    expect(await mailIn(tree, 'example.com', 'alice')).toHaveLength(1)
  })

  it('lets a user send as anybody where that is the rule', async () => {
    const all = await world()
    const rules = { anySender: () => true, hostname: 'mail.example.com' }
    const realm = new MailRealm({ ...all, rules })
    const { avatar } = await realm.requestAvatar(ALICE, 'sender')
    const from = addressOf('bob@far.example')
    expect(await answer(avatar.checkFrom({ ...opening, from }))).toBe('yes')
  })

  it('is not for people who are not of here', async () => {
    const { realm } = await world()
    for (const id of ['joe@far.example', 'no address']) {
      await expect(realm.requestAvatar(id, 'sender')).rejects.toThrow(LoginRefused)
    }
  })
})
