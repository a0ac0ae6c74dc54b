/** The checker `dovecot` and a real Dovecot. */
import { describe, expect } from 'vitest'
import { faultContract, withPassword } from '../contracts/checker.js'
import { temporaryDirectory, plant } from '../helpers/domain-tree.js'
import { dovecotObstacle, startDovecotAuth } from '../helpers/dovecot-auth.js'
import { testUnless } from '../helpers/programs.js'
import { makeChecker } from '../../src/checkers/checkers.js'
import { badServer, check, parts, rubbish, silent } from './stage.js'

const ALICE = 'alice@example.com'

faultContract('the checker dovecot', {
  'is down': () => check('dovecot:/dev/null/none'),
  'says nothing': async () => check(`dovecot:127.0.0.1:${await badServer(silent)};timeout=1`),
  'says rubbish': async () => check(`dovecot:127.0.0.1:${await badServer(rubbish)};timeout=1`),
  'is of another version': async () => {
    const port = await badServer((socket) => socket.write('VERSION\t2\t0\nMECH\tPLAIN\nDONE\n'))
    return check(`dovecot:127.0.0.1:${port};timeout=1`)
  },
  'has a fault of its own': async () => {
    const port = await badServer((socket) => {
      socket.write('VERSION\t1\t2\nMECH\tPLAIN\tplaintext\nDONE\nFAIL\t1\tuser=alice\ttemp\n')
    })
    return check(`dovecot:127.0.0.1:${port};timeout=1`)
  },
})

describe('the checker dovecot', () => {
  testUnless(dovecotObstacle(), 'hears yes and no from a real Dovecot', async () => {
    const folder = await temporaryDirectory()
    const dovecot = await startDovecotAuth(folder, { user: ALICE, password: 'Wonderland ' })
    try {
      const tree = await plant({ domains: { 'example.com': { users: { alice: '!' } } } })
      const { directory } = tree
      const checker = makeChecker(`dovecot:${dovecot.socket}`, { ...parts, directory })
      const ask = (name: string, password: string) =>
        checker.requestAvatarId(withPassword(name, password))
      expect(await ask('Alice@Example.com', 'Wonderland ')).toBe(ALICE)
      expect(await ask(ALICE, 'Wonderland')).toBeNull()
      expect(await ask('bob@example.com', 'Wonderland ')).toBeNull()
      // Dovecot knows her; this server has no such user.
      const stranger = makeChecker(`dovecot:${dovecot.socket}`, parts)
      expect(await stranger.requestAvatarId(withPassword(ALICE, 'Wonderland '))).toBeNull()
    } finally {
      await dovecot.stop()
    }
  })
})
