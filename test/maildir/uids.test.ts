/** What must not change an id. Names that can come back have tests of their own. */
import fs from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { writeKeptUids } from '../../maildir/kept-uids.js'
import { list } from '../../maildir/maildir.js'
import { filesIn, maildirWith } from './helpers.js'

async function byBase(box: string): Promise<Map<string, string>> {
  return new Map((await list(box)).entries.map(({ base, uid }) => [base, uid]))
}

test.each([
  ['is too long', `1.${'l'.repeat(80)}`],
  ['has a space', '1.a b'],
  ['is fit', '1.a.h'],
])('sizes that come into a name change no id when its unique part %s', async (_, part) => {
  const box = maildirWith({ [`new/${part}`]: 'x\n' })
  const before = (await byBase(box)).get(part)
  expect(before).toMatch(/^[!-~]{1,70}$/)
  fs.renameSync(join(box, 'new', part), join(box, 'cur', `${part},S=2,W=3:2,S`))
  expect((await byBase(box)).get(`${part},S=2,W=3`)).toBe(before)
})

describe('of two messages with one unique part', () => {
  const first = '1.a.h,S=3'

  test.each([
    ['that clients know', true],
    ['that is older', false],
  ])('the one %s keeps its id', async (_, known) => {
    const box = maildirWith({ [`cur/${first}:2,S`]: 'xx\n' })
    if (known) await list(box)
    // Only who was listed has its id; else the times of the files decide.
    fs.utimesSync(join(box, `cur/${first}:2,S`), known ? 2e9 : 1e9, known ? 2e9 : 1e9)
    fs.writeFileSync(join(box, 'new/1.a.h'), 'x\n')
    const uids = await byBase(box)
    expect(uids.get(first)).toBe('1.a.h')
    expect(uids.get('1.a.h')).toMatch(/^[0-9a-f]{64}$/)
    expect(await byBase(box)).toEqual(uids)
  })

  test('the later one keeps its own when the first one goes, or comes back', async () => {
    const box = maildirWith({ [`cur/${first}:2,S`]: 'xx\n' })
    await list(box)
    fs.writeFileSync(join(box, 'new/1.a.h'), 'x\n')
    const uids = await byBase(box)
    fs.renameSync(join(box, `cur/${first}:2,S`), join(box, 'tmp/aside'))
    expect(await byBase(box)).toEqual(new Map([['1.a.h', uids.get('1.a.h')]]))
    fs.renameSync(join(box, 'new/1.a.h'), join(box, 'cur/1.a.h:2,S'))
    expect(await byBase(box)).toEqual(new Map([['1.a.h', uids.get('1.a.h')]]))
    fs.renameSync(join(box, 'tmp/aside'), join(box, `cur/${first}:2,S`))
    expect(await byBase(box)).toEqual(uids)
  })

  test('the first one keeps the id that another server gave it', async () => {
    const box = maildirWith({ [`cur/${first}:2,S`]: 'xx\n' })
    await writeKeptUids(box, new Map([['1.a.h', 'UID7-8']]))
    await list(box)
    fs.writeFileSync(join(box, 'new/1.a.h'), 'x\n')
    const uids = await byBase(box)
    expect(uids.get(first)).toBe('UID7-8')
    expect(uids.get('1.a.h')).toMatch(/^[0-9a-f]{64}$/)
    expect(await byBase(box)).toEqual(uids)
  })

  test('neither has the hash that the other one has, when the part is too long', async () => {
    const part = `1.${'l'.repeat(80)}`
    const box = maildirWith({ [`cur/${part},S=3:2,S`]: 'xx\n' })
    const before = await byBase(box)
    fs.writeFileSync(join(box, 'new', part), 'x\n')
    const uids = await byBase(box)
    expect(uids.get(`${part},S=3`)).toBe(before.get(`${part},S=3`))
    expect(new Set(uids.values()).size).toBe(2)
  })
})

const names = fc.constantFrom(
  '1.a.h',
  '1.a.h,S=1',
  '1.a.h,x',
  '1.a b',
  '1.a b,x',
  '2.c.h',
  '5',
  '5,x',
)
const KEPT = new Map([
  ['1.a.h', 'UID1'],
  ['1.a b,x', 'UID2'],
  ['5', 'UID3'],
])
const steps = fc.array(fc.tuple(fc.constantFrom('come', 'go', 'see'), names), { maxLength: 25 })

test('no message ever changes its id, or gets one that another had at that time', async () => {
  await fc.assert(
    fc.asyncProperty(steps, fc.boolean(), async (all, kept) => {
      const box = maildirWith()
      if (kept) await writeKeptUids(box, KEPT)
      const told = new Map<string, string>()
      let count = 0
      for (const [step, name] of all) {
        const there = filesIn(join(box, 'cur')).find((file) => file.split(':')[0] === name)
        if (step === 'come' && there === undefined) {
          fs.writeFileSync(join(box, 'cur', `${name}:2,`), `message ${count++}\n`)
        }
        if (step === 'go' && there !== undefined) {
          fs.unlinkSync(join(box, 'cur', there))
          told.delete(name)
        }
        if (step === 'see' && there?.endsWith(',') === true) {
          fs.renameSync(join(box, 'cur', there), join(box, 'cur', `${name}:2,S`))
        }
        const uids = await byBase(box)
        expect(new Set(uids.values()).size).toBe(uids.size)
        for (const [base, uid] of uids) expect([base, told.get(base) ?? uid]).toEqual([base, uid])
        for (const [base, uid] of uids) told.set(base, uid)
      }
    }),
    { numRuns: 60 },
  )
})
