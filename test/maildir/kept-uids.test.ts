import fs from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  formatKeptUids,
  type KeptUids,
  KeptUidsBroken,
  parseKeptUids,
  writeKeptUids,
} from '../../maildir/kept-uids.js'
import { Delivery, list } from '../../maildir/maildir.js'
import { letter, maildirWith } from './helpers.js'

const octets = fc.string({
  unit: fc.integer({ min: 1, max: 255 }).map((n) => String.fromCharCode(n)),
})
const keptUids = fc
  .uniqueArray(
    fc.tuple(
      octets.filter((key) => key !== ''),
      fc.stringMatching(/^[!-~]{1,127}$/),
    ),
    {
      selector: ([key]) => key,
    },
  )
  .map((all) => new Map(all.map(([key, uid]) => [key.slice(0, 200), uid])))
  .filter((kept) => new Set(kept.values()).size === kept.size)

const uidsIn = async (box: string): Promise<string[]> =>
  (await list(box)).entries.map(({ uid }) => uid)

describe('the file of kept ids', () => {
  test('says what was written, in its order, whatever the names are', () => {
    fc.assert(
      fc.property(keptUids, (kept) => {
        expect([...parseKeptUids(formatKeptUids(kept))]).toEqual([...kept])
      }),
    )
  })

  test('throws nothing but its own error, whatever is in it', () => {
    const lines = fc.array(fc.oneof(octets, fc.constantFrom('mailtap-uidl 1', 'a b', 'a%2 b', ' ')))
    fc.assert(
      fc.property(lines, fc.boolean(), (all, header) => {
        const text = `${header ? 'mailtap-uidl 1\n' : ''}${all.join('\n')}`
        try {
          parseKeptUids(text)
        } catch (error) {
          expect(error).toBeInstanceOf(KeptUidsBroken)
        }
      }),
    )
  })

  test('is not believed when any of it was cut off', () => {
    const text = formatKeptUids(
      new Map([
        ['1.a.h', 'x1'],
        ['2.b.h', 'x2'],
      ]),
    )
    for (let end = 0; end < text.length; end++) {
      const half = text.slice(0, end)
      // After a whole line nothing tells that there was another.
      if (/^mailtap-uidl 1\n(.*\n)*$/.test(half)) continue
      expect(() => parseKeptUids(half)).toThrow(KeptUidsBroken)
    }
  })

  test.each(['a x\na y\n', 'a x\nb x\n', 'a  x\n', 'a\n', `a ${'x'.repeat(128)}\n`, '%41 x\n'])(
    'refuses %j',
    (lines) => {
      expect(() => parseKeptUids(`mailtap-uidl 1\n${lines}`)).toThrow(KeptUidsBroken)
    },
  )
})

/** Not only as many as are read anyway: enough for an index. */
const MANY = 150

describe('a Maildir with kept ids', () => {
  const files = Object.fromEntries(
    Array.from({ length: MANY }, (_, n) => [`cur/${1000 + n}.m.h,S=1,W=2:2,S`, '\n'] as const),
  )
  const reversed: KeptUids = new Map(
    Array.from({ length: MANY }, (_, n) => [`${1000 + MANY - 1 - n}.m.h`, `old-${n}`] as const),
  )

  test('lists them under those, in their order, before all others', async () => {
    const box = maildirWith(files)
    fs.writeFileSync(join(box, 'new/5.early.h,W=2'), '\n')
    await writeKeptUids(box, reversed)
    expect(await uidsIn(box)).toEqual([...reversed.values(), '5.early.h'])
  })

  test('takes them up, and lets them go, whatever the index says', async () => {
    const box = maildirWith(files)
    // Old enough to be believed.
    await new Promise((resolve) => setTimeout(resolve, 50))
    const own = await uidsIn(box)
    expect(await uidsIn(box)).toEqual(own)
    await writeKeptUids(box, reversed)
    expect(await uidsIn(box)).toEqual([...reversed.values()])
    expect(await uidsIn(box)).toEqual([...reversed.values()])
    fs.unlinkSync(join(box, 'mailtap-uidl'))
    expect(await uidsIn(box)).toEqual(own)
  })

  test('keeps them when flags and sizes in names change', async () => {
    const box = maildirWith({ 'new/1.a.h': 'x\n' })
    await writeKeptUids(box, new Map([['1.a.h', 'UID7-8']]))
    fs.renameSync(join(box, 'new/1.a.h'), join(box, 'cur/1.a.h,S=2,W=3:2,FS'))
    expect(await uidsIn(box)).toEqual(['UID7-8'])
  })

  test('never gives an id twice, though a new name is like an old id', async () => {
    const box = maildirWith({ 'new/1.a.h': 'x', 'new/2.b.h': 'y' })
    await writeKeptUids(box, new Map([['1.a.h', '2.b.h']]))
    const [first, second] = await uidsIn(box)
    expect(first).toBe('2.b.h')
    expect(second).toMatch(/^[0-9a-f]{64}$/)
  })

  test('tells two messages with one unique part apart', async () => {
    const box = maildirWith({ 'new/1.a.h,S=1': 'x', 'new/1.a.h,S=2': 'yy' })
    await writeKeptUids(
      box,
      new Map([
        ['1.a.h,S=1', 'one'],
        ['1.a.h,S=2', 'two'],
      ]),
    )
    expect(await uidsIn(box)).toEqual(['one', 'two'])
  })

  test('puts new mail behind', async () => {
    const box = maildirWith(files)
    await writeKeptUids(box, reversed)
    await new Delivery('h').deliver(box, letter('new\n'))
    const uids = await uidsIn(box)
    expect(uids.slice(0, MANY)).toEqual([...reversed.values()])
    expect(uids).toHaveLength(MANY + 1)
  })

  test('is not served without them when they cannot be read', async () => {
    const box = maildirWith({ 'new/1.a.h': 'x' })
    fs.writeFileSync(join(box, 'mailtap-uidl'), 'mailtap-uidl 1\n1.a.h')
    await expect(list(box)).rejects.toThrow('mailtap-uidl: cut off')
    fs.unlinkSync(join(box, 'mailtap-uidl'))
    fs.symlinkSync('/etc/passwd', join(box, 'mailtap-uidl'))
    await expect(list(box)).rejects.toThrow('not a regular file')
  })
})
