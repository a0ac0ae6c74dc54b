/** SCRAM-SHA-256 against the vector of RFC 7677, against a client of its own, and against liars. */
import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { ScramCredentials } from '../../src/cred/credentials.js'
import { LoginUnavailable } from '../../src/cred/errors.js'
import { deriveScram } from '../../src/cred/scram.js'
import { Exchange, type Turn } from '../../src/sasl/exchange.js'
import type { Surroundings } from '../../src/sasl/mechanism.js'
import { Scram } from '../../src/sasl/scram.js'
import { ScramClient, type ScramClientOptions } from './client.js'
import { base64, plainText, respond, surroundings, VECTOR, vectorRecord } from './surroundings.js'

interface Setting extends Partial<Surroundings> {
  readonly plus?: boolean
  readonly plusOffered?: boolean
}

function begin({ plus = false, plusOffered = plus, ...more }: Setting = {}): Exchange {
  return new Exchange(new Scram(surroundings(more), { plus, plusOffered }))
}

const challengeOf = (turn: Turn): string => {
  expect(turn.kind).toBe('challenge')
  return turn.kind === 'challenge' ? plainText(turn.text) : ''
}

const credentialsOf = (turn: Turn): ScramCredentials => {
  expect(turn).toMatchObject({ kind: 'login', credentials: { kind: 'scram' } })
  return (turn as { credentials: ScramCredentials }).credentials
}

/** Plays the client up to the credentials. */
async function play(
  options: Partial<ScramClientOptions>,
  setting: Setting = {},
): Promise<{ exchange: Exchange; client: ScramClient; turn: Turn }> {
  const exchange = begin(setting)
  const client = new ScramClient({ ...VECTOR, ...options })
  const first = await exchange.begin(base64(client.first()))
  if (first.kind !== 'challenge') return { exchange, client, turn: first }
  return { exchange, client, turn: await respond(exchange, client.final(plainText(first.text))) }
}

describe('SCRAM-SHA-256', () => {
  test('says and takes exactly what RFC 7677 section 3 shows', async () => {
    const exchange = begin()
    const first = await exchange.begin(base64('n,,n=user,r=rOprNGfwEbeRWgbNEkqO'))
    expect(challengeOf(first)).toBe(
      'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096',
    )
    const turn = await respond(
      exchange,
      'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,' +
        'p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=',
    )
    const credentials = credentialsOf(turn)
    expect(credentials.username).toBe('user')
    expect(exchange.proof()).toBeNull()
    expect(credentials.verify(await vectorRecord())).toBe(true)
    expect(plainText(exchange.proof()!)).toBe('v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=')
  })

  test('asks for the first message with an empty challenge', async () => {
    expect(challengeOf(await begin().begin(null))).toBe('')
  })

  test('knows another password by its proof, and then proves nothing itself', async () => {
    const { exchange, turn } = await play({ password: 'Pencil' })
    expect(credentialsOf(turn).verify(await vectorRecord())).toBe(false)
    expect(exchange.proof()).toBeNull()
  })

  test('knows keys of another salt from those it was proven with', async () => {
    const { turn } = await play({})
    const other = await deriveScram('pencil', { salt: Buffer.alloc(16), iterations: 4096 })
    expect(credentialsOf(turn).verify(other)).toBe(false)
  })

  test('takes names with commas, equals signs and every script', async () => {
    for (const username of ['a,b=c', '=2C', 'jörg@example.com', '漢字@example.com']) {
      const { exchange, client, turn } = await play({ username })
      const credentials = credentialsOf(turn)
      expect(credentials.username).toBe(username)
      expect(credentials.verify(await vectorRecord())).toBe(true)
      expect(client.trusts(plainText(exchange.proof()!))).toBe(true)
    }
  })

  test('asks for the challenge of that name, and passes on that it cannot be told', async () => {
    const asked: string[] = []
    const scramChallenge = async (name: string) => {
      asked.push(name)
      throw new LoginUnavailable('away')
    }
    await expect(play({ username: 'x,y' }, { scramChallenge })).rejects.toThrow(LoginUnavailable)
    expect(asked).toEqual(['x,y'])
  })

  test('lets somebody act as himself and as nobody else', async () => {
    expect((await play({ header: 'n,a=user,' })).turn.kind).toBe('login')
    expect((await play({ header: 'n,a=root,' })).turn).toMatchObject({ fault: 'unauthorized' })
  })

  test.each([
    ['a nonce of its own', (final: string) => final.replace('r=rOpr', 'r=xOpr')],
    ['half of the nonce', (final: string) => final.replace(VECTOR.serverNonce, '')],
    ['another header', (final: string) => final.replace('c=biws', `c=${base64('y,,')}`)],
    ['binding data', (final: string) => final.replace('c=biws', `c=${base64('n,,x')}`)],
  ])('refuses a final message with %s', async (_, spoil) => {
    const exchange = begin()
    const client = new ScramClient(VECTOR)
    const first = challengeOf(await exchange.begin(base64(client.first())))
    expect(await respond(exchange, spoil(client.final(first)))).toMatchObject({
      kind: 'refused',
      fault: 'unauthorized',
    })
  })
})

describe('SCRAM-SHA-256-PLUS', () => {
  const exported = createHash('sha256').update('this connection').digest()
  const channelBinding = (type: string) => (type === 'tls-exporter' ? exported : null)
  const header = 'p=tls-exporter,,'

  test('takes the proof of somebody at the other end of this connection', async () => {
    const setting = { plus: true, channelBinding }
    const { exchange, client, turn } = await play({ header, bindingData: exported }, setting)
    expect(credentialsOf(turn).verify(await vectorRecord())).toBe(true)
    expect(client.trusts(plainText(exchange.proof()!))).toBe(true)
  })

  test('refuses that of somebody at the end of another', async () => {
    const bindingData = Buffer.alloc(32)
    const { turn } = await play({ header, bindingData }, { plus: true, channelBinding })
    expect(turn).toMatchObject({ fault: 'unauthorized', why: 'another channel binding' })
  })

  test.each([
    ['a type of binding that is not there', 'p=tls-unique,,', { plus: true }],
    ['no binding with PLUS', 'n,,', { plus: true }],
    ['a binding without PLUS', header, { plus: false, plusOffered: true }],
    ['a client that was not shown PLUS', 'y,,', { plus: false, plusOffered: true }],
  ])('refuses %s', async (_, wrong, setting) => {
    const { turn } = await play({ header: wrong }, { channelBinding, ...setting })
    expect(turn).toMatchObject({ kind: 'refused', fault: 'unauthorized' })
  })

  test('does not hold it against a client that there is no PLUS', async () => {
    expect((await play({ header: 'y,,' })).turn.kind).toBe('login')
  })
})
