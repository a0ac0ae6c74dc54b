/** The account in `maildirsize` where it is hard to keep: on a full disk, and among many writers. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { countNow } from '../../maildir/count-now.js'
import { Delivery, list, noteAdded, NOTHING, remove, usageOf } from '../../maildir/maildir.js'
import { parseSizes } from '../../maildir/size-text.js'
import type { Usage } from '../../maildir/usage.js'
import { empty, fill, maildirOn, smallDisk } from './disks.js'
import { contentAt, filesIn, letter, maildirWith } from './helpers.js'
import { program } from './program.js'

const LIBRARY = new URL('../../maildir/maildir.ts', import.meta.url).href
const quota = { bytes: 1e9, messages: 1e6 }
const sizes = (box: string): string => join(box, 'maildirsize')
const accountOf = (box: string): Usage | undefined =>
  parseSizes(fs.readFileSync(sizes(box), 'latin1'))?.usage

/** As a store delivers to somebody who has a quota. */
async function deliver(box: string, text: string): Promise<void> {
  const content = letter(text)
  expect(await usageOf(box, quota, NOTHING)).toEqual(countNow(box).usage)
  await new Delivery('h').deliver(box, content)
  await noteAdded(box, { bytes: content.size, messages: 1 })
}

/** Lists, reads and removes the only message, which is `text`. */
async function takeOut(box: string, text: string): Promise<void> {
  const listing = await list(box)
  expect(listing.entries).toHaveLength(1)
  expect(await contentAt(listing, 0)).toBe(text)
  expect(await remove(listing, listing.entries)).toEqual({ left: 0 })
}

describe('on a full disk', () => {
  test('mail comes and goes where there is no room for maildirsize', async (context) => {
    const disk = smallDisk()
    if (disk === null) return context.skip('only root can mount a small disk')
    const box = maildirOn(disk)
    fill(disk, 0)
    await expect(deliver(box, 'one\n')).rejects.toMatchObject({ code: 'ENOSPC' })
    expect(await usageOf(box, quota, NOTHING)).toEqual(NOTHING)
    fill(disk, 1)
    await new Delivery('h').deliver(box, letter('one\n'))
    await noteAdded(box, { bytes: 4, messages: 1 })
    expect(await usageOf(box, quota, NOTHING)).toEqual({ bytes: 4, messages: 1 })
    expect(await usageOf(box, { bytes: 3, messages: 1 }, NOTHING)).toEqual({
      bytes: 4,
      messages: 1,
    })
    expect(fs.existsSync(sizes(box))).toBe(false)
    await takeOut(box, 'one\r\n')
    expect(filesIn(join(box, 'tmp'))).toEqual([])
    empty(disk)
    await deliver(box, 'three\n')
    expect(accountOf(box)).toEqual({ bytes: 6, messages: 1 })
  })

  test('an account with no room for one more line is given up, and made anew', async (context) => {
    const disk = smallDisk()
    if (disk === null) return context.skip('only root can mount a small disk')
    const box = maildirOn(disk)
    // One line more needs another page.
    const line = '       0    0\n'
    const head = `${quota.bytes}S,${quota.messages}C\n`
    const text = head + line.repeat(Math.floor((4_096 - head.length) / line.length))
    fs.writeFileSync(sizes(box), text)
    fill(disk, 1)
    await deliver(box, 'four\n')
    expect(fs.existsSync(sizes(box))).toBe(false)
    expect(await usageOf(box, quota, NOTHING)).toEqual({ bytes: 5, messages: 1 })
    await takeOut(box, 'four\r\n')
    expect(filesIn(join(box, 'tmp'))).toEqual([])
    empty(disk)
    await deliver(box, 'fives\n')
    expect(accountOf(box)).toEqual({ bytes: 6, messages: 1 })
  })
})

/** A program that delivers and removes as a store and a session do, as often as that. */
const busy = (box: string, times: number): string => `
  import { noteAdded, usageOf } from ${JSON.stringify(LIBRARY)}
  const box = ${JSON.stringify(box)}
  const delivery = new Delivery('h' + process.pid)
  for (let n = 0; n < ${times}; n++) {
    await usageOf(box, ${JSON.stringify(quota)}, { bytes: 0, messages: 0 })
    const text = 'x'.repeat(n)
    await delivery.deliver(box, letter(text))
    await noteAdded(box, { bytes: n, messages: 1 })
    if (n % 3 !== 0) continue
    const listing = await list(box)
    const { left } = await remove(listing, listing.entries.slice(0, 2))
    if (left > 0) process.exit(1)
  }`

/** So many of those at once. */
async function run(box: string, processes: number, times: number): Promise<void> {
  const ends = Array.from({ length: processes }, () =>
    once(spawn(process.execPath, program(busy(box, times)), { stdio: 'inherit' }), 'exit'),
  )
  for (const [code] of await Promise.all(ends)) expect(code).toBe(0)
}

/** Debian's maildrop delivers, as often as that. */
async function deliverquota(box: string, times: number): Promise<void> {
  for (let n = 0; n < times; n++) {
    const child = spawn('deliverquota', [box], { stdio: ['pipe', 'inherit', 'inherit'] })
    child.stdin.end(`Subject: ${n}\n\nhello\n`)
    expect((await once(child, 'exit'))[0]).toBe(0)
  }
}

describe('among many writers', () => {
  test('while nobody counts anew it is exact', async () => {
    const box = maildirWith({ 'cur/1.a.h:2,S': 'there before' })
    await usageOf(box, quota, NOTHING)
    await run(box, 3, 60)
    expect(accountOf(box)).toEqual(countNow(box).usage)
    expect(filesIn(join(box, 'tmp'))).toEqual([])
  }, 60_000)

  test('it is exact with deliverquota among them', async (context) => {
    const missing = spawnSync('deliverquota').error !== undefined
    if (missing) return context.skip('deliverquota (package maildrop) is not installed')
    const box = maildirWith({ 'cur/1.a.h:2,S': 'there before' })
    await usageOf(box, quota, NOTHING)
    await Promise.all([run(box, 2, 60), deliverquota(box, 30), deliverquota(box, 30)])
    expect(accountOf(box)).toEqual(countNow(box).usage)
  }, 60_000)

  test('counted anew meanwhile it is never too small, and a last count is exact', async () => {
    const box = maildirWith()
    const line = '       0    0\n'
    // Full after some changes more.
    const text = `${quota.bytes}S,${quota.messages}C\n${line.repeat(300)}`
    fs.writeFileSync(sizes(box), text)
    await run(box, 3, 60)
    expect(fs.statSync(sizes(box)).size).toBeLessThan(text.length)
    const { usage } = countNow(box)
    const account = accountOf(box)!
    // Who delivered while another one counted may have added what was counted already.
    expect(account.messages).toBeGreaterThanOrEqual(usage.messages)
    expect(account.bytes).toBeGreaterThanOrEqual(usage.bytes)
    expect(await usageOf(box, quota, { bytes: quota.bytes, messages: 0 })).toEqual(usage)
    expect(accountOf(box)).toEqual(usage)
  }, 60_000)
})
