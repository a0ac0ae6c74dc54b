import { execFileSync } from 'node:child_process'
import { createHash, X509Certificate } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { makeSelfSigned } from '../../src/net/self-signed.js'
import type { Hop, TlsaRecord, TlsDemand } from '../../src/relay/hop.js'
import { temporaryDirectory } from '../helpers/domain-tree.js'
import { scriptedServer, type ScriptOptions } from '../helpers/smtp-script.js'
import { connectionsFor, handed, hopTo, inShort, MESSAGE, workFor } from './hop-stage.js'

const EHLO = '250-mx.test\r\n250 STARTTLS'
const own = await makeSelfSigned('mx.test')
const certificateOf = (pem: string): X509Certificate => new X509Certificate(pem)
const verify = (ca: string | null, ...names: string[]): TlsDemand => ({ kind: 'verify', names, ca })

/** @returns what came of it, and what the server heard */
async function over(tls: TlsDemand, options: ScriptOptions = {}, more: Partial<Hop> = {}) {
  const server = await scriptedServer({ pem: own, ...options, script: { EHLO, ...options.script } })
  const [outcome = ''] = await handed(hopTo(server.port, { tls, ...more }))
  return { outcome, server }
}

/** An authority of our own and what it has signed, the chain in one text with its key. */
async function chain(days: number, names: string) {
  const folder = await temporaryDirectory()
  const openssl = (...args: string[]) =>
    execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' })
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
  openssl(
    'req',
    '-x509',
    ...key,
    '-keyout',
    'ca.key',
    '-out',
    'ca.pem',
    '-days',
    '9',
    '-subj',
    '/CN=authority',
  )
  openssl('req', ...key, '-keyout', 'key.pem', '-out', 'csr.pem', '-subj', '/CN=mx.test')
  await writeFile(join(folder, 'names'), `subjectAltName=${names}\n`)
  const signing = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-extfile', 'names']
  openssl('x509', '-req', '-in', 'csr.pem', ...signing, '-days', String(days), '-out', 'cert.pem')
  const [secret, cert, ca] = await Promise.all(
    ['key.pem', 'cert.pem', 'ca.pem'].map((name) => readFile(join(folder, name), 'utf8')),
  )
  return { pem: `${secret}${cert}${ca}`, own: `${secret}${cert}`, ca: ca!, cert: cert! }
}

describe('TLS to another server', () => {
  it.each<[string, TlsDemand]>([
    ['may be', { kind: 'may' }],
    ['must be', { kind: 'encrypt' }],
    ['must be with its name', verify(own, 'other.test', 'MX.test')],
  ])('that %s is used, and nothing of the mail goes in clear', async (_, tls) => {
    const { outcome, server } = await over(tls)
    expect(outcome).toBe('delivered')
    expect(server.commands()).toEqual([
      'EHLO us.example',
      'STARTTLS',
      'EHLO us.example',
      'MAIL FROM:<joe@far.example>',
      'RCPT TO:<a@x.example>',
      'DATA',
    ])
  })

  it('comes first where the hop says so', async () => {
    const { outcome } = await over(
      verify(own, 'mx.test'),
      { implicitTls: true },
      { implicitTls: true },
    )
    expect(outcome).toBe('delivered')
  })

  it.each<[string, TlsDemand, string]>([
    ['for another name', verify(own, 'other.test'), 'it is not for other.test'],
    ['nobody has signed', verify(null, 'mx.test'), 'DEPTH_ZERO_SELF_SIGNED_CERT'],
    ['for no address', verify(own, '127.0.0.1'), 'it is not for 127.0.0.1'],
    ['for no address in another form', verify(own, '127.1'), 'it is not for 127.1'],
  ])('with a certificate %s sends no mail', async (_, tls, why) => {
    const { outcome, server } = await over(tls)
    expect(outcome).toBe(`unusable 451 4.7.5 the certificate of the server proves nothing: ${why}`)
    expect(server.heard()).not.toContain('MAIL')
  })

  it('knows an address in a certificate, and one that has expired', async () => {
    const address = await makeSelfSigned('127.0.0.1')
    expect((await over(verify(address, '127.0.0.1'), { pem: address })).outcome).toBe('delivered')
    const old = await chain(0, 'DNS:mx.test')
    await expect
      .poll(async () => (await over(verify(old.ca, 'mx.test'), { pem: old.pem })).outcome)
      .toMatch(/proves nothing: CERT_HAS_EXPIRED$/)
  })

  it('takes no name from the subject, none that is a part, and a wildcard for one label', async () => {
    const named = await chain(5, 'DNS:*.mx.test,DNS:x*.some.example')
    const outcome = async (name: string) =>
      (await over(verify(named.ca, name), { pem: named.pem })).outcome.slice(0, 8)
    expect(await outcome('a.mx.test')).toBe('delivere')
    expect(await outcome('a.b.mx.test')).toBe('unusable')
    expect(await outcome('mx.test')).toBe('unusable')
    expect(await outcome('xa.some.example')).toBe('unusable')
    const other = await chain(5, 'DNS:other.test')
    expect((await over(verify(other.ca, 'mx.test'), { pem: other.pem })).outcome).toMatch(
      /^unusable/,
    )
  })

  it('that is not offered ends it where it is demanded', async () => {
    const script = { EHLO: '250 mx.test' }
    for (const tls of [{ kind: 'encrypt' } as const, verify(own, 'mx.test')]) {
      const { outcome, server } = await over(tls, { script })
      expect(outcome).toMatch(/^unusable 451 4\.7\.5 the server does not offer TLS/)
      expect(server.heard()).not.toContain('MAIL')
    }
    expect((await over({ kind: 'may' }, { script })).outcome).toBe('delivered')
  })

  it('does not take what was said in clear for something said in TLS', async () => {
    const afterStartTls = '250-mx.test\r\n250 AUTH PLAIN\r\n'
    const { outcome, server } = await over({ kind: 'encrypt' }, { afterStartTls })
    expect(outcome).toMatch(/^unusable 451 4\.5\.0 /)
    expect(server.heard()).not.toContain('MAIL')
  })

  it.each([
    ['is refused', { STARTTLS: '454 4.7.0 not now' }],
    ['breaks', { STARTTLS: '220 go\r\nrubbish that is no TLS at all' }],
  ])('that may be and %s is done without, once, on a new connection', async (_, script) => {
    const { outcome, server } = await over({ kind: 'may' }, { script })
    expect(outcome).toBe('delivered')
    expect(server.connections).toHaveLength(2)
    const strict = await over({ kind: 'encrypt' }, { script })
    expect(strict.outcome).toMatch(/^unusable 451 /)
    expect(strict.server.connections).toHaveLength(1)
  })

  it('may fail in the handshake and is done without', async () => {
    // Without a certificate the server has no cipher to offer.
    const server = await scriptedServer({ script: { EHLO } })
    expect(await handed(hopTo(server.port, { tls: { kind: 'may' } }))).toEqual(['delivered'])
    const [strict] = await handed(hopTo(server.port, { tls: { kind: 'encrypt' } }))
    expect(strict).toMatch(/^unusable 451 4\.4\.2 .*\(starting TLS\)$/)
  })
})

describe('REQUIRETLS', () => {
  const requiring = async (tls: TlsDemand, script: ScriptOptions['script'] = {}) => {
    const server = await scriptedServer({ pem: own, script: { EHLO, ...script } })
    const work = workFor(['a@x.example'], { requireTls: true })
    const result = await connectionsFor().hand(hopTo(server.port, { tls }), work, MESSAGE)
    return { said: inShort(result)[0], heard: server.heard() }
  }
  const REFUSED = '550 5.7.30 mail for this address goes on without TLS, which REQUIRETLS forbids'

  it('needs TLS with a proven name, and a server that obeys it', async () => {
    const script = { EHLO: `${EHLO.replace('250 ', '250-')}\r\n250 REQUIRETLS` }
    const good = await requiring(verify(own, 'mx.test'), script)
    expect(good.said).toBe('delivered')
    expect(good.heard).toContain('MAIL FROM:<joe@far.example> REQUIRETLS\r\n')
    expect((await requiring(verify(own, 'mx.test'))).said).toBe(REFUSED)
  })

  it.each<[TlsDemand['kind'], TlsDemand]>([
    ['may', { kind: 'may' }],
    ['never', { kind: 'never' }],
    ['encrypt', { kind: 'encrypt' }],
  ])('turns a hop that says %s into one that verifies', async (_, tls) => {
    const { said, heard } = await requiring(tls)
    expect(said).toBe(`unusable ${REFUSED}`)
    expect(heard).not.toContain('MAIL')
  })
})

describe('DANE', () => {
  const record = (usage: number, selector: number, matching: number, pem: string): TlsaRecord => {
    const { raw, publicKey } = certificateOf(pem)
    const whole = selector === 0 ? raw : publicKey.export({ type: 'spki', format: 'der' })
    const digest = ['', 'sha256', 'sha512'][matching]!
    const data = digest === '' ? whole : createHash(digest).update(whole).digest()
    return { usage, selector, matching, data }
  }
  const dane = (names: string[], ...records: TlsaRecord[]): TlsDemand => ({
    kind: 'dane',
    names,
    records,
  })

  it.each([
    [0, 0],
    [0, 1],
    [1, 1],
    [1, 2],
  ])('takes the very certificate (3 %i %i), whatever its names', async (selector, matching) => {
    const tls = dane(['other.test'], record(3, selector, matching, own))
    expect((await over(tls)).outcome).toBe('delivered')
  })

  it('takes no other certificate', async () => {
    const other = await makeSelfSigned('mx.test')
    const { outcome } = await over(
      dane(['mx.test'], record(3, 1, 1, other), record(2, 1, 1, other)),
    )
    expect(outcome).toMatch(/no TLSA record of its name matches it$/)
  })

  it('takes what a named authority has signed, for its names only', async () => {
    const { pem, ca, cert } = await chain(5, 'DNS:mx.test')
    expect((await over(dane(['mx.test'], record(2, 1, 1, ca)), { pem })).outcome).toBe('delivered')
    expect((await over(dane(['mx.test'], record(2, 0, 2, ca)), { pem })).outcome).toBe('delivered')
    expect((await over(dane(['other.test'], record(2, 1, 1, ca)), { pem })).outcome).toMatch(
      /it is not for other\.test$/,
    )
    const stranger = await chain(5, 'DNS:mx.test')
    for (const wrong of [stranger.ca, cert, own])
      expect((await over(dane(['mx.test'], record(2, 1, 1, wrong)), { pem })).outcome).toMatch(
        /no TLSA record/,
      )
  })

  it('is not deceived by an authority that is shown and has signed nothing', async () => {
    const { ca } = await chain(5, 'DNS:mx.test')
    const impostor = await chain(5, 'DNS:mx.test')
    const pem = `${impostor.own}${ca}`
    const { outcome, server } = await over(dane(['mx.test'], record(2, 1, 1, ca)), { pem })
    expect(outcome).toMatch(/no TLSA record/)
    expect(server.heard()).not.toContain('MAIL')
  })
})
