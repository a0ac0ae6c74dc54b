import { expect, test } from 'vitest'
import { loadConfig } from '../../src/config/load.js'
import { Workplace } from './workplace.js'

const FILTERS = `[filter.headers]
require = ["From"]
[filter.dnsbl]
lists = ["zen.spamhaus.org", "bl.example=127.0.0.2,127.0.0.10"]
[filter.greylist]
enabled = true
delay = 90
[filter.rspamd]
on_error = "accept"
[filter.milter]
endpoints = ["inet:[::1]@8891", "unix:/run/milter.sock"]
timeout = 7
`

test('filters are shown as they can be written', async () => {
  const place = await Workplace.withConfig()
  const shown = await place.mailtap(['config', 'show'])
  // What is shown names a file of aliases that need not be there.
  const text = shown.out.replace(/^aliases = .*\n/m, '')
  await place.write('with.toml', text.replace(/^\[filter\.[^]*?(?=\[log\])/m, FILTERS))
  const again = await place.mailtap(['config', 'show', '-c', 'with.toml'])
  for (const line of FILTERS.trim().split('\n')) expect(again.out).toContain(`${line}\n`)
  await place.write('again.toml', again.out.replace(/^aliases = .*\n/m, ''))
  const [one, other] = await Promise.all(
    ['with.toml', 'again.toml'].map((file) => loadConfig(place.file(file), ['directory'])),
  )
  expect(other!.filter).toEqual(one!.filter)
  const json = await place.mailtap(['config', 'show', '-c', 'with.toml', '--json'])
  expect(JSON.parse(json.out)).toMatchObject({ filter: { greylist: { enabled: true, delay: 90 } } })
})
