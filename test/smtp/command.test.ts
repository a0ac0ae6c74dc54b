import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseCommand } from '../../src/smtp/command.js'

describe('a command', () => {
  it('is a word and what follows it, without the blanks around', () => {
    expect(parseCommand('noop')).toEqual({ verb: 'NOOP', argument: '' })
    expect(parseCommand('RCPT   TO:<a@b>  ')).toEqual({ verb: 'RCPT', argument: 'TO:<a@b>' })
    for (const text of ['', ' NOOP', 'X-1', '1', 'MAIL\tx']) expect(parseCommand(text)).toBeNull()
  })

  it('keeps every blank within the argument', () => {
    const argument = fc.string().map((text) => `a${text}b`)
    fc.assert(
      fc.property(argument, fc.nat(20), (text, blanks) => {
        const padded = `VRFY ${' '.repeat(blanks)}${text}${' '.repeat(blanks)}`
        expect(parseCommand(padded)).toEqual({ verb: 'VRFY', argument: text })
      }),
    )
  })

  it('is read in one go, whatever is blank in it', () => {
    const blanks = ' '.repeat(1_000_000)
    expect(parseCommand(`A x${blanks}y`)?.argument).toHaveLength(blanks.length + 2)
  })
})
