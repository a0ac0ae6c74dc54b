/** OAUTHBEARER and XOAUTH2: what is a message of them, and when they are offered. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseOauthBearer, parseXoauth2 } from '../../src/sasl/oauth.js'
import { beginExchange, offeredMechanisms } from '../../src/sasl/mechanisms.js'
import type { Kind } from '../../src/cred/credentials.js'
import type { Surroundings } from '../../src/sasl/mechanism.js'

const surroundings: Surroundings = {
  peer: { address: '192.0.2.1', port: 1, protocol: 'smtp', secure: true },
  hostname: 'mail.example.com',
  channelBinding: () => null,
  scramChallenge: () => Promise.reject(new Error('not asked')),
  nonce: () => 'n',
}
const allowed = (plaintext: boolean) => ({
  plaintext,
  secrets: false,
  accepts: (kind: Kind) => kind === 'bearer',
})

describe('OAUTHBEARER', () => {
  it('reads the example of RFC 7628 section 4.1', () => {
    const message =
      'n,a=user@example.com,\u0001host=server.example.com\u0001port=143\u0001' +
      'auth=Bearer vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==\u0001\u0001'
    expect(parseOauthBearer(message)).toEqual({
      username: 'user@example.com',
      token: 'vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==',
    })
  })

  it('may name nobody, or somebody with a comma', () => {
    expect(parseOauthBearer('n,,\u0001auth=Bearer t\u0001\u0001')).toEqual({
      username: '',
      token: 't',
    })
    expect(parseOauthBearer('y,a=a=2Cb=3D,\u0001auth=bearer t\u0001\u0001')).toEqual({
      username: 'a,b=',
      token: 't',
    })
  })

  it.each([
    '',
    'n,,',
    'n,,\u0001\u0001',
    'n,,\u0001auth=Bearer t\u0001',
    'n,,\u0001auth=Basic t\u0001\u0001',
    'n,,\u0001auth=Bearer t\u0001auth=Bearer t\u0001\u0001',
    'n,,\u0001auth=Bearer a b\u0001\u0001',
    'p=tls-unique,,\u0001auth=Bearer t\u0001\u0001',
    'n,a=x\ny,\u0001auth=Bearer t\u0001\u0001',
  ])('is not %j', (text) => {
    expect(typeof parseOauthBearer(text)).toBe('string')
  })

  it('gets along with any text', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(parseOauthBearer(text)).toBeDefined()
        expect(typeof parseXoauth2(text)).toBe('string')
      }),
    )
  })
})

describe('XOAUTH2', () => {
  it('reads a name and a token', () => {
    expect(parseXoauth2('user=a@example.com\u0001auth=Bearer ya29.x-_~/+\u0001\u0001')).toEqual({
      username: 'a@example.com',
      token: 'ya29.x-_~/+',
    })
  })
})

describe('mechanisms with a token', () => {
  it('are offered where somebody can judge tokens and nobody can see them', () => {
    expect(offeredMechanisms(allowed(true), surroundings)).toEqual(['OAUTHBEARER', 'XOAUTH2'])
    expect(offeredMechanisms(allowed(false), surroundings)).toEqual([])
  })

  it('bring credentials of their own kind', async () => {
    const message = Buffer.from('user=a@x\u0001auth=Bearer t\u0001\u0001').toString('base64')
    const exchange = beginExchange('xoauth2', allowed(true), surroundings)
    expect(await exchange!.begin(message)).toMatchObject({
      kind: 'login',
      credentials: { kind: 'bearer', username: 'a@x', token: 't' },
    })
  })
})
