/** The rows of pop3-lint are the contract of our own server: each one passes, on every way in. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Mailtap, mailtap } from '../../src/mailtap.js'
import type { Security } from '../../src/pop3-lint/pop3-lint.js'
import { fillMaildir, idsOf, lintOf, marked } from '../helpers/lint-mailbox.js'

const ALICE = { user: 'alice@example.com', password: 'sec ret: pass~word' }

let folder: string
let server: Mailtap

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mailtap-lint-'))
  await fillMaildir(join(folder, 'mail', 'alice'))
  server = mailtap({
    users: { [ALICE.user]: `{PLAIN}${ALICE.password}` },
    domains: { 'example.com': join(folder, 'mail') },
    state: join(folder, 'state'),
    listen: { pop3: ['127.0.0.1:0'], pop3s: ['127.0.0.1:0'] },
  })
  await server.start()
})

afterEach(async () => {
  await server.stop()
  await rm(folder, { recursive: true, force: true })
})

describe('our own server under pop3-lint', () => {
  test.each<Security>(['clear', 'stls', 'tls'])('has no fault, %s', async (security) => {
    const port = server.port(security === 'tls' ? 'pop3s' : 'pop3')
    const findings = await lintOf({ ...ALICE, port, security, destructive: true })
    expect(marked(findings, 'FAIL')).toEqual([])
    // Every test message was found and every destructive row was put.
    const skipped = idsOf(findings, 'SKIP').filter((id) => /^(mail|dele|uidl|retr|top)-/.test(id))
    expect(skipped).toEqual([])
    expect(findings.length).toBeGreaterThan(90)
  })
})
