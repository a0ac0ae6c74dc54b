import { describe, expect, test } from 'vitest'
import { deriveScram, formatScram, newScramRecord, parseScram } from '../../src/cred/scram.js'

// Password and salt of RFC 7677 section 3.
const RECORD =
  'SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$' +
  'WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU='

describe('a SCRAM record', () => {
  test('is made from a password, a salt and a count', async () => {
    const salt = Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64')
    expect(formatScram(await deriveScram('pencil', { salt, iterations: 4096 }))).toBe(RECORD)
  })

  test('is read back as it was written', () => {
    expect(formatScram(parseScram(RECORD)!)).toBe(RECORD)
  })

  test('has a salt of its own each time, and costs what its time asks for', async () => {
    const [one, other] = [await newScramRecord('x'), await newScramRecord('x')]
    expect(one.salt.equals(other.salt)).toBe(false)
    expect(one.iterations).toBeGreaterThanOrEqual(100_000)
    expect(parseScram(formatScram(one))).toEqual(one)
  })

  test('is the same for two ways to type one password', async () => {
    const challenge = { salt: Buffer.alloc(16), iterations: 4096 }
    const [one, other] = ['gru\u0308n', 'gr\u00fcn'].map((text) => deriveScram(text, challenge))
    expect(await one).toEqual(await other)
  })

  test.each([
    '',
    '$argon2id$v=19',
    RECORD.replace('256', '1'),
    RECORD.replace('4096', '4095'),
    RECORD.replace('4096', '04096'),
    RECORD.replace('4096', '99999999'),
    RECORD.replace('4096', '4e5'),
    RECORD.replace('W22Z', 'W22-'),
    RECORD.replace('W22Z', 'W'.repeat(400)),
    RECORD.slice(0, -1),
    `${RECORD}=`,
    ` ${RECORD}`,
    `${RECORD}\n`,
  ])('is not %j', (text) => {
    expect(parseScram(text)).toBeNull()
  })
})
