/**
 * testssl.sh looks at both kinds of TLS that the server speaks (T8, T10). Only what is about
 * protocols, ciphers and renegotiation: all of it takes minutes, and the certificate is our own.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect } from 'vitest'
import { runProgram, testWith } from '../helpers/programs.js'
import { type RunningServer, Site } from '../helpers/site.js'

/** Protocols, categories of ciphers, renegotiation. */
const CHECKS = ['--protocols', '--std', '--renegotiation']
const TIMEOUT_MS = 180_000
/** As testssl.sh names them; a finding below is a remark. */
const BAD = ['MEDIUM', 'HIGH', 'CRITICAL', 'FATAL']

interface Finding {
  readonly id: string
  readonly severity: string
  readonly finding: string
}

let site: Site
let server: RunningServer
beforeAll(async () => {
  site = await Site.create()
  server = await site.start()
})
afterAll(() => site.remove())

async function findings(name: string, target: readonly string[]): Promise<Finding[]> {
  const file = join(site.folder, `${name}.json`)
  const quiet = ['--quiet', '--color', '0', '--warnings', 'off', '--jsonfile', file]
  const options = { home: site.folder, timeoutMs: TIMEOUT_MS }
  await runProgram('testssl', [...quiet, ...CHECKS, ...target], options)
  return JSON.parse(await readFile(file, 'utf8')) as Finding[]
}

describe.each([
  ['smtp', 'after STARTTLS', () => ['--starttls', 'smtp', `127.0.0.1:${server.port('smtp')}`]],
  ['pop3s', 'from the first byte', () => [`127.0.0.1:${server.port('pop3s')}`]],
] as const)('TLS of %s', (protocol, when, target) => {
  testWith(
    ['testssl'],
    `has nothing that testssl.sh finds fault with, ${when} (T8, T10)`,
    async () => {
      const all = await findings(protocol, target())
      expect(all.filter(({ severity }) => BAD.includes(severity))).toEqual([])
      const good = all.filter(({ severity }) => severity === 'OK').map(({ id }) => id)
      const old = ['SSLv2', 'SSLv3', 'cipherlist_NULL', 'cipherlist_aNULL', 'cipherlist_EXPORT']
      expect(good).toEqual(expect.arrayContaining([...old, 'TLS1_2', 'TLS1_3']))
      expect(good).toEqual(expect.arrayContaining(['secure_renego', 'secure_client_renego']))
    },
    TIMEOUT_MS,
  )
})
