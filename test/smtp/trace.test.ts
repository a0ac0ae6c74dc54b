import { describe, expect, test } from 'vitest'
import { newId, received } from '../../src/smtp/trace.js'

const facts = {
  helo: 'client.example.net',
  peerAddress: '192.0.2.7',
  hostname: 'mail.example.com',
  esmtp: true,
  lmtp: false,
  authenticated: false,
  smtputf8: false,
  tls: null,
  id: 'ABC',
  recipients: [{ local: 'alice', domain: 'example.com' }],
}
const noon = new Date('2026-11-20T12:00:00Z')

describe('Received', () => {
  test('tells who, where, how, for whom and when (RFC 5321 section 4.4)', () => {
    expect(received(facts, noon).toString()).toBe(
      'Received: from client.example.net ([192.0.2.7])\n' +
        '\tby mail.example.com (mailtap) with ESMTP id ABC\n' +
        '\tfor <alice@example.com>;\n' +
        '\tFri, 20 Nov 2026 12:00:00 +0000\n',
    )
  })

  test('names the protocol as RFC 3848 and RFC 6531 register it', () => {
    const tls = { version: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384' }
    const protocol = (more: object) =>
      / with (\S+) /.exec(received({ ...facts, ...more }).toString())?.[1]
    expect(protocol({ esmtp: false })).toBe('SMTP')
    expect(protocol({ tls })).toBe('ESMTPS')
    expect(protocol({ smtputf8: true })).toBe('UTF8SMTP')
    expect(protocol({ tls, authenticated: true })).toBe('ESMTPSA')
    expect(protocol({ lmtp: true })).toBe('LMTP')
    expect(protocol({ lmtp: true, smtputf8: true, tls })).toBe('UTF8LMTPS')
    expect(protocol({ smtputf8: true, tls })).toBe('UTF8SMTPS')
  })

  test('tells the TLS version and cipher', () => {
    const tls = { version: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384' }
    expect(received({ ...facts, tls }).toString()).toContain('\t(TLSv1.3 TLS_AES_256_GCM_SHA384)\n')
  })

  test('names nobody when there are several recipients', () => {
    const recipients = [...facts.recipients, { local: 'bcc', domain: 'example.com' }]
    expect(received({ ...facts, recipients }).toString()).not.toMatch(/alice|bcc/)
  })

  test('is one header whatever the client calls itself (H1)', () => {
    const header = received({ ...facts, helo: 'a)by(evil<x>;é\r\nX-Inj:1' }).toString()
    expect(header).toMatch(/^Received: from a\?by\?evil\?x\?\?\?\?\?X-Inj:1 \(/)
    expect(header.split('\n').filter((line) => /^\S/.test(line))).toHaveLength(1)
  })

  test('marks IPv6 addresses and local clients', () => {
    expect(received({ ...facts, peerAddress: '2001:db8::1' }).toString()).toContain(
      '([IPv6:2001:db8::1])',
    )
    expect(received({ ...facts, peerAddress: '' }).toString()).toContain('(local)')
  })
})

describe('newId', () => {
  test('is twelve letters and digits, never twice', () => {
    const ids = Array.from({ length: 10_000 }, newId)
    expect(new Set(ids).size).toBe(ids.length)
    for (const id of ids) expect(id).toMatch(/^[0-9A-V]{12}$/)
  })
})
