/** A connection and a server as mechanisms see them. */
import type { Peer } from '../../src/cred/credentials.js'
import { deriveScram, type ScramRecord } from '../../src/cred/scram.js'
import type { Surroundings } from '../../src/sasl/mechanism.js'
import type { Exchange, Turn } from '../../src/sasl/exchange.js'

export const peer: Peer = { address: '192.0.2.7', port: 1, protocol: 'test', secure: false }

/** RFC 7677 section 3. */
export const VECTOR = {
  username: 'user',
  password: 'pencil',
  salt: Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64'),
  iterations: 4096,
  serverNonce: '%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0',
}

export const vectorRecord = (): Promise<ScramRecord> => deriveScram(VECTOR.password, VECTOR)

export function surroundings(more: Partial<Surroundings> = {}): Surroundings {
  return {
    peer,
    hostname: 'mail.example.com',
    channelBinding: () => null,
    scramChallenge: async () => VECTOR,
    nonce: () => VECTOR.serverNonce,
    ...more,
  }
}

export const base64 = (text: string | Buffer): string => Buffer.from(text).toString('base64')
export const plainText = (text: string): string => Buffer.from(text, 'base64').toString()

/** Sends a response as a client would. */
export const respond = (exchange: Exchange, text: string): Promise<Turn> =>
  exchange.take(Buffer.from(base64(text)))
