import { describe, expect, it } from 'vitest'
import { NEW_SCHEMES, newLogin, storedForm } from '../../src/checkers/new-login.js'
import { BadPassword, schemeOf, verifyPassword } from '../../src/checkers/passwords.js'

describe('storedForm', () => {
  it.each(NEW_SCHEMES.map((scheme) => [scheme]))(
    'makes %s, each time another one',
    async (scheme) => {
      const stored = await storedForm('pä$$ word', scheme)
      expect(schemeOf(stored)).not.toBeNull()
      expect(await verifyPassword(stored, 'pä$$ word')).toBe(true)
      expect(await verifyPassword(stored, 'pä$$ wort')).toBe(false)
      if (scheme !== 'plain') expect(await storedForm('pä$$ word', scheme)).not.toBe(stored)
    },
  )

  it('makes no bcrypt of a password of which not all would count', async () => {
    await expect(storedForm('x'.repeat(73), 'bcrypt')).rejects.toThrow(BadPassword)
    expect(await verifyPassword(await storedForm('x'.repeat(72), 'bcrypt'), 'x'.repeat(72))).toBe(
      true,
    )
  })

  it('makes keys of SCRAM beside every hash, and not beside what serves it anyway', async () => {
    expect((await newLogin('x', 'ssha512')).scram).toMatch(/^SCRAM-SHA-256\$/)
    expect((await newLogin('x', 'plain')).scram).toBeNull()
    expect((await newLogin('x', 'scram-sha-256')).scram).toBeNull()
  })
})
