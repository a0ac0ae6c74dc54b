import { execFile } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { chmod, mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { type AddressInfo, type Server, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ConnectionOptions, TLSSocket, connect } from 'node:tls'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { makeSelfSigned } from '../../src/net/self-signed.js'
import { CertificateError, type CertificateFiles } from '../../src/net/certificate.js'
import { TlsContexts } from '../../src/net/tls.js'

let state: string
beforeEach(async () => {
  state = await mkdtemp(join(tmpdir(), 'mailtap-tls-'))
})
afterEach(() => rm(state, { recursive: true }))

/** A server with that one certificate. */
const only = (first: CertificateFiles | null) => ({ first, others: [] })

/** Writes a fresh key and certificate as two files. */
async function pair(name: string, hostname = 'mail.example.com') {
  const pem = await makeSelfSigned(hostname)
  const at = pem.indexOf('-----BEGIN CERTIFICATE')
  const files = { cert: join(state, `${name}.crt`), key: join(state, `${name}.key`) }
  await writeFile(files.key, pem.slice(0, at))
  await writeFile(files.cert, pem.slice(at))
  return files
}

interface Shown {
  readonly print: string
  readonly protocol: string | null
  readonly cipher: string
}

/** What a client sees of a server that uses the context of now. */
async function shown(contexts: TlsContexts, options: ConnectionOptions = {}): Promise<Shown> {
  const server = await serve(contexts)
  const client = dial(server, options)
  try {
    await once(client, 'secureConnect')
    return facts(client)
  } finally {
    client.destroy()
    server.close()
  }
}

/** As the wire does it: the socket gets its context at the handshake. */
async function serve(contexts: TlsContexts): Promise<Server> {
  const server = createServer((plain) => {
    new TLSSocket(plain, { isServer: true, secureContext: contexts.current.otherwise }).on(
      'error',
      () => {},
    )
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server
}

function dial(server: Server, options: ConnectionOptions): TLSSocket {
  const { port } = server.address() as AddressInfo
  return connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options })
}

function facts(client: TLSSocket): Shown {
  const print = client.getPeerX509Certificate()!.fingerprint256
  return { print, protocol: client.getProtocol(), cipher: client.getCipher().name }
}

const fingerprint = async (path: string): Promise<string> =>
  new X509Certificate(await readFile(path)).fingerprint256

const ownPem = (): string => join(state, 'tls', 'self-signed.pem')

describe('without a certificate', () => {
  test('one is made for the host name, P-256, for ten years, and only its owner can read it', async () => {
    await TlsContexts.open(only(null), state, 'mail.example.com')
    const made = new X509Certificate(await readFile(ownPem()))
    expect(made.subject).toBe('CN=mail.example.com')
    expect(made.subjectAltName).toBe('DNS:mail.example.com')
    expect(made.publicKey.asymmetricKeyDetails).toMatchObject({ namedCurve: 'prime256v1' })
    const years = (Date.parse(made.validTo) - Date.now()) / (365.25 * 86_400_000)
    expect(years).toBeGreaterThan(9.9)
    expect(years).toBeLessThan(10.1)
    expect(Date.parse(made.validFrom)).toBeLessThan(Date.now())
    expect((await stat(join(state, 'tls'))).mode & 0o777).toBe(0o700)
    expect((await stat(ownPem())).mode & 0o777).toBe(0o600)
    expect(await readdir(join(state, 'tls'))).toEqual(['self-signed.pem'])
  })

  test('OpenSSL itself is content with what was made', async () => {
    await TlsContexts.open(only(null), state, 'mail.example.com')
    const verify = ['verify', '-CAfile', ownPem(), '-verify_hostname', 'mail.example.com', ownPem()]
    const { stdout } = await promisify(execFile)('openssl', verify)
    expect(stdout.trim()).toBe(`${ownPem()}: OK`)
  })

  test('the same one is used again, also after a reload', async () => {
    const first = await TlsContexts.open(only(null), state, 'mail.example.com')
    const print = await fingerprint(ownPem())
    await first.reload(only(null))
    await TlsContexts.open(only(null), state, 'mail.example.com')
    expect(await fingerprint(ownPem())).toBe(print)
  })

  test('another host name, or a file that is no certificate, makes a new one', async () => {
    await TlsContexts.open(only(null), state, 'mail.example.com')
    await TlsContexts.open(only(null), state, 'mx.example.org')
    expect(new X509Certificate(await readFile(ownPem())).subjectAltName).toBe('DNS:mx.example.org')
    await writeFile(ownPem(), '')
    await TlsContexts.open(only(null), state, 'mx.example.org')
    expect(new X509Certificate(await readFile(ownPem())).subjectAltName).toBe('DNS:mx.example.org')
  })

  test.each([
    ['an address as host name stands there as one', '192.0.2.7', 'IP Address:192.0.2.7'],
    ['a host name may be longer than a common name', `${'a'.repeat(60)}.example.com`, null],
  ])('%s', async (_, hostname, expected) => {
    await TlsContexts.open(only(null), state, hostname)
    const made = new X509Certificate(await readFile(ownPem()))
    expect(made.subjectAltName).toBe(expected ?? `DNS:${hostname}`)
  })

  test('a state directory that cannot be written is named', async () => {
    await writeFile(join(state, 'tls'), 'a file in the way')
    await expect(TlsContexts.open(only(null), state, 'x.example')).rejects.toThrow(
      new RegExp(`^${state}/tls: cannot make a self-signed certificate`),
    )
  })
})

describe('a certificate from files', () => {
  test('is what clients see, and a new one after a reload, without new objects', async () => {
    const files = await pair('mail')
    const contexts = await TlsContexts.open(only(files), state, 'mail.example.com')
    expect((await shown(contexts)).print).toBe(await fingerprint(files.cert))

    const renewed = await pair('mail')
    await contexts.reload(only(files))
    expect((await shown(contexts)).print).toBe(await fingerprint(renewed.cert))
    expect(await readdir(state)).not.toContain('tls')
  })

  test('T11: a pair that is bad at a reload is refused, and the old one stays in use', async () => {
    const files = await pair('mail')
    const contexts = await TlsContexts.open(only(files), state, 'mail.example.com')
    const before = await fingerprint(files.cert)
    const other = await pair('other')
    await writeFile(files.cert, await readFile(other.cert))
    await expect(contexts.reload(only(files))).rejects.toThrow(/does not belong to the certificate/)
    await rm(files.key)
    await expect(contexts.reload(only(files))).rejects.toThrow(CertificateError)
    expect((await shown(contexts)).print).toBe(before)
  })

  test('that is not there, no PEM, a directory or too large is named, with what to do', async () => {
    const good = await pair('good')
    const bad = join(state, 'bad')
    const open = (files: { cert?: string; key?: string }) =>
      TlsContexts.open(only({ ...good, ...files }), state, 'mail.example.com')
    await expect(open({ cert: bad })).rejects.toThrow(
      `${bad}: cannot read the TLS certificate (ENOENT)`,
    )
    await expect(open({ key: bad })).rejects.toThrow(`${bad}: cannot read the TLS key (ENOENT)`)
    await expect(open({ key: state })).rejects.toThrow(`${state}: not a file`)
    await writeFile(bad, 'hello')
    await expect(open({ cert: bad })).rejects.toThrow(`${bad}: not a TLS certificate`)
    await expect(open({ key: bad })).rejects.toThrow(`${bad}: not a private key`)
    await writeFile(bad, Buffer.alloc(2_000_000))
    await expect(open({ cert: bad })).rejects.toThrow(`${bad}: not a file that could hold`)
  })

  test.skipIf(process.getuid?.() === 0)(
    'that must not be read is named (root may read all, so not as root)',
    async () => {
      const files = await pair('mail')
      await chmod(files.key, 0)
      await expect(TlsContexts.open(only(files), state, 'x')).rejects.toThrow(
        `${files.key}: cannot read`,
      )
    },
  )

  test('may stand in one file with its key', async () => {
    await mkdir(join(state, 'one'))
    const file = join(state, 'one', 'both.pem')
    await writeFile(file, await makeSelfSigned('mail.example.com'))
    const contexts = await TlsContexts.open(
      only({ cert: file, key: file }),
      state,
      'mail.example.com',
    )
    expect((await shown(contexts)).print).toBe(await fingerprint(file))
  })
})

describe('the terms of TLS', () => {
  test('T10: TLS 1.3 and 1.2 are spoken, 1.1 is not', async () => {
    const contexts = await TlsContexts.open(only(null), state, 'mail.example.com')
    expect((await shown(contexts)).protocol).toBe('TLSv1.3')
    expect((await shown(contexts, { maxVersion: 'TLSv1.2' })).protocol).toBe('TLSv1.2')
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' } as const
    await expect(shown(contexts, old)).rejects.toThrow(/alert|version|closed|reset/i)
  })

  test('the server chooses the cipher, whatever order the client gives', async () => {
    const contexts = await TlsContexts.open(only(null), state, 'mail.example.com')
    const ciphers = 'ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-GCM-SHA256'
    const { cipher } = await shown(contexts, { maxVersion: 'TLSv1.2', ciphers })
    expect(cipher).toBe('ECDHE-ECDSA-AES128-GCM-SHA256')
  })

  test('ciphers without forward secrecy or authentication are not spoken', async () => {
    const contexts = await TlsContexts.open(only(null), state, 'mail.example.com')
    const weak = { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-SHA:AES128-SHA' } as const
    await expect(shown(contexts, weak)).rejects.toThrow(/handshake/i)
  })

  test('T8: a client that asks to renegotiate is refused', async () => {
    const contexts = await TlsContexts.open(only(null), state, 'mail.example.com')
    expect(await renegotiation(contexts)).not.toBe('done')
  })
})

/** Asks a TLS 1.2 server for a renegotiation. @returns `done`, or why not */
async function renegotiation(contexts: TlsContexts): Promise<string> {
  const server = await serve(contexts)
  const client = dial(server, { maxVersion: 'TLSv1.2' })
  await once(client, 'secureConnect')
  const outcome = await new Promise<string>((resolve) => {
    client.once('error', (error) => resolve(error.message))
    client.once('close', () => resolve('closed'))
    client.renegotiate({ rejectUnauthorized: false }, (error) => resolve(error?.message ?? 'done'))
  })
  client.destroy()
  server.close()
  return outcome
}
