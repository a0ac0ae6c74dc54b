import { describe, expect, it } from 'vitest'
import { MemoryChecker } from '../../src/checkers/memory.js'
import { checkerContract, withPassword, withSecret } from '../contracts/checker.js'

checkerContract('MemoryChecker', () => new MemoryChecker({ 'Alice@example.com': 'Wonderland ' }))

describe('MemoryChecker', () => {
  it('says no to whoever guesses what stands in for a missing password', async () => {
    const checker = new MemoryChecker({})
    expect(await checker.requestAvatarId(withPassword('a@b.example', '(nobody)'))).toBeNull()
    expect(await checker.requestAvatarId(withSecret('a@b.example', '(nobody)'))).toBeNull()
  })

  it('takes nothing but addresses for accounts', () => {
    expect(() => new MemoryChecker({ alice: 'x' })).toThrow(/not an address/)
  })
})
