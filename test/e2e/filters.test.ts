/** What filters say reaches the client, what they add stands in front of the mail, and a reload changes them. */
import { readFile, writeFile } from 'node:fs/promises'
import { afterEach, describe, expect, test } from 'vitest'
import { deliver, fetchAll } from '../helpers/mail-talk.js'
import { testWith } from '../helpers/programs.js'
import { DOMAIN, PASSWORD, type RunningServer, Site } from '../helpers/site.js'
import { startOpendkim } from '../filter/opendkim-server.js'
import { Rspamd } from '../filter/rspamd-server.js'

const ALICE = `alice@${DOMAIN}`
const DOWN = '[filter.rspamd]\nurl = "http://127.0.0.1:1"'
const mail = (wanted: string): string =>
  `From: bob@far.example\r\nX-Wanted: ${wanted}\r\nSubject: x\r\n\r\nhello\r\n`

let site: Site
afterEach(() => site.remove())

async function started(filters: string): Promise<RunningServer> {
  site = await Site.create()
  await site.users('alice')
  await site.configure(filters)
  return site.start()
}

const received = (server: RunningServer) => fetchAll(server.port('pop3'), ALICE, PASSWORD)

describe('a running server', () => {
  testWith(
    ['rspamd', 'opendkim'],
    'asks rspamd and a milter, and passes on what they say',
    async () => {
      const rspamd = await Rspamd.start()
      const opendkim = await startOpendkim('AlwaysAddARHeader yes', 'KeepAuthResults yes')
      try {
        const milter = `[filter.milter]\nendpoints = ["inet:127.0.0.1@${opendkim.endpoint.port}"]`
        const server = await started(`[filter.rspamd]\nurl = "${rspamd.url}"\n${milter}`)
        const smtp = server.port('smtp')
        expect(await deliver(smtp, ALICE, mail('reject'))).toBe('554 5.7.1 as you wish')
        expect(await deliver(smtp, ALICE, mail('soft reject'))).toBe('451 4.7.1 as you wish')
        expect(await received(server)).toEqual([])
        expect(await deliver(smtp, ALICE, mail('nothing'))).toMatch(/^250 2\.0\.0 /)
        expect(await deliver(smtp, ALICE, mail('add header'))).toMatch(/^250 2\.0\.0 /)
        const [plain, junk] = (await received(server)).map((message) => message.toString())
        const front = /^Return-Path: .*\r\nDelivered-To: .*\r\n(?:X-(?:Seen|Twice).*\r\n){9}/
        const results = 'Authentication-Results: mx.example; dkim=none'
        expect(plain).toMatch(new RegExp(`${front.source}${results}.*\r\nReceived: `))
        expect(junk).toMatch(new RegExp(`${front.source}${results}.*\r\nX-Spam-Flag: YES\r\nRec`))
        expect(plain).toContain(`\r\n${mail('nothing')}`)
      } finally {
        await Promise.all([rspamd.stop(), opendkim.stop()])
      }
    },
  )

  test('ends loops, and mail can be fetched and sent again by somebody else', async () => {
    const server = await started('')
    await site.users('bob')
    const smtp = server.port('smtp')
    expect(await deliver(smtp, ALICE, mail('x'))).toMatch(/^250 /)
    const [message] = await received(server)
    expect(await deliver(smtp, ALICE, message!)).toMatch(/^554 5\.4\.6 mail loop: /)
    expect(await deliver(smtp, `bob@${DOMAIN}`, message!)).toMatch(/^250 /)
  })

  test('takes no mail while a filter is away, and does again after a reload without it', async () => {
    const server = await started(DOWN)
    const smtp = server.port('smtp')
    expect(await deliver(smtp, ALICE, mail('x'))).toBe(
      '451 4.7.1 mail cannot be checked now; try again later',
    )
    expect(server.output).toMatch(/filter failed .*filter=rspamd .*then=defer .*ECONNREFUSED/)
    const text = await readFile(site.config, 'utf8')
    await writeFile(site.config, text.replace(DOWN, `${DOWN}\non_error = "accept"`))
    server.signal('SIGHUP')
    await server.says(/config reloaded/)
    expect(await deliver(smtp, ALICE, mail('x'))).toMatch(/^250 /)
    expect(await received(server)).toHaveLength(1)
  })
})
