import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Address, formatAddress, parseAddress } from '../../src/mail/address.js'
import { isSrs, reverse, rewrite, SrsError } from '../../src/mail/srs.js'

const SECRET = Buffer.from('only we know this')
const DAY = 86_400_000
const NOW = Date.parse('2026-11-20T12:00:00Z')
const OURS = 'forward.example'
/** From noon to the end of the last day. */
const VALID_MS = 21 * DAY + DAY / 2 - 1

function address(text: string): Address {
  const parsed = parseAddress(text)
  if (parsed === null) throw new Error(`no address: ${text}`)
  return parsed
}

const forwarded = (text: string, via = OURS): Address => rewrite(address(text), via, SECRET, NOW)!

function faultOf(from: Address, { secret = SECRET, now = NOW } = {}): string {
  try {
    return formatAddress(reverse(from, secret, now))
  } catch (error) {
    if (error instanceof SrsError) return error.fault
    throw error
  }
}

const locals = fc.oneof(
  fc.stringMatching(/^[a-zA-Z0-9!#$%&'*+/=?^_`{|}~-]{1,20}$/),
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }),
)
const senders = fc
  .tuple(locals, fc.constantFrom('far.example', 'xn--bcher-kva.example', '[192.0.2.7]', 'a.b'))
  .map(([local, domain]) => parseAddress(formatAddress({ local, domain })))
  .filter((from) => from !== null)

describe('a rewritten sender', () => {
  it('is an address of the forwarder, with the hash, the day and the sender in it', () => {
    const via = forwarded('Bob@far.example')
    expect(formatAddress(via)).toMatch(
      /^SRS0=[A-Z2-7]{6}=[A-Z2-7]{2}=far\.example=Bob@forward\.example$/,
    )
    expect(isSrs(via)).toBe(true)
    expect(faultOf(via)).toBe('Bob@far.example')
  })

  it('stays as it is where it is one of that domain already', () => {
    const own = address('alice@forward.example')
    expect(rewrite(own, OURS, SECRET, NOW)).toEqual(own)
  })

  it('gives the sender back, whoever it is, after a way over the wire', () => {
    fc.assert(
      fc.property(senders, fc.nat(VALID_MS), (from, later) => {
        const via = rewrite(from, OURS, SECRET, NOW)
        if (via === null) return
        expect(Buffer.byteLength(via.local)).toBeLessThanOrEqual(64)
        const back = address(formatAddress(via))
        expect(reverse(back, SECRET, NOW + later)).toEqual(from)
      }),
      { numRuns: 1_000 },
    )
  })

  it('is none where it would be too long, or could not be read again', () => {
    expect(rewrite(address(`${'x'.repeat(64)}@far.example`), OURS, SECRET, NOW)).toBeNull()
    const accent = { local: '\u0338x', domain: 'far.example' }
    expect(rewrite(accent, OURS, SECRET, NOW)).toBeNull()
    const overhead = 'SRS0=HASH22=DD=far.example='.length
    expect(
      rewrite(address(`${'x'.repeat(64 - overhead)}@far.example`), OURS, SECRET, NOW),
    ).not.toBe(null)
    expect(rewrite(address(`${'x'.repeat(65 - overhead)}@far.example`), OURS, SECRET, NOW)).toBe(
      null,
    )
  })

  it('survives a server that makes its letters small, or large', () => {
    fc.assert(
      fc.property(senders, fc.boolean(), (from, small) => {
        const via = rewrite(from, OURS, SECRET, NOW)
        if (via === null) return
        const local = small ? via.local.toLowerCase() : via.local.toUpperCase()
        const back = reverse({ local: local.normalize('NFC'), domain: OURS }, SECRET, NOW)
        expect(back.domain).toBe(from.domain)
        const same = small ? from.local.toLowerCase() : from.local.toUpperCase()
        expect(back.local).toBe(same.normalize('NFC'))
      }),
      { numRuns: 1_000 },
    )
  })
})

describe('an address that somebody made up', () => {
  it('is refused when any one character of it was changed', () => {
    const via = forwarded('bob@far.example')
    for (let at = 'SRS0='.length; at < via.local.length; at++) {
      const other = via.local[at] === 'z' ? 'y' : 'z'
      if (via.local[at]!.toLowerCase() === other) continue
      const local = via.local.slice(0, at) + other + via.local.slice(at + 1)
      expect(['forged', 'not SRS'], local).toContain(faultOf({ ...via, local }))
    }
  })

  it('is refused when it was made with another secret', () => {
    const via = forwarded('bob@far.example')
    expect(faultOf(via, { secret: Buffer.from('another one') })).toBe('forged')
  })

  it('is refused, never an error of another kind, whatever stands in it', () => {
    const parts = fc.constantFrom(
      'SRS0',
      'srs1',
      '=',
      '+',
      '-',
      'ABCDEF',
      'AA',
      'a.b',
      '\u212a',
      'ß',
    )
    fc.assert(
      fc.property(fc.array(parts, { maxLength: 14 }), fc.string(), (words, rest) => {
        const local = words.join('') + rest
        expect(['forged', 'not SRS']).toContain(faultOf({ local, domain: OURS }))
      }),
      { numRuns: 1_000 },
    )
    expect(faultOf({ local: 'SRS0=\u212aBCDEF=AA=a.b=c', domain: OURS })).toBe('not SRS')
  })

  it('is told from one that is too old', () => {
    const via = forwarded('bob@far.example')
    expect(faultOf(via, { now: NOW + 21 * DAY })).toBe('bob@far.example')
    expect(faultOf(via, { now: NOW + 22 * DAY })).toBe('expired')
    // Another machine's clock was ahead.
    expect(faultOf(via, { now: NOW - DAY })).toBe('bob@far.example')
    expect(faultOf(via, { now: NOW - 2 * DAY })).toBe('expired')
    // When the days of ten bits begin anew.
    const last = DAY * (1_024 * 20 - 1)
    const old = rewrite(address('bob@far.example'), OURS, SECRET, last)!
    expect(faultOf(old, { now: last + 3 * DAY })).toBe('bob@far.example')
  })

  it('of no SRS is none', () => {
    expect(isSrs(address('srs@far.example'))).toBe(false)
    expect(isSrs(address('SRS0x=1@far.example'))).toBe(false)
    expect(faultOf(address('alice@far.example'))).toBe('not SRS')
  })
})

describe('a sender that another forwarder rewrote', () => {
  it('becomes SRS1, whose reports go to that forwarder', () => {
    for (const first of ['SRS0=Ab1/=XY=a.b=bob@one.example', 'srs0+Ab1/=XY=a.b=bob@one.example']) {
      const second = forwarded(first)
      expect(second.local).toMatch(/^SRS1=[A-Z2-7]{6}=one\.example=[=+]Ab1\/=XY=a\.b=bob$/)
      expect(faultOf(second)).toBe(first.replace('srs0', 'SRS0'))
    }
  })

  it('stays SRS1 of the same length behind each further one', () => {
    const second = forwarded('SRS0=abcd=XY=a.b=bob@one.example', 'two.example')
    const third = forwarded(formatAddress(second), 'three.example')
    expect(third.local).toHaveLength(second.local.length)
    expect(third.domain).toBe('three.example')
    expect(faultOf(third)).toBe('SRS0=abcd=XY=a.b=bob@one.example')
    // What one made the other cannot pass off as its own.
    const foreign = rewrite(second, OURS, Buffer.from('another one'), NOW)!
    expect(faultOf(foreign)).toBe('forged')
  })

  it('is hidden as a whole if it only looks like SRS1', () => {
    const odd = { local: 'SRS1=x=no domain==y', domain: 'one.example' }
    const via = rewrite(odd, OURS, SECRET, NOW)!
    expect(via.local).toMatch(/^SRS0=/)
    expect(reverse(via, SECRET, NOW)).toEqual(odd)
  })

  it('has no day of ours: the first forwarder knows how old it is', () => {
    const via = forwarded('SRS0=abcd=XY=a.b=bob@one.example')
    expect(faultOf(via, { now: NOW + 500 * DAY })).toBe('SRS0=abcd=XY=a.b=bob@one.example')
  })
})
