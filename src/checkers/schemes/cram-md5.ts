/**
 * Dovecot's `{CRAM-MD5}`: what is left of HMAC-MD5 (RFC 2104) when its key, the password, has been
 * taken in and no text yet: the outer state of MD5 and the inner one, 32 octets.
 */
import { createHash } from 'node:crypto'
import { type Body, BROKEN, fromHex, type Reading, sameBytes } from './scheme.js'
import { md5State } from './md5-state.js'

const BLOCK = 64
const SIZE = 32

export function readCramMd5({ text, decoded }: Body, scheme: string): Reading {
  const bytes = decoded ?? fromHex(text)
  if (bytes?.length !== SIZE) return BROKEN
  const matches = async (password: string): Promise<boolean> =>
    sameBytes(contextOf(password), bytes)
  return { scheme, quick: true, current: false, matches }
}

function contextOf(password: string): Buffer {
  const bytes = Buffer.from(password)
  const key = Buffer.alloc(BLOCK)
  const short = bytes.length > BLOCK ? createHash('md5').update(bytes).digest() : bytes
  short.copy(key)
  const padded = (octet: number): Buffer => md5State(key.map((each) => each ^ octet))
  return Buffer.concat([padded(0x5c), padded(0x36)])
}
