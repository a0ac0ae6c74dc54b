import { createPrivateKey } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { relaxedBodyHash, relaxedField } from '../../src/dkim/relaxed.js'
import { signatureField, signatureOf } from '../../src/dkim/signature.js'
import { signedFields } from '../../src/dkim/signed-fields.js'
import { readHeader } from '../../src/mail/headers.js'
import { pemOf } from './key-stage.js'

/** The example of RFC 8463 appendix A. */
const EXAMPLE = {
  seed: 'nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=',
  fields: [
    ['From', ' Joe SixPack <joe@football.example.com>'],
    ['To', ' Suzie Q <suzie@shopping.example.net>'],
    ['Subject', ' Is dinner ready?'],
    ['Date', ' Fri, 11 Jul 2003 21:00:37 -0700 (PDT)'],
    ['Message-ID', ' <20030712040037.46341.5F8J@football.example.com>'],
  ],
  body: 'Hi.\n\nWe lost the game.  Are you hungry yet?\n\nJoe.\n',
  unsigned: [
    ' v=1; a=ed25519-sha256; c=relaxed/relaxed;',
    ' d=football.example.com; i=@football.example.com;',
    ' q=dns/txt; s=brisbane; t=1528637909; h=from : to :',
    ' subject : date : message-id : from : subject : date;',
    ' bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;',
    ' b=',
  ].join('\n'),
  signature:
    '/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11BusFa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==',
}
/** What stands before the 32 octets of a private key in DER (RFC 8410 section 7). */
const PKCS8 = '302e020100300506032b657004220420'

describe('a signature', () => {
  test('with the key of RFC 8463 appendix A over its message is the one that stands there', async () => {
    const { seed, fields, body, unsigned, signature } = EXAMPLE
    const der = Buffer.concat([Buffer.from(PKCS8, 'hex'), Buffer.from(seed, 'base64')])
    const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
    const bodyHash = await relaxedBodyHash([Buffer.from(body)], 0)
    expect(unsigned).toContain(`bh=${bodyHash.toString('base64')};`)
    const lines = fields.map(([name, value]) => {
      const field = relaxedField(name!, Buffer.from(value!))
      return `${field.toString()}\r\n`
    })
    const own = relaxedField('DKIM-Signature', Buffer.from(unsigned))
    const data = Buffer.from(lines.join('') + own.toString())
    const made = await signatureOf(data, { algorithm: 'ed25519', key })
    expect(made.toString('base64')).toBe(signature)
  })

  test('names the fields that nobody may add once more than they are there, and has no l=', async () => {
    const text = 'To: a@b.c\nX-Other: 1\nFrom: d@e.f\nreferences: <1@2>\nTo: g@h.i\n\n'
    const fields = signedFields((await readHeader([Buffer.from(text)])).fields)!
    expect(fields.names.join(' ')).toBe(
      'From From Reply-To To To To Cc Subject Date Message-ID MIME-Version Content-Type ' +
        'Content-Transfer-Encoding References',
    )
    expect(fields.canonical.toString()).toBe(
      'from:d@e.f\r\nto:g@h.i\r\nto:a@b.c\r\nreferences:<1@2>\r\n',
    )
    const signable = { domain: 'e.f', fields, bodyHash: Buffer.alloc(32), time: 1_700_000_000 }
    const key = { selector: 's1', algorithm: 'rsa', key: createPrivateKey(pemOf('rsa')) } as const
    const field = await signatureField(signable, key)
    const tags = new Map(
      field
        .slice(field.indexOf(':') + 1)
        .split(';')
        .map((tag) => [tag.split('=')[0]!.trim(), tag.slice(tag.indexOf('=') + 1)]),
    )
    expect([...tags.keys()]).toEqual(['v', 'a', 'c', 't', 'd', 's', 'h', 'bh', 'b'])
    expect(tags.get('t')).toBe('1700000000')
    expect(field.endsWith('\n')).toBe(true)
    // No line is longer than RFC 5322 section 2.1.1 would have it.
    expect(Math.max(...field.split('\n').map(({ length }) => length))).toBeLessThanOrEqual(78)
  })

  test('is not made over more fields than one can name', async () => {
    const text = 'To: a@b.c\n'.repeat(101)
    expect(signedFields((await readHeader([Buffer.from(text)])).fields)).toBe(null)
  })
})
