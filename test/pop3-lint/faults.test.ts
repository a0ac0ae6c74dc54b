/** Each mistake that a server can make is found, by the row that is about it and by no stranger. */
import { describe, expect, test } from 'vitest'
import { TEST_MESSAGES } from '../../src/pop3-lint/pop3-lint.js'
import { onTheWire } from '../../src/pop3-lint/test-messages.js'
import { idsOf, lintOf } from '../helpers/lint-mailbox.js'
import { type Fault, FaultyServer } from './faulty-server.js'

const MESSAGES = TEST_MESSAGES.map(onTheWire)

/** Fault → the rows that fail. */
const FOUND: Readonly<Record<Fault, readonly string[]>> = {
  none: [],
  'lf-sizes': ['retr-octets'],
  'top-counts-header': ['top-zero', 'top-some', 'top-half', 'top-exact'],
  'top-zero-is-all': ['top-zero', 'top-half'],
  'dots-not-stuffed': [
    'retr',
    'retr-octets',
    'retr-dots',
    'retr-in-step',
    'retr-again',
    'top-zero',
    'top-some',
    'top-half',
    'top-exact',
    'top-beyond',
    'mail-dots',
    'mail-first-dot',
    'mail-edges',
    'pipelining',
    'status-form',
  ],
  'uidl-without-number': ['uidl-one'],
  'uidl-new-each-time': ['uidl-stable'],
  'uidl-twins-alike': ['uidl-unique', 'uidl-twins', 'dele-quit'],
  'dele-at-once': ['dele-lost'],
  'dele-renumbers': ['dele-list', 'dele-uidl'],
  'dele-still-served': ['dele-refuses'],
  'rset-keeps-marks': ['rset'],
  'no-lock': ['lock'],
  'in-use-says-auth': ['lock'],
  'capa-top-after-login': ['capa-both'],
  'wrong-password-without-code': ['wrong-password'],
  'hangs-up-on-unknown': [
    'early-stat-list',
    'early-retr-dele',
    'early-uidl-top',
    'early-noop-rset',
    'early-unknown',
    'unknown',
    'empty-line',
    'login-again',
  ],
  'case-matters': ['case'],
  'silent-noop': [
    'case',
    'strict-spaces',
    'pipelining',
    'noop',
    'unknown',
    'empty-line',
    'login-again',
    'long-line',
    'status-form',
  ],
  'lower-case-status': [
    'apop-not-offered',
    'early-stat-list',
    'early-retr-dele',
    'early-uidl-top',
    'early-noop-rset',
    'early-unknown',
    'pass-first',
    'wrong-password',
    'sasl-unknown',
    'retr-no-such',
    'retr-no-number',
    'list-no-such',
    'list-no-number',
    'uidl-no-such',
    'uidl-no-number',
    'top-no-such',
    'top-no-number',
    'dele-no-such',
    'dele-no-number',
    'top-no-lines',
    'no-argument',
    'unknown',
    'empty-line',
    'login-again',
    'long-line',
    'dele-refuses',
    'status-form',
  ],
  'bare-lf': ['status-line-end'],
  'quit-stays': ['quit-early', 'quit', 'dele-quit'],
  'quit-keeps-mail': ['dele-quit'],
  'pipeline-loses': ['pipelining'],
}

describe.concurrent('pop3-lint', () => {
  test.each(Object.entries(FOUND))('finds %s', async (fault, rows) => {
    const server = new FaultyServer(fault as Fault, MESSAGES)
    const served = { port: await server.start(), user: 'alice', password: 'secret', timeoutMs: 700 }
    try {
      const findings = await lintOf({ ...served, destructive: true })
      expect(idsOf(findings, 'FAIL')).toEqual(rows)
    } finally {
      await server.stop()
    }
  })
})
