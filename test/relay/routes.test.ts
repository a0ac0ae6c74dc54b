import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseAddress } from '../../src/mail/address.js'
import { Routes } from '../../src/relay/routes.js'
import { route, smarthosts } from './relay-stage.js'

const DOMAINS = ['a.org', 'x.a.org', 'y.x.a.org', 'b.org', 'xa.org']
const domain = fc.constantFrom(...DOMAINS)
const patterns = fc.subarray(['a.org', '.a.org', 'b.org', '.x.a.org'])
const users = fc.subarray(['joe@a.org', '@b.org', 'JOE@x.a.org'.toLowerCase()])
const match = fc.record({ senderDomains: patterns, recipientDomains: patterns, users })
const way = fc.record({
  from: fc.option(domain.map((name) => ({ local: 's', domain: name }))),
  user: fc.option(domain.map((name) => `joe@${name}`)),
  to: domain.map((name) => ({ local: 't', domain: name })),
})

/** The same rule in the words of the documentation. */
function isFor(all: string[], name: string | undefined): boolean {
  if (all.length === 0) return true
  if (name === undefined) return false
  return all.some((each) => (each.startsWith('.') ? name.endsWith(each) : name === each))
}

describe('the way of a mail', () => {
  test('is the first route that fits in every respect', () => {
    fc.assert(
      fc.property(fc.array(match, { maxLength: 5 }), way, (matches, mail) => {
        const named = matches.map((each, index) => route(`r${index}`, { match: each }))
        const usual = route('default')
        const routes = new Routes({ routes: [...named, usual], tlsPolicies: [] })
        const first = named.find(({ match: { senderDomains, recipientDomains, users: who } }) => {
          const byUser =
            who.length === 0 ||
            (mail.user !== null &&
              (who.includes(mail.user) || who.includes(`@${mail.user.split('@')[1]}`)))
          return (
            isFor([...senderDomains], mail.from?.domain) &&
            isFor([...recipientDomains], mail.to.domain) &&
            byUser
          )
        })
        const name = (first ?? usual).name
        expect(routes.laneOf(mail)).toBe(`mx:${name}:${mail.to.domain}`)
        expect(routes.find(routes.laneOf(mail))).toEqual({
          route: first ?? usual,
          domain: mail.to.domain,
        })
      }),
    )
  })

  test('is one lane for all mail to a smarthost, and fits into 300 characters by MX', () => {
    const via = smarthosts('smtp://relay.example')
    const routes = new Routes({
      routes: [
        route('n'.repeat(32), { match: { ...route('x').match, recipientDomains: ['.org'] } }),
        route('default', { via }),
      ],
      tlsPolicies: [],
    })
    const long = `${'a.'.repeat(125)}org`
    const lane = (to: string) => routes.laneOf({ from: null, user: null, to: parseAddress(to)! })
    expect(lane('a@a.net')).toBe('smarthost:default')
    expect(lane('a@b.net')).toBe('smarthost:default')
    expect(lane(`a@${long}`)).toBe(`mx:${'n'.repeat(32)}:${long}`)
    expect(lane(`a@${long}`).length).toBeLessThanOrEqual(300)
    expect(lane('a@[192.0.2.1]')).toBe('smarthost:default')
  })

  test('is none without routes, and a lane of a route that has gone or changed its kind is none', () => {
    const none = new Routes({ routes: [], tlsPolicies: [] })
    const to = parseAddress('a@a.net')!
    expect(none.laneOf({ from: null, user: null, to })).toBe('none')
    const routes = new Routes({ routes: [route('default')], tlsPolicies: [] })
    for (const lane of ['none', 'mx:other:a.net', 'smarthost:default', '', 'mx:default:'])
      expect(routes.find(lane)).toBeNull()
  })

  test('asks of TLS by MX what is said closest to the domain', () => {
    const routes = new Routes({
      routes: [route('default')],
      tlsPolicies: [
        { domain: '.org', tls: 'never' },
        { domain: '.a.org', tls: 'encrypt' },
        { domain: 'b.a.org', tls: 'dane' },
        { domain: 'c.org', tls: 'verify' },
      ],
    })
    const tls = (name: string, over = {}) => routes.tlsFor(route('x', over), name)
    const domains = ['z.org', 'a.org', 'z.a.org', 'b.a.org', 'c.org', 'a.net']
    expect(domains.map((name) => tls(name))).toEqual([
      ...['never', 'never', 'encrypt', 'dane', 'verify', 'auto'],
    ])
    expect(tls('a.net', { tls: 'encrypt' })).toBe('encrypt')
  })
})
