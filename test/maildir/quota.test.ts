import fs from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { countNow } from '../../maildir/count-now.js'
import {
  Delivery,
  deleted,
  list,
  mayWarn,
  noteAdded,
  NOTHING,
  remove,
  undelete,
  usageOf,
} from '../../maildir/maildir.js'
import { parseSizes } from '../../maildir/size-text.js'
import { letter, maildirWith } from './helpers.js'

const quota = { bytes: 1000, messages: 10 }
const sizes = (box: string): string => join(box, 'maildirsize')
const textOf = (box: string): string => fs.readFileSync(sizes(box), 'latin1')
const HOUR = 3600

describe('how much a Maildir holds', () => {
  test('counts all folders but the trash, and nothing flagged as deleted', async () => {
    const box = maildirWith({
      'new/1.a.h': '12345',
      'cur/2.b.h,S=100:2,S': 'its name says 100',
      'cur/3.c.h,S=7,W=9:2,ST': 'deleted',
      'cur/.hidden': 'none',
      'tmp/4.d.h': 'not yet',
    })
    for (const folder of ['.Sent.2026', '.Trash']) {
      for (const part of ['new', 'cur']) fs.mkdirSync(join(box, folder, part), { recursive: true })
      fs.writeFileSync(join(box, folder, 'cur/9.x.h:2,'), '1234567')
    }
    fs.writeFileSync(join(box, '.notes'), 'a file, no folder')
    fs.symlinkSync(maildirWith({ 'new/1.a.h': 'elsewhere' }), join(box, '.Link'))
    expect(await usageOf(box, quota, NOTHING)).toEqual({ bytes: 112, messages: 3 })
    expect(textOf(box)).toBe('1000S,10C\n     112    3\n')
    expect(fs.statSync(sizes(box)).mode & 0o777).toBe(0o600)
    expect(fs.readdirSync(join(box, 'tmp'))).toEqual(['4.d.h'])
  })

  test('believes the file', async () => {
    const box = maildirWith({ 'new/1.a.h': '12345' })
    fs.writeFileSync(sizes(box), '1000S,10C\n     500    5\n     -16   -1\n')
    expect(await usageOf(box, quota, NOTHING)).toEqual({ bytes: 484, messages: 4 })
  })

  test.each([
    ['is for another quota', '2000S,10C\n     500    5\n'],
    ['is broken', '1000S,10C\nhello\n'],
    ['is empty', ''],
    [
      'has 5120 bytes',
      `1000S,10C\n${'           5    0\n'.repeat(400)}`.slice(0, 5119).concat('\n'),
    ],
  ])('counts when the file %s', async (_, text) => {
    const box = maildirWith({ 'new/1.a.h': '12345' })
    fs.writeFileSync(sizes(box), text)
    expect(await usageOf(box, quota, NOTHING)).toEqual({ bytes: 5, messages: 1 })
    expect(textOf(box)).toBe('1000S,10C\n       5    1\n')
  })

  test('that it is full is believed for 15 minutes, and only of one line', async () => {
    const box = maildirWith({ 'new/1.a.h': '12345' })
    const full = '1000S,10C\n    2000    5\n'
    fs.writeFileSync(sizes(box), full)
    expect(await usageOf(box, quota, NOTHING)).toEqual({ bytes: 2000, messages: 5 })
    fs.writeFileSync(sizes(box), `${full}       1    0\n`)
    expect(await usageOf(box, quota, NOTHING)).toEqual({ bytes: 5, messages: 1 })
    fs.writeFileSync(sizes(box), full)
    const before = Date.now() / 1000 - HOUR
    fs.utimesSync(sizes(box), before, before)
    expect(await usageOf(box, quota, NOTHING)).toEqual({ bytes: 5, messages: 1 })
    fs.writeFileSync(sizes(box), full)
    const after = Date.now() / 1000 + HOUR
    fs.utimesSync(sizes(box), after, after)
    expect(await usageOf(box, quota, NOTHING)).toEqual({ bytes: 5, messages: 1 })
    // Not full, but too full for what is to come.
    fs.writeFileSync(sizes(box), '1000S,10C\n     900    5\n       1    0\n')
    expect(await usageOf(box, quota, { bytes: 200, messages: 1 })).toEqual({
      bytes: 5,
      messages: 1,
    })
  })

  test.each([
    ['a link', (path: string) => fs.symlinkSync('/etc/passwd', path)],
    ['a directory', (path: string) => fs.mkdirSync(path)],
    ['a second name of another file', (path: string) => linkToOther(path)],
  ])('a maildirsize that is %s is left as it is or replaced, never followed', async (_, make) => {
    const box = maildirWith({ 'new/1.a.h': '12345' })
    make(sizes(box))
    expect(await usageOf(box, quota, NOTHING)).toEqual({ bytes: 5, messages: 1 })
    await noteAdded(box, { bytes: 3, messages: 1 })
    const other = join(box, '..', 'other')
    if (fs.existsSync(other)) expect(fs.readFileSync(other, 'latin1')).toBe('1000S,10C\n9 9\n')
  })

  test('a file that is full is not made longer', async () => {
    const box = maildirWith()
    const text = `1000S,10C\n${'           5    0\n'.repeat(400)}`
    fs.writeFileSync(sizes(box), text)
    await noteAdded(box, { bytes: 3, messages: 1 })
    expect(textOf(box)).toBe(text)
  })

  test('without the file there is no account to keep', async () => {
    const box = maildirWith()
    await noteAdded(box, { bytes: 3, messages: 1 })
    expect(fs.existsSync(sizes(box))).toBe(false)
  })

  test('a Maildir that cannot be counted says so', async () => {
    const box = maildirWith()
    fs.rmSync(join(box, 'new'), { recursive: true })
    fs.writeFileSync(join(box, 'new'), '')
    expect(
      await usageOf(join(box, 'nowhere'), quota, NOTHING).catch((e: unknown) => e),
    ).toMatchObject({
      code: 'ENOENT',
    })
  })

  test('a warning is due once, and again when it was emptier in between', async () => {
    const box = maildirWith({ 'new/1.a.h': 'x'.repeat(950) })
    expect(await mayWarn(box)).toBe(true)
    await usageOf(box, quota, NOTHING)
    expect(await mayWarn(box)).toBe(false)
    fs.unlinkSync(join(box, 'new/1.a.h'))
    fs.unlinkSync(sizes(box))
    await usageOf(box, quota, NOTHING)
    expect(await mayWarn(box)).toBe(true)
  })
})

function linkToOther(path: string): void {
  const other = join(path, '..', '..', 'other')
  fs.writeFileSync(other, '1000S,10C\n9 9\n')
  fs.linkSync(other, path)
}

type Step = 'deliver' | 'foreign' | 'remove' | 'trash' | 'undelete' | 'flag' | 'ask'
const steps = fc.array(
  fc.tuple(
    fc.constantFrom<Step>('deliver', 'foreign', 'remove', 'trash', 'undelete', 'flag', 'ask'),
    fc.nat(1000),
  ),
  { maxLength: 25 },
)

test('after whatever happened, the file adds up to what a count finds', async () => {
  const delivery = new Delivery('h')
  const big = { bytes: 1e9, messages: null }
  await fc.assert(
    fc.asyncProperty(steps, async (sequence) => {
      const box = maildirWith({ 'new/1.a.h': 'there before' })
      await usageOf(box, big, NOTHING)
      for (const [step, n] of sequence) await take(step, n, box)
      const sum = parseSizes(textOf(box))?.usage
      expect(sum).toEqual(countNow(box).usage)
    }),
    { numRuns: 40 },
  )

  async function take(step: Step, n: number, box: string): Promise<void> {
    const { entries, ...listing } = await list(box)
    const chosen = entries.filter((_, at) => (at + n) % 3 === 0)
    const all = { ...listing, entries }
    if (step === 'deliver') {
      const content = letter('x'.repeat(n))
      await delivery.deliver(box, content)
      await noteAdded(box, { bytes: content.size, messages: 1 })
    }
    if (step === 'foreign') {
      // As a program that keeps account would: a name without sizes.
      fs.writeFileSync(join(box, `cur/${1000 + n}.f${Math.random()}.h:2,S`), 'y'.repeat(n))
      fs.appendFileSync(sizes(box), `${n} 1\n`)
    }
    if (step === 'flag' && entries[0] !== undefined) {
      const place = entries[0].places[0]!
      fs.renameSync(join(box, place), join(box, `cur/${entries[0].base}:2,RS`))
    }
    if (step === 'remove') await remove(all, chosen)
    if (step === 'trash') await remove(all, chosen, true)
    if (step === 'undelete')
      undelete(
        box,
        [...deleted(box)].map(({ place }) => place),
      )
    if (step === 'ask') await usageOf(box, big, NOTHING)
  }
}, 120_000)
