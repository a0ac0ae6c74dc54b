/**
 * What we and a milter agree on first (protocol version 6, as libmilter speaks
 * it): what it may ask of us, which steps it wants to hear of, which it answers.
 */
import type { MilterWire } from './milter-wire.js'

const VERSION = 6
/** Below that there is no negotiation of steps. */
const OLDEST_VERSION = 2
/** Three numbers; names of macros that it would like may follow. */
const TERMS_OCTETS = 12

/**
 * All that a verdict of ours can hold: new header fields, and quarantine. Not
 * offered: changing or removing fields, another body, sender or recipients.
 */
const ADDS_HEADERS = 0x01
const QUARANTINES = 0x20
const OFFERED_ACTIONS = ADDS_HEADERS | QUARANTINES

/** What it may ask us to leave out, or not to wait for, and in which form it wants things. */
const PROTOCOL = {
  noConnect: 0x01,
  noHelo: 0x02,
  noMail: 0x04,
  noRecipients: 0x08,
  noBody: 0x10,
  noHeaders: 0x20,
  noEndOfHeaders: 0x40,
  silentHeaders: 0x80,
  noData: 0x200,
  skipsBody: 0x400,
  silentConnect: 0x1000,
  silentHelo: 0x2000,
  silentMail: 0x4000,
  silentRecipients: 0x8000,
  silentData: 0x10000,
  silentEndOfHeaders: 0x40000,
  silentBody: 0x80000,
  leadingBlanks: 0x100000,
}
export type Term = keyof typeof PROTOCOL
/** Commands that no client sends through us: it may want them left out. */
const NO_UNKNOWN = 0x100
const SILENT_UNKNOWN = 0x20000
const OFFERED_PROTOCOL = Object.values(PROTOCOL).reduce(
  (all, flag) => all | flag,
  NO_UNKNOWN | SILENT_UNKNOWN,
)

/** What was agreed on: whether a term holds. */
export type Terms = (term: Term) => boolean

/** @throws Error when it wants what we do not offer */
export async function negotiate(wire: MilterWire): Promise<Terms> {
  const offer = Buffer.alloc(TERMS_OCTETS)
  offer.writeUInt32BE(VERSION, 0)
  offer.writeUInt32BE(OFFERED_ACTIONS, 4)
  offer.writeUInt32BE(OFFERED_PROTOCOL, 8)
  await wire.send('O', offer)
  const { command, data } = await wire.receive()
  if (command !== 'O' || data.length < TERMS_OCTETS) throw new Error('it does not negotiate')
  const [version, actions, protocol] = [0, 4, 8].map((at) => data.readUInt32BE(at)) as Three
  if (version < OLDEST_VERSION || version > VERSION) throw new Error(`it speaks version ${version}`)
  // JavaScript's bits have a sign; zero has none.
  if ((actions & ~OFFERED_ACTIONS) !== 0) throw new Error('it wants to change messages')
  if ((protocol & ~OFFERED_PROTOCOL) !== 0) throw new Error('it wants steps that are not offered')
  return (term) => (protocol & PROTOCOL[term]) !== 0
}

type Three = [number, number, number]
