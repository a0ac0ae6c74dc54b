import { describe, expect, it } from 'vitest'
import { BadChecker, checkerTypes, makeChecker } from '../../src/checkers/checkers.js'
import { Slots } from '../../src/checkers/slots.js'
import { MemoryDirectory } from '../../src/directory/memory.js'
import { withPassword } from '../contracts/checker.js'

const parts = {
  directory: new MemoryDirectory({ users: { 'alice@example.com': 'x' } }),
  slots: new Slots(),
  secret: Buffer.alloc(32),
}

describe('makeChecker', () => {
  it('makes what every example names', () => {
    for (const { example, kinds, knowsUsers } of checkerTypes.values()) {
      const checker = makeChecker(example, parts)
      expect(checker.kinds).toEqual(kinds)
      expect(checker.users !== undefined).toBe(knowsUsers)
    }
  })

  it('makes a checker that works', async () => {
    const checker = makeChecker('directory', parts)
    expect(await checker.requestAvatarId(withPassword('alice', 'x'))).toBe('alice@example.com')
  })

  it.each(['radius', 'radius:host', '', ':x', 'constructor', 'Directory', 'directory '])(
    'refuses %j and lists the types',
    (spec) => {
      expect(() => makeChecker(spec, parts)).toThrow(BadChecker)
      expect(() => makeChecker(spec, parts)).toThrow(/there is: directory, file, /)
    },
  )

  it('refuses an argument where none is taken, even an empty one', () => {
    for (const spec of ['directory:x', 'directory:', 'directory:a\nb']) {
      expect(() => makeChecker(spec, parts)).toThrow(/takes no argument/)
    }
  })
})
