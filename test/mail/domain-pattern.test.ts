import { expect, test } from 'vitest'
import { closestPattern, domainFits, parseDomainPattern } from '../../src/mail/domain-pattern.js'

test.each([
  ['Example.COM', 'example.com'],
  ['.Example.com', '.example.com'],
  ['.bücher.example', '.xn--bcher-kva.example'],
  ['[192.0.2.1]', '[192.0.2.1]'],
  ['.[192.0.2.1]', null],
  ['..com', null],
  ['.', null],
  ['', null],
  ['a b', null],
  ['*.example.com', null],
])('%j names the domains %j', (text, pattern) => {
  expect(parseDomainPattern(text)).toBe(pattern)
})

test.each([
  ['a.org', 'a.org', true],
  ['a.org', 'b.a.org', false],
  ['.a.org', 'b.a.org', true],
  ['.a.org', 'c.b.a.org', true],
  ['.a.org', 'a.org', false],
  ['.a.org', 'ba.org', false],
])('%s fits %s: %s', (pattern, domain, fits) => {
  expect(domainFits(pattern, domain)).toBe(fits)
})

test('the domain itself comes before all that it lies below, and the longest of these first', () => {
  const patterns = ['.org', '.b.a.org', '.a.org', 'b.a.org'].map((domain) => ({ domain }))
  expect(closestPattern(patterns, 'b.a.org')?.domain).toBe('b.a.org')
  expect(closestPattern(patterns, 'c.b.a.org')?.domain).toBe('.b.a.org')
  expect(closestPattern(patterns, 'c.a.org')?.domain).toBe('.a.org')
  expect(closestPattern(patterns, 'a.org')?.domain).toBe('.org')
  expect(closestPattern(patterns, 'org')).toBeNull()
})
