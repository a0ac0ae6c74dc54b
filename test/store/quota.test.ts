import fs from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Address } from '../../src/mail/address.js'
import { fromBuffer, type Message } from '../../src/mail/message.js'
import { Maildirs } from '../../src/store/maildirs.js'
import { TrashSweeper } from '../../src/store/trash-sweeper.js'
import { silent } from '../../src/log/log.js'
import { filesIn, temporaryDirectory } from '../maildir/helpers.js'

const alice: Address = { local: 'alice', domain: 'example.com' }
const quota = { bytes: 10_000, messages: 100 }
const full = { code: 452, status: '4.2.2' }
const mail = (octets: number): Message => fromBuffer(Buffer.alloc(octets, 'x'))

function storeIn(root: string): Maildirs {
  return new Maildirs({
    home: (user) => join(root, user.local),
    roots: () => [root],
    host: 'mx.example',
    reserveBytes: 4096,
    keepsDeleted: () => true,
  })
}

const mailIn = (root: string): string[] => filesIn(join(root, 'alice/new'))

function warnings(root: string): string[] {
  const texts = mailIn(root).map((name) => fs.readFileSync(join(root, 'alice/new', name), 'latin1'))
  return texts.filter((text) => text.includes('Subject: Your mailbox is'))
}

describe('a quota', () => {
  test('refuses what does not fit, before and at delivery, and takes what does', async () => {
    const root = temporaryDirectory()
    const store = storeIn(root)
    await store.checkQuota(alice, quota, 10_000)
    await store.append(alice, mail(8000), quota)
    await store.checkQuota(alice, quota, 2000)
    await store.checkQuota(alice, quota, null)
    await expect(store.checkQuota(alice, quota, 2001)).rejects.toMatchObject(full)
    await expect(store.append(alice, mail(2001), quota)).rejects.toMatchObject(full)
    expect(mailIn(root)).toHaveLength(1)
    await store.append(alice, mail(900), quota)
    expect(mailIn(root)).toHaveLength(2)
    expect(filesIn(join(root, 'alice/tmp'))).toEqual([])
  })

  test('counts messages, too', async () => {
    const store = storeIn(temporaryDirectory())
    const one = { bytes: null, messages: 1 }
    await store.append(alice, mail(10), one)
    await expect(store.checkQuota(alice, one, null)).rejects.toMatchObject(full)
    await expect(store.append(alice, mail(10), one)).rejects.toMatchObject(full)
  })

  test('is not overrun by many who deliver at once', async () => {
    const root = temporaryDirectory()
    const store = storeIn(root)
    const small = { bytes: 5000, messages: null }
    const all = Array.from({ length: 50 }, () => store.append(alice, mail(1000), small))
    const results = await Promise.allSettled(all)
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(5)
  })

  test('has room again as soon as mail is deleted, which the trash does not count', async () => {
    const root = temporaryDirectory()
    const store = storeIn(root)
    await store.append(alice, mail(8500), quota)
    await expect(store.checkQuota(alice, quota, 5000)).rejects.toMatchObject(full)
    const mailbox = await store.open(alice)
    await mailbox.remove(mailbox.messages)
    expect(filesIn(join(root, 'alice/.Trash/cur'))).toHaveLength(1)
    await store.checkQuota(alice, quota, 5000)
  })

  test('room that a failed delivery had taken is given back', async () => {
    const store = storeIn(temporaryDirectory())
    const open = (): never => {
      throw new Error('the source broke')
    }
    const broken = { size: 9000, lines: 0, open }
    await expect(store.append(alice, broken, quota)).rejects.toThrow('broke')
    await store.append(alice, mail(8000), quota)
  })

  test('warns once when nine tenths are reached, and again after there was more room', async () => {
    const root = temporaryDirectory()
    const store = storeIn(root)
    await store.append(alice, mail(7000), quota)
    expect(warnings(root)).toEqual([])
    await store.append(alice, mail(2000), quota)
    const [text, ...others] = warnings(root)
    expect(others).toEqual([])
    expect(text).toMatch(/^Return-Path: <>\n/)
    expect(text).toContain('From: Mail server <postmaster@example.com>\nTo: <alice@example.com>\n')
    expect(text).toContain('Subject: Your mailbox is 90% full\n')
    await store.append(alice, mail(10), quota)
    expect(warnings(root)).toHaveLength(1)
    const mailbox = await store.open(alice)
    await mailbox.remove(mailbox.messages)
    await store.append(alice, mail(9100), quota)
    expect(warnings(root)).toHaveLength(1)
  })

  test('that cannot be counted stops no mail', async () => {
    const root = temporaryDirectory()
    const store = storeIn(root)
    await store.append(alice, mail(10))
    fs.mkdirSync(join(root, 'alice/maildirsize'))
    await store.append(alice, mail(10), quota)
    await expect(store.append(alice, mail(20_000), quota)).rejects.toMatchObject(full)
    const mailbox = await store.open(alice)
    expect(mailbox.messages).toHaveLength(2)
    await mailbox.remove(mailbox.messages)
    expect((await store.open(alice)).messages).toEqual([])
  })

  test('of another program is kept account of, not enforced', async () => {
    const root = temporaryDirectory()
    const store = storeIn(root)
    await store.append(alice, mail(10))
    const file = join(root, 'alice/maildirsize')
    fs.writeFileSync(file, '5S\n      10    1\n')
    await store.append(alice, mail(1234))
    expect(fs.readFileSync(file, 'latin1')).toBe('5S\n      10    1\n    1234    1\n')
  })
})

test('the trash of every mailbox is emptied by age, and other folders are not', async () => {
  const root = temporaryDirectory()
  const store = storeIn(root)
  const bob = { local: 'bob', domain: 'example.com' }
  for (const user of [alice, bob]) {
    await store.append(user, mail(10))
    const mailbox = await store.open(user)
    await mailbox.remove(mailbox.messages)
  }
  fs.mkdirSync(join(root, 'alice/.Sent/cur'), { recursive: true })
  fs.writeFileSync(join(root, 'alice/.Sent/cur/1.a.h:2,S'), 'x')
  fs.mkdirSync(join(root, '.users'))
  let keptMs: number | null = null
  const roots = (): string[] => [join(root, 'nowhere'), root]
  const sweeper = new TrashSweeper({ roots, keptMs: () => keptMs, log: silent })
  const left = (): number =>
    ['alice', 'bob'].flatMap((user) => filesIn(join(root, user, '.Trash/cur'))).length
  await sweeper.sweep()
  expect(left()).toBe(2)
  keptMs = 3_600_000
  await sweeper.sweep()
  expect(left()).toBe(2)
  keptMs = -2000
  await sweeper.sweep()
  expect(left()).toBe(0)
  expect(filesIn(join(root, 'alice/.Sent/cur'))).toEqual(['1.a.h:2,S'])
  await sweeper.start()
  await sweeper.stop()
})
