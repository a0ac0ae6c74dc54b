/** Certificates of domains in a running server: chosen by name, taken up when their files change. */
import { X509Certificate } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { makeSelfSigned } from '../../src/net/self-signed.js'
import { runProgram, testWith } from '../helpers/programs.js'
import { DOMAIN, type RunningServer, Site } from '../helpers/site.js'

const NAME = 'mail.example.org'

let site: Site
let file: string
beforeEach(async () => {
  site = await Site.create()
  file = join(site.folder, 'own.pem')
  await site.configure(`[domains."${DOMAIN}".tls]\ncert = "own.pem"\nkey = "own.pem"`)
})
afterEach(() => site.remove())

/** Makes a certificate for that name. @returns its fingerprint */
async function certify(name = NAME): Promise<string> {
  const pem = await makeSelfSigned(name)
  await writeFile(file, pem, { mode: 0o600 })
  return new X509Certificate(pem).fingerprint256
}

/** The fingerprint of the certificate that a client gets who asks for that name. */
async function shown(target: readonly string[], name: string): Promise<string> {
  const args = ['s_client', '-servername', name, '-connect', ...target]
  const { stdout } = await runProgram('openssl', args, { input: 'QUIT\r\n' })
  const [pem = ''] = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/.exec(
    stdout.toString(),
  ) ?? ['']
  return new X509Certificate(pem).fingerprint256
}

const pop3s = (server: RunningServer): string[] => [`127.0.0.1:${server.port('pop3s')}`]
const smtp = (server: RunningServer): string[] => [
  `127.0.0.1:${server.port('smtp')}`,
  '-starttls',
  'smtp',
]

describe('the certificate of a domain', () => {
  testWith(['openssl'], 'is shown to those who ask for its name, and to nobody else', async () => {
    const own = await certify()
    const server = await site.start()
    for (const target of [pop3s(server), smtp(server)]) {
      expect(await shown(target, NAME)).toBe(own)
      expect(await shown(target, 'localhost')).not.toBe(own)
    }
  })

  testWith(['openssl'], 'is taken up when it is renewed, without a signal (T11)', async () => {
    await certify()
    const server = await site.start()
    const renewed = await certify()
    await server.says(/tls certificate renewed/)
    await expect.poll(() => shown(pop3s(server), NAME)).toBe(renewed)
  })

  test('is checked', async () => {
    const check = async () => (await site.command(['check'])).stderr
    await certify()
    expect(await check()).toMatch(/own\.pem: this certificate is self-signed/)
    await certify('192.0.2.1')
    expect(await check()).toMatch(/^mailtap: [^:]*own\.pem: no host name stands in/m)
    await writeFile(file, 'nonsense')
    expect(await check()).toMatch(/^mailtap: [^:]*own\.pem: not a TLS certificate/m)
    expect((await site.command(['run'])).stderr).toMatch(/own\.pem: not a TLS certificate/)
  })
})
