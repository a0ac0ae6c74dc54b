/**
 * pop3-lint against servers that are not ours: it finds the faults that they are known for, and
 * only those. What they are known for changes with their versions; these are Debian 12's.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect } from 'vitest'
import type { Security } from '../../src/pop3-lint/pop3-lint.js'
import { idsOf, lintOf } from '../helpers/lint-mailbox.js'
import {
  courier,
  dovecot,
  PEER_PASSWORD,
  type Peer,
  type PeerProgram,
  solid,
} from '../helpers/pop3-peers.js'
import { testUnless } from '../helpers/programs.js'

const PATIENCE_MS = 180_000

const NUMBERS = ['retr', 'list', 'uidl', 'top', 'dele'].flatMap((verb) => [
  `${verb}-no-such`,
  `${verb}-no-number`,
])

/** In CI a server that is missing is a failure; elsewhere, and without root, it is a skip. */
function testPeer(peer: PeerProgram, name: string, body: (folder: string) => Promise<void>): void {
  const missing = peer.missing()
  const rootless = process.getuid!() === 0 ? null : 'it has to be started as root'
  const inFolder = async (): Promise<void> => {
    if (missing !== null) throw new Error(missing)
    const folder = await mkdtemp(join(tmpdir(), 'mailtap-peer-'))
    await body(folder).finally(() => rm(folder, { recursive: true, force: true }))
  }
  const wanted = process.env['CI'] !== undefined
  testUnless((wanted ? null : missing) ?? rootless, name, inFolder, PATIENCE_MS)
}

async function faultsOf({ port, user }: Peer, security: Security = 'clear'): Promise<string[]> {
  const served = { port, user, password: PEER_PASSWORD, security, destructive: true }
  return idsOf(await lintOf(served), 'FAIL')
}

describe.concurrent('pop3-lint against', () => {
  for (const security of ['clear', 'stls'] as const) {
    testPeer(dovecot, `dovecot-pop3d, ${security}`, async (folder) => {
      const peer = await dovecot.start(folder)
      try {
        expect(await faultsOf(peer, security)).toEqual([
          'retr-octets',
          'retr-dots',
          'mail-first-dot',
          'lock',
        ])
      } finally {
        await peer.stop()
      }
    })
  }

  testPeer(courier, 'courier-pop', async (folder) => {
    const peer = await courier.start(folder)
    try {
      expect(await faultsOf(peer)).toEqual([
        'utf8-late',
        'retr-octets',
        'retr-dots',
        'mail-first-dot',
        'mail-crlf',
        ...NUMBERS,
        'top-no-lines',
        'lock',
        'pipelined-login',
      ])
    } finally {
      await peer.stop()
    }
  })

  testPeer(solid, 'solid-pop3d', async (folder) => {
    const peer = await solid.start(folder, ['no-newline', 'dot-no-newline'])
    try {
      expect(await faultsOf(peer)).toEqual(['mail-crlf', ...NUMBERS, 'top-no-lines', 'lock'])
    } finally {
      await peer.stop()
    }
  })

  testPeer(solid, 'solid-pop3d, which a mail without a final line end locks up', async (folder) => {
    const peer = await solid.start(folder)
    try {
      await expect(faultsOf(peer)).rejects.toThrow('message is damaged')
    } finally {
      await peer.stop()
    }
  })
})
