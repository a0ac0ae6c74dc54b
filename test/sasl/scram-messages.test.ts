/** The grammar of RFC 5802 section 7, taken at its word. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseClientFinal, parseClientFirst } from '../../src/sasl/scram-messages.js'

const PROOF = Buffer.alloc(32, 7).toString('base64')
const first = (text: string) => parseClientFirst(Buffer.from(text))
const final = (text: string) => parseClientFinal(Buffer.from(text))

describe('a first message', () => {
  test.each([
    ['n,,n=user,r=abc', { flag: 'n', username: 'user', nonce: 'abc', header: 'n,,' }],
    ['y,a=u,n=u,r=abc', { flag: 'y', authorizeAs: 'u', header: 'y,a=u,', bare: 'n=u,r=abc' }],
    ['p=tls-exporter,,n=u,r=~!-+', { flag: 'p', bindingType: 'tls-exporter', nonce: '~!-+' }],
    ['n,,n=a=2Cb=3Dc,r=x', { username: 'a,b=c' }],
    ['n,,n=u,r=x,z=later,Q=1=2', { username: 'u', nonce: 'x', bare: 'n=u,r=x,z=later,Q=1=2' }],
  ])('%j is understood', (text, parts) => {
    expect(first(text)).toMatchObject(parts)
  })

  test.each([
    '',
    'n',
    'n,,',
    'n,,n=,r=x',
    'n,,n=u,r=',
    'n,,n=u',
    'n,,r=x,n=u',
    'n,n=u,r=x',
    'x,,n=u,r=x',
    'N,,n=u,r=x',
    'p=,,n=u,r=x',
    'p=a b,,n=u,r=x',
    'n,a=,n=u,r=x',
    'n,b=u,n=u,r=x',
    'n,,m=must,n=u,r=x',
    'n,,n=u,r=x,m=must',
    'n,,n=u=,r=x',
    'n,,n=u=2c,r=x',
    'n,,n=u=2,r=x',
    'n,,n=u=20,r=x',
    'n,,n=u,r=a b',
    'n,,n=u,r=ü',
    'n,,n=u,r=x,',
    'n,,n=u,r=x,zz=1',
    'n,,n=u,r=x,z=',
    'n,,n=u\0,r=x',
    'n,,n=u\n,r=x',
    `n,,n=${'u'.repeat(513)},r=x`,
    `n,,n=u,r=${'x'.repeat(2048)}`,
  ])('%j is none', (text) => {
    expect(first(text)).toBeNull()
  })

  test('must be UTF-8', () => {
    expect(parseClientFirst(Buffer.from('n,,n=\xfc,r=x', 'latin1'))).toBeNull()
  })

  test('that a client could write is read as it was meant', () => {
    const name = fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
      .filter((text) => first(`n,,n=${escaped(text)},r=x`) !== null)
    const nonce = fc.stringMatching(/^[!-+\--~]{1,40}$/)
    fc.assert(
      fc.property(name, nonce, (username, r) => {
        const parts = first(`n,a=${escaped(username)},n=${escaped(username)},r=${r}`)
        expect(parts).toMatchObject({ username, authorizeAs: username, nonce: r })
      }),
    )
  })

  test('is in two parts that are the whole, or none at all', () => {
    const piece = fc.constantFrom('n', 'y', 'p=', ',', 'a=', 'n=', 'r=', 'm=', '=2C', '=', 'x', 'é')
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const text = pieces.join('')
        const parts = first(text)
        if (parts !== null) expect(parts.header + parts.bare).toBe(text)
      }),
    )
  })
})

describe('a final message', () => {
  test('is understood, with what the proof covers', () => {
    expect(final(`c=biws,r=abc,z=1,p=${PROOF}`)).toMatchObject({
      nonce: 'abc',
      binding: Buffer.from('n,,'),
      proof: Buffer.alloc(32, 7),
      withoutProof: 'c=biws,r=abc,z=1',
    })
  })

  test.each([
    '',
    `c=biws,r=abc`,
    `c=,r=abc,p=${PROOF}`,
    `c=bi!s,r=abc,p=${PROOF}`,
    `c=biw,r=abc,p=${PROOF}`,
    `r=abc,c=biws,p=${PROOF}`,
    `c=biws,r=,p=${PROOF}`,
    `c=biws,r=abc,p=`,
    `c=biws,r=abc,p=${PROOF.slice(4)}`,
    `c=biws,r=abc,p=AAAA${PROOF}`,
    `c=biws,r=abc,p=${PROOF},z=1`,
    `c=biws,r=abc,m=1,p=${PROOF}`,
    `c=biws,r=abc,p=${PROOF}\n`,
    ` c=biws,r=abc,p=${PROOF}`,
  ])('%j is none', (text) => {
    expect(final(text)).toBeNull()
  })

  test('may be anything, and nothing breaks', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 3000 }), (bytes) => {
        parseClientFirst(Buffer.from(bytes))
        expect(parseClientFinal(Buffer.from(bytes))).toBeNull()
      }),
    )
  })
})

function escaped(name: string): string {
  return name.replaceAll('=', '=3D').replaceAll(',', '=2C')
}
