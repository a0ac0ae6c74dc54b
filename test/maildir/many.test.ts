/** A mailbox as nobody should have it: a hundred thousand messages, as our own deliveries name them. */
import fs from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { list } from '../../maildir/maildir.js'
import { finalName, UniqueNames } from '../../maildir/names.js'
import { maildirWith } from './helpers.js'

const MANY = 100_000
/** One of so many is moved. */
const MOVED = 500

test('ids of 100,000 messages are unique, fit for UIDL, and stay when some are moved (P8)', async () => {
  const box = maildirWith()
  const names = new UniqueNames('mail.example.com')
  const files = Array.from({ length: MANY }, () => finalName(names.next(), 0, 0))
  for (const file of files) fs.closeSync(fs.openSync(join(box, 'new', file), 'wx', 0o600))
  const before = (await list(box)).entries.map(({ uid }) => uid)
  expect(before).toHaveLength(MANY)
  expect(new Set(before).size).toBe(MANY)
  expect(before.every((uid) => /^[!-~]{1,70}$/.test(uid))).toBe(true)
  for (let at = 0; at < MANY; at += MOVED) {
    fs.renameSync(join(box, 'new', files[at]!), join(box, 'cur', `${files[at]!}:2,S`))
  }
  expect((await list(box)).entries.map(({ uid }) => uid)).toEqual(before)
})
