import { describe, expect, it } from 'vitest'
import { metricsAsWritten } from '../../src/config/metrics-config.js'
import { DOMAIN, load, problems } from './stage.js'

const of = (text: string, more = '') => `${more}${DOMAIN}[metrics]\n${text}\n`

describe('[metrics]', () => {
  it('is off if nothing is said', async () => {
    expect(await load(DOMAIN)).not.toHaveProperty('metrics')
  })

  it('names a port of this machine', async () => {
    const { metrics } = await load(of('listen = "127.0.0.1:9125"'))
    expect(metricsAsWritten(metrics!)).toEqual({ listen: '127.0.0.1:9125', allow: [] })
    expect(await problems(of('listen = "[::1]:9125"'))).toEqual([])
    expect(await problems(of('listen = "unix:/run/metrics.sock"'))).toEqual([])
  })

  it('lets others ask only where networks are given', async () => {
    for (const place of ['9125', '192.0.2.1:9125', '0.0.0.0:9125']) {
      const [problem, ...more] = await problems(of(`listen = "${place}"`))
      expect(more).toEqual([])
      expect(problem).toContain(
        'can be asked from elsewhere; use 127.0.0.1, or say in allow who may',
      )
    }
    const { metrics } = await load(of('listen = "9125"\nallow = ["192.0.2.0/24"]'))
    expect(metrics!.allow.has('192.0.2.9')).toBe(true)
    expect(metrics!.allow.has('198.51.100.9')).toBe(false)
  })

  it('cannot have a port that mail has, nor options of mail ports', async () => {
    const listen = '[listen]\npop3 = ["127.0.0.1:110"]\n'
    expect(await problems(of('listen = "127.0.0.1:110"', listen))).toEqual([
      expect.stringContaining('is taken by [listen]'),
    ])
    expect(await problems(of('listen = "127.0.0.1:9125?proxy=192.0.2.1"'))).toEqual([
      expect.stringContaining('proxy='),
    ])
    expect(await problems(of('listen = "nowhere"'))).toHaveLength(1)
    expect(await problems(of('allow = []'))).toHaveLength(1)
  })
})
