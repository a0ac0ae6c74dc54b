/** Which certificate a client gets (RFC 6066 section 3), and what happens when its files change. */
import { X509Certificate } from 'node:crypto'
import { chmod, cp, mkdtemp, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createSecureContext } from 'node:tls'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { type Fields, type Log, silent } from '../../src/log/log.js'
import { readCertificate } from '../../src/net/certificate.js'
import { Certificates } from '../../src/net/certificates.js'
import { makeSelfSigned } from '../../src/net/self-signed.js'
import { TlsContexts } from '../../src/net/tls.js'
import { Client } from '../helpers/client.js'
import { clientHello } from '../helpers/client-hello.js'
import { stage, until } from '../helpers/listener-stage.js'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mailtap-certificates-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

/** A new certificate for that name, as two files. */
async function pair(name: string, hostname: string) {
  const pem = await makeSelfSigned(hostname)
  const at = pem.indexOf('-----BEGIN CERTIFICATE')
  const files = { cert: join(folder, `${name}.crt`), key: join(folder, `${name}.key`) }
  await writeFile(files.key, pem.slice(0, at))
  await writeFile(files.cert, pem.slice(at))
  return files
}

const fingerprint = async (path: string): Promise<string> =>
  new X509Certificate(await readFile(path)).fingerprint256

/** A server with TLS from the first byte and those certificates. */
async function serving(contexts: TlsContexts) {
  const { listener } = await stage({ implicitTls: true, certificates: () => contexts.current })
  return {
    port: listener.port!,
    /** The fingerprint that a client sees who asks for that name. */
    seen: async (servername?: string): Promise<string> => {
      const client = await Client.to(listener.port!)
      const tls = await client.secure(servername === undefined ? {} : { servername })
      const { fingerprint256 } = tls.getPeerX509Certificate()!
      tls.destroy()
      return fingerprint256
    },
  }
}

describe('the name that a client asks for', () => {
  const context = () => createSecureContext()
  const [first, exact, wild] = [context(), context(), context()]
  const certificates = new Certificates({ context: first, names: ['mail.example.com'] }, [
    { context: exact, names: ['mail.example.org', 'mail.example.com'] },
    { context: wild, names: ['*.example.org', '*.sub.example.org'] },
  ])

  test.each([
    ['mail.example.com', first],
    ['mail.example.org', exact],
    ['MAIL.Example.ORG', exact],
    ['pop.example.org', wild],
    ['a.sub.example.org', wild],
    ['a.b.example.org', first],
    ['example.org', first],
    ['*.example.org', first],
    ['.example.org', first],
    ['pop.example.org.', first],
    ['org', first],
    ['', first],
    ['192.0.2.1', first],
    ['mail.example.org\0.example.com', first],
    ['__proto__', first],
  ])('%j gets the right certificate', (name, right) => {
    expect(certificates.choose(name) === right).toBe(true)
  })

  test('may be anything: there is always one for it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (name) => {
        expect([first, exact, wild]).toContain(certificates.choose(name))
      }),
    )
  })

  test('stands in the certificate, and only as a whole or with one star', async () => {
    const names = async (hostname: string) =>
      (await readCertificate(await pair('x', hostname))).names
    expect(await names('Mail.Example.ORG')).toEqual(['mail.example.org'])
    expect(await names('*.example.org')).toEqual(['*.example.org'])
    expect(await names('*.org')).toEqual([])
    expect(await names('m*.example.org')).toEqual([])
    expect(await names('mail.*.org')).toEqual([])
    expect(await names('192.0.2.1')).toEqual([])
  })
})

describe('a server with certificates for several names', () => {
  test('shows each client that of the name it asks for', async () => {
    const own = await pair('own', 'mail.example.com')
    const org = await pair('org', 'mail.example.org')
    const wild = await pair('wild', '*.example.org')
    const contexts = await TlsContexts.open({ first: own, others: [org, wild] }, folder, 'x')
    const { seen } = await serving(contexts)
    expect(await seen('mail.example.org')).toBe(await fingerprint(org.cert))
    expect(await seen('pop.example.org')).toBe(await fingerprint(wild.cert))
    expect(await seen('elsewhere.example.net')).toBe(await fingerprint(own.cert))
    expect(await seen()).toBe(await fingerprint(own.cert))
  })

  test('does not begin with one that names no host', async () => {
    const own = await pair('own', 'mail.example.com')
    const nameless = await pair('nameless', '192.0.2.1')
    await expect(TlsContexts.open({ first: own, others: [nameless] }, folder, 'x')).rejects.toThrow(
      `${nameless.cert}: no host name stands in this certificate's subjectAltName`,
    )
  })

  test.each([
    ['300 bytes', Buffer.alloc(300, 'a')],
    ['a NUL', Buffer.from('\0')],
    ['a\\\\\\0', Buffer.from('a\\\0')],
    ['an address', Buffer.from('127.0.0.1')],
    ['an emoji', Buffer.from('📮.example.org')],
    ['nothing', Buffer.alloc(0)],
    ['bytes that are no text', Buffer.from([0xff, 0xfe, 0xc0, 0x80])],
    ['15,000 bytes', Buffer.alloc(15_000, 'b')],
  ])('T9: outlives a client that asks for %s', async (_, name) => {
    const own = await pair('own', 'mail.example.com')
    const org = await pair('org', 'mail.example.org')
    const contexts = await TlsContexts.open({ first: own, others: [org] }, folder, 'x')
    const { port, seen } = await serving(contexts)
    const strange = await Client.to(port)
    strange.send(clientHello(name))
    // An alert, or the answer of a server that goes on with its own certificate.
    await until(() => strange.heard.length > 0 || strange.ended)
    if (strange.heard.length > 0) expect(strange.heard.charCodeAt(0)).toBeOneOf([0x15, 0x16])
    strange.socket.destroy()
    expect(await seen('mail.example.org')).toBe(await fingerprint(org.cert))
  })
})

describe('files that change while the server runs (T11)', () => {
  /** Contexts that look at their files all the time, and what they tell. */
  async function watched(hostname = 'mail.example.org') {
    const own = await pair('own', 'mail.example.com')
    const org = await pair('org', hostname)
    const contexts = await TlsContexts.open({ first: own, others: [org] }, folder, 'x')
    const told: (Fields & { event: string })[] = []
    const tell = (event: string, fields: Fields = {}): void => void told.push({ event, ...fields })
    const log: Log = { ...silent, info: tell, error: tell }
    contexts.watch(log, 10)
    onTestFinished(() => contexts.close())
    return { own, org, contexts, told, ...(await serving(contexts)) }
  }

  test('are taken up, and connections go on', async () => {
    const { own, org, told, seen } = await watched()
    const before = await fingerprint(own.cert)
    await pair('org', 'mail.example.org')
    await until(() => told.some(({ event }) => event === 'tls certificate renewed'))
    const renewed = await fingerprint(org.cert)
    await expect.poll(() => seen('mail.example.org')).toBe(renewed)
    expect(await seen('mail.example.com')).toBe(before)
  })

  test('may be symbolic links that are turned to new files', async () => {
    const { own, told, seen } = await watched()
    const other = await pair('other', 'mail.example.com')
    for (const kind of ['key', 'cert'] as const) {
      await symlink(other[kind], `${own[kind]}.new`)
      await rename(`${own[kind]}.new`, own[kind])
    }
    await until(() => told.some(({ event }) => event === 'tls certificate renewed'))
    await expect.poll(() => seen('mail.example.com')).toBe(await fingerprint(other.cert))
  })

  test('that do not fit leave the old pair in use, told once, until they do', async () => {
    const { own, told, seen } = await watched()
    const before = await seen('mail.example.com')
    const other = await pair('other', 'mail.example.com')
    await cp(other.cert, `${own.cert}.new`)
    await rename(`${own.cert}.new`, own.cert)
    await until(() => told.length > 0)
    // Many looks later it is still one complaint.
    await new Promise((resolve) => setTimeout(resolve, 200))
    expect(told).toHaveLength(1)
    expect(told[0]).toMatchObject({ event: 'tls certificate not renewed', kept: true })
    expect(told[0]!['reason']).toContain('does not belong to the certificate')
    expect(await seen('mail.example.com')).toBe(before)
    await rename(other.key, own.key)
    await until(() => told.length > 1)
    expect(told[1]).toMatchObject({ event: 'tls certificate renewed', cert: own.cert })
    await expect.poll(() => seen('mail.example.com')).toBe(await fingerprint(other.cert))
  })

  test.each([
    ['half written', (path: string) => writeFile(path, '-----BEGIN CERTIFICATE-----\nMIIB')],
    ['empty', (path: string) => writeFile(path, '')],
    ['gone', (path: string) => rm(path)],
    [
      'a directory',
      async (path: string) => {
        await rm(path)
        await mkdtemp(path).then((made) => rename(made, path))
      },
    ],
  ])('and are %s leave the old pair in use', async (_, damage) => {
    const { org, told, seen } = await watched()
    const before = await seen('mail.example.org')
    await damage(org.cert)
    await until(() => told.length > 0)
    expect(told[0]!.event).toBe('tls certificate not renewed')
    expect(await seen('mail.example.org')).toBe(before)
  })

  test('and lose all names leave the old pair in use', async () => {
    const { org, told, seen } = await watched()
    const before = await seen('mail.example.org')
    await pair('org', '192.0.2.1')
    await until(() => told.some(({ reason }) => String(reason).includes('subjectAltName')))
    expect(await seen('mail.example.org')).toBe(before)
    await chmod(org.cert, 0o600)
  })
})
