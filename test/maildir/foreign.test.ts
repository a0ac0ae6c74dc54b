import { createHash } from 'node:crypto'
import fs from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { knownToCourier, knownToCourierImap } from '../../maildir/courier-ids.js'
import { parseUidlFormat } from '../../maildir/dovecot-format.js'
import { knownToDovecot } from '../../maildir/dovecot-ids.js'
import { ForeignFault } from '../../maildir/foreign.js'
import { oldListing } from '../../maildir/old-listing.js'
import { maildirWith } from './helpers.js'

const md5 = (text: string): string => createHash('md5').update(text, 'latin1').digest('hex')
const noise = fc.string({
  unit: fc.integer({ min: 0, max: 255 }).map((n) => String.fromCharCode(n)),
})

/** Texts that are nearly right. */
function nearly(...lines: string[]): fc.Arbitrary<string> {
  const cut = fc.tuple(fc.constantFrom(...lines), fc.nat(40), noise)
  const line = fc.oneof(
    fc.constantFrom(...lines),
    cut.map(([text, at, more]) => text.slice(0, at) + more),
  )
  return fc.array(line).map((all) => all.join('\n'))
}

describe('dovecot-uidlist', () => {
  const HEADER = '3 V1275660208 N25022 G3085f01b7f11094c501100008c4a11c1'

  test('gives the ids of the default format', () => {
    const text = [
      HEADER,
      '25006 :1276528487.M364837P9451.kurkku,S=1355,W=1394:2,',
      '25017 W2481 S2430 :1276533073.M242911P3632.kurkku:2,F',
      '',
    ].join('\n')
    expect(knownToDovecot(text)).toEqual([
      { base: '1276528487.M364837P9451.kurkku,S=1355,W=1394', uid: '000061ae4c0907b0' },
      { base: '1276533073.M242911P3632.kurkku', uid: '000061b94c0907b0' },
    ])
  })

  test('gives ids that were saved before those of the format, in the order that was saved', () => {
    const text = `${HEADER}\n1 :a\n2 Pold-2 O2 :b:2,S\n3 O1 Pold-3 :c\n4 Gguid :d d:2,\n`
    expect(knownToDovecot(text, '%g')).toEqual([
      { base: 'c', uid: 'old-3' },
      { base: 'b', uid: 'old-2' },
      { base: 'a', uid: 'a' },
      { base: 'd d', uid: 'guid' },
    ])
  })

  test('reads version 1, and takes the later of two lines for one message', () => {
    expect(knownToDovecot('1 12 9\n3 a:2,S\n5 b\n', '%u.%v')).toEqual([
      { base: 'a', uid: '3.12' },
      { base: 'b', uid: '5.12' },
    ])
    expect(knownToDovecot(`${HEADER}\n1 :a\n2 :b\n3 :a:2,S\n`, '%u')).toEqual([
      { base: 'b', uid: '2' },
      { base: 'a', uid: '3' },
    ])
  })

  test.each([
    ['', 1],
    ['2 V1 N1', 1],
    ['3 N5', 1],
    ['3 V0 N5', 1],
    ['3 V5000000000 N5', 1],
    [`${HEADER}\n1 :a\n1 :b`, 3],
    [`${HEADER}\n0 :a`, 2],
    [`${HEADER}\n5000000000 :a`, 2],
    [`${HEADER}\n1 a`, 2],
    [`${HEADER}\n1 :a/b`, 2],
    [`${HEADER}\n1 :a\n\n`, 3],
    [`${HEADER}\n1 :${'a'.repeat(3000)}`, 2],
  ])('%j is refused, with the line', (text, line) => {
    expect(() => knownToDovecot(text)).toThrow(`dovecot-uidlist:${line}: `)
  })

  test('throws nothing but its own error, whatever is in it', () => {
    const text = nearly(HEADER, '1 :a', '7 W1 Px :b:2,S', '1 5 9', '9 file')
    fc.assert(
      fc.property(fc.oneof(text, noise), fc.oneof(noise, fc.constant('%08Xu')), (file, format) => {
        try {
          for (const { uid } of knownToDovecot(file, format)) expect(typeof uid).toBe('string')
        } catch (error) {
          expect(error).toBeInstanceOf(ForeignFault)
        }
      }),
    )
  })
})

describe('pop3_uidl_format', () => {
  const record = { base: '1.a.h,S=2', uid: 255, saved: null, guid: null, order: null }

  test.each([
    ['%08Xu%08Xv', '000000ff00000abc'],
    ['%Xu', 'ff'],
    ['%v-%u', '2748-255'],
    ['%v.%u', '2748.255'],
    ['UID%u-%v', 'UID255-2748'],
    ['%f', '1.a.h,S=2'],
    ['%g', '1.a.h,S=2'],
    ['%Mf', md5('1.a.h,S=2')],
    ['%05u%%', '00255%'],
    ['%{uid | hex(8)}%{uidvalidity | hex(8)}', '000000ff00000abc'],
    ['%{uid}.%{guid|md5}', `255.${md5('1.a.h,S=2')}`],
  ])('%s', (format, uid) => {
    expect(parseUidlFormat(format)(record, 2748)).toBe(uid)
  })

  test.each(['', '%', '%m', '%5u', '%{uid', '%{uid | reverse}', 'a b', '%u\n', 'x'.repeat(300)])(
    '%j is not understood',
    (format) => {
      expect(() => parseUidlFormat(format)).toThrow(ForeignFault)
    },
  )
})

describe('courierpop3dsizelist', () => {
  test('of each version gives the ids of its time', () => {
    const text = '/3 9 77\n20.b:2,S 12 3:1234567890:0\n3.a 12 2:0:1\n100.c 5 0:0:0\n'
    expect(knownToCourier(text)).toEqual([
      { base: '3.a', uid: 'UID2' },
      { base: '20.b', uid: 'UID3-1234567890' },
      { base: '100.c', uid: '100.c' },
    ])
    expect(knownToCourier('/2 9 77\n1.a,S=12:2,S 12 3:77\n')[0]!.uid).toBe('UID3-77')
    expect(knownToCourier('/1 9\n1.a 12 3\n')[0]!.uid).toBe('UID3')
    expect(knownToCourier("1.a 12\n1.b+'c 5\n").map(({ uid }) => uid)).toEqual([
      '1.a',
      '1.b+2B+27c',
    ])
  })

  test.each(['/4 1 1\n', '/2 1 1\n1.a 12\n', '/2 1 1\na/b 1 1:1\n', '/2 1 1\n\n'])(
    '%j is refused',
    (text) => {
      expect(() => knownToCourier(text)).toThrow(ForeignFault)
    },
  )

  test('is replaced by the list of IMAP where POP3 was never used', () => {
    expect(knownToCourierImap('1 77 9\n3 20.b:2,S\n4 3.a\n')).toEqual([
      { base: '3.a', uid: 'UID4-77' },
      { base: '20.b', uid: 'UID3-77' },
    ])
  })

  test('throws nothing but its own error, whatever is in it', () => {
    const text = nearly('/3 9 77', '/2 9 77', '/1 9', '1.a 12 3:4:0', '1.b 1', '2.c 1 5', '1 77 9')
    fc.assert(
      fc.property(fc.oneof(text, noise), (file) => {
        for (const read of [knownToCourier, knownToCourierImap]) {
          try {
            read(file)
          } catch (error) {
            expect(error).toBeInstanceOf(ForeignFault)
          }
        }
      }),
    )
  })
})

describe('an old listing', () => {
  const FILES = { 'new/30.c.h': 'c\nc\n', 'cur/20.b.h,S=2:2,S': 'b\n', 'cur/10.a.h:2,': 'a\r\n' }

  test('of qmail goes by the times of the files, and by names without flags', async () => {
    const box = maildirWith(FILES)
    for (const [at, place] of Object.keys(FILES).entries()) fs.utimesSync(join(box, place), at, at)
    expect((await oldListing(box, 'qmail')).known.map(({ uid, size }) => [uid, size])).toEqual([
      ['30.c.h', 6],
      ['20.b.h,S=2', 3],
      ['10.a.h', 3],
    ])
  })

  test('of Twisted goes by names, flags and all', async () => {
    const { known } = await oldListing(maildirWith(FILES), 'twisted')
    expect(known.map(({ uid }) => uid)).toEqual(['10.a.h:2,', '20.b.h,S=2:2,S', '30.c.h'].map(md5))
  })

  test('leaves out what is gone, and tells what clients have not seen', async () => {
    const box = maildirWith(FILES)
    fs.writeFileSync(join(box, 'dovecot-uidlist'), '3 V16 N9\n1 :gone\n2 :30.c.h\n')
    const { known, unknown } = await oldListing(box, 'dovecot')
    expect(known.map(({ uid, place }) => [uid, place])).toEqual([
      ['0000000200000010', 'new/30.c.h'],
    ])
    expect(unknown.map(({ base }) => base)).toEqual(['10.a.h', '20.b.h,S=2'])
  })

  test('needs the file that the server left', async () => {
    await expect(oldListing(maildirWith(FILES), 'dovecot')).rejects.toThrow(ForeignFault)
    await expect(oldListing(maildirWith(FILES), 'courier')).rejects.toThrow(ForeignFault)
  })
})
