/** The messages of SCRAM (RFC 5802 section 7): text of a strict form in, its parts out. */
import { decodeBase64 } from './base64.js'
import { clientText, MAX_NAME, utf8 } from './text.js'

/** What the client says of channel binding: can not, can but believes that we can not, does. */
export type BindingFlag = 'n' | 'y' | 'p'

export interface ClientFirst {
  readonly flag: BindingFlag
  /** The type of binding used; `null` unless the flag is `p`. */
  readonly bindingType: string | null
  /** Whom to act as; `null` if nobody was named. */
  readonly authorizeAs: string | null
  readonly username: string
  readonly nonce: string
  /** The part before the bare message, which comes back in the final message. */
  readonly header: string
  /** The rest, which the proof covers. */
  readonly bare: string
}

export interface ClientFinal {
  /** The header of the first message and the binding data. */
  readonly binding: Buffer
  readonly nonce: string
  readonly proof: Buffer
  /** All but the proof, which the proof covers. */
  readonly withoutProof: string
}

/** Octets of a message: two names and two nonces have room. */
const MAX_MESSAGE = 2_048
/** Octets of a proof. */
const PROOF_OCTETS = 32
/** A comma and an equals sign are written as =2C and =3D. */
const HEADER = /^(?:(p)=([A-Za-z0-9.-]{1,64})|([ny])),(?:a=((?:[^=,]|=2C|=3D)+))?,/
/** What may follow the last attribute: extensions, which are passed over; `m` is one that must not be. */
const BARE = /^n=((?:[^=,]|=2C|=3D)+),r=([!-+\--~]+)(?:,[A-Za-ln-z]=[^,]+)*$/
const FINAL = /^c=([A-Za-z0-9+/=]+),r=([!-+\--~]+)(?:,[A-Za-ln-z]=[^,]+)*,p=([A-Za-z0-9+/=]+)$/

/** @returns `null` if it is no such message */
export function parseClientFirst(message: Buffer): ClientFirst | null {
  const text = messageText(message)
  const header = text === null ? null : parseHeader(text)
  if (text === null || header === null) return null
  const bare = text.slice(header.header.length)
  const [, name, nonce] = BARE.exec(bare) ?? []
  const username = name === undefined ? null : plainName(name)
  if (username === null || nonce === undefined) return null
  return { ...header, username, nonce, bare }
}

/** @returns `null` if it is no such message */
export function parseClientFinal(message: Buffer): ClientFinal | null {
  const text = messageText(message) ?? ''
  const [, c, nonce, p] = FINAL.exec(text) ?? []
  if (c === undefined || nonce === undefined || p === undefined) return null
  const binding = decodeBase64(c)
  const proof = decodeBase64(p)
  if (binding === null || proof?.length !== PROOF_OCTETS) return null
  return { binding, nonce, proof, withoutProof: text.slice(0, -`,p=${p}`.length) }
}

type Header = Pick<ClientFirst, 'flag' | 'bindingType' | 'authorizeAs' | 'header'>

function parseHeader(text: string): Header | null {
  const [header, p, bindingType = null, flag = p, name] = HEADER.exec(text) ?? []
  if (header === undefined || flag === undefined) return null
  const authorizeAs = name === undefined ? null : plainName(name)
  if (name !== undefined && authorizeAs === null) return null
  return { flag: flag as BindingFlag, bindingType, authorizeAs, header }
}

function messageText(message: Buffer): string | null {
  const text = message.length > MAX_MESSAGE ? null : utf8(message)
  return text === null || text.includes('\0') ? null : text
}

function plainName(name: string): string | null {
  const text = name.replace(/=2C|=3D/g, (escaped) => (escaped === '=2C' ? ',' : '='))
  return clientText(Buffer.from(text), MAX_NAME)
}
