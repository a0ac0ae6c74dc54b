import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { salvage } from '../../src/config/salvage.js'
import { checkForm, jsonSchema } from '../../src/config/schema.js'

describe('the form of the settings', () => {
  test('is judged for any value without a throw, and each problem has words', () => {
    const value = fc.dictionary(
      fc.constantFrom('hostname', 'listen', 'domains', 'tls', 'limits', 'log', 'auth', 'x'),
      fc.jsonValue(),
    )
    fc.assert(
      fc.property(value, (settings) => {
        const checked = checkForm(settings)
        if (checked.settings !== null) return
        expect(checked.problems.length).toBeGreaterThan(0)
        for (const { what } of checked.problems)
          expect(what).not.toMatch(/\n|Invalid input|undefined/)
      }),
    )
  })

  test('can be looked at further once what is wrong was cut out', () => {
    const value = fc.record({
      hostname: fc.jsonValue(),
      listen: fc.jsonValue(),
      limits: fc.dictionary(fc.constantFrom('message_size', 'connections', 'x'), fc.jsonValue()),
      domains: fc.dictionary(
        fc.constantFrom('a.org', 'b.org'),
        fc.dictionary(fc.constantFrom('path', 'aliases', 'y'), fc.jsonValue()),
      ),
    })
    fc.assert(
      fc.property(value, (settings) => {
        const before = structuredClone(settings)
        const checked = checkForm(settings)
        const problems = checked.settings === null ? checked.problems : []
        expect(salvage(settings, problems)).not.toBeNull()
        expect(settings).toEqual(before)
      }),
    )
  })

  test('is a JSON Schema that tells what every key is for', () => {
    const schema = jsonSchema() as { properties: Record<string, { description?: string }> }
    expect(Object.keys(schema.properties)).toEqual(
      expect.arrayContaining(['listen', 'domains', 'tls']),
    )
    expect(schema.properties['hostname']!.description).toContain('EHLO')
    expect(JSON.stringify(schema)).toContain('"not":{}')
  })
})
