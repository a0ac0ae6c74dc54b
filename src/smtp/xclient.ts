/**
 * XCLIENT: a server in front of this one, listed by name of its network, says
 * for whom it speaks, and the conversation begins anew with that client. The
 * command and its attributes are Postfix's (XCLIENT_README).
 */
import type { Peer } from '../cred/credentials.js'
import { decodeXtext } from '../mail/xtext.js'
import { formatIp, octetsOf } from '../net/ip.js'
import { isThisMachine } from '../net/this-machine.js'
import { userOf } from './auth.js'
import type { Context } from './context.js'
import { fault, type Reply, reply } from './reply.js'

/** A login is proven here or not at all, so LOGIN is none of them. */
export const XCLIENT_ATTRIBUTES = ['NAME', 'ADDR', 'PORT', 'PROTO', 'HELO', 'DESTADDR', 'DESTPORT']

const SYNTAX = fault(501, '5.5.4', 'Say XCLIENT and attributes such as ADDR=192.0.2.7')
const BAD_ADDRESS = fault(
  501,
  '5.5.4',
  'ADDR is an IP address, such as 192.0.2.7 or IPV6:2001:db8::1',
)
/** A login is one client's, and the next would have it. */
const LOGGED_IN = fault(503, '5.5.1', 'Say XCLIENT before AUTH')
/** Of a client whose address is not known: not that of this machine, nor anybody's. */
const NOBODYS = '0.0.0.0'
const BAD_PORT = fault(501, '5.5.4', 'PORT is a number from 0 to 65535')
const BAD_HELO = fault(501, '5.5.4', 'HELO is a name of printable ASCII')
const UNKNOWN = fault(501, '5.5.4', 'No such attribute here; EHLO lists those that there are')

/** The verb. The next state is that of a client that just came. */
export function xclient(context: Context, argument: string): Reply {
  if (userOf(context) !== null) return LOGGED_IN
  const given = attributes(argument)
  if (given === null) return SYNTAX
  const wrong = apply(context, given)
  if (wrong !== null) return wrong
  const { hostname, role } = context.options
  context.draft = null
  return { bytes: reply(220, null, `${hostname} ${role.protocol} mailtap`), next: 'greeting' }
}

interface Said {
  readonly peer: Peer
  readonly helo: string
}

function apply(context: Context, given: ReadonlyMap<string, string | null>): Reply | null {
  let said: Said = { peer: context.peer, helo: '' }
  for (const [name, value] of given) {
    if (!XCLIENT_ATTRIBUTES.includes(name)) return UNKNOWN
    const next = READERS[name]?.(said, value, context.front ?? '') ?? said
    if ('bytes' in next) return next
    said = next
  }
  context.peer = said.peer
  context.helo = said.helo
  return null
}

/** What the others say is nobody's business here. A value `null` is one that is not available. */
const READERS: Readonly<
  Record<string, (said: Said, value: string | null, front: string) => Said | Reply>
> = {
  ADDR: ({ peer, helo }, value, front) => {
    const address = value === null ? NOBODYS : addressIn(value)
    const pretends = address !== null && isThisMachine(address) && !isThisMachine(front)
    return address === null || pretends ? BAD_ADDRESS : { peer: { ...peer, address }, helo }
  },
  PORT: ({ peer, helo }, value) => {
    const port = value ?? '0'
    return /^\d{1,5}$/.test(port) ? { peer: { ...peer, port: Number(port) }, helo } : BAD_PORT
  },
  HELO: ({ peer }, value) => {
    return value === null || /^[!-~]{1,255}$/.test(value) ? { peer, helo: value ?? '' } : BAD_HELO
  },
}

/** Only another client of this machine can be one: whoever is local may do more. */
function addressIn(value: string): string | null {
  const octets = value.includes('%') ? null : octetsOf(value.replace(/^IPV6:/i, ''))
  return octets === null ? null : formatIp(octets)
}

/** `null` if that is no list of attributes; the value `null` = not available. */
function attributes(text: string): Map<string, string | null> | null {
  const found = new Map<string, string | null>()
  for (const part of text.split(/ +/)) {
    const [, name, raw] = /^([A-Za-z]{1,20})=([!-<>-~]{1,300})$/.exec(part) ?? []
    const value = raw === undefined ? null : decodeXtext(raw)
    if (name === undefined || value === null || found.has(name.toUpperCase())) return null
    found.set(name.toUpperCase(), /^\[(?:UNAVAILABLE|TEMPUNAVAIL)\]$/i.test(value) ? null : value)
  }
  return found
}
