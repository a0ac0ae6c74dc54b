/** Attacks on the step from clear text to TLS (T1 to T4), over real sockets, on both protocols. */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { expectCode, expectOk, logIn, stillAnswers } from '../helpers/mail-talk.js'
import { DOMAIN, PASSWORD, type RunningServer, Site } from '../helpers/site.js'
import { Talk } from '../helpers/talk.js'

/**
 * Milliseconds from the command to the injected one: before, while and after the server says that
 * it is ready.
 */
const DELAYS = [0, 1, 2, 3, 5, 8, 12, 20, 30, 50]
const TRIES = 5
const ALICE = `alice@${DOMAIN}`

let site: Site
let server: RunningServer
beforeAll(async () => {
  site = await Site.create()
  await site.users('alice')
  server = await site.start()
})
afterAll(() => site.remove())
afterEach(() => stillAnswers(server.ports))

async function smtp(): Promise<Talk> {
  const talk = await Talk.to(server.port('smtp'))
  await expectCode(talk.reply(), 220)
  await expectCode(talk.ask('EHLO client.example'), 250)
  return talk
}

async function pop3(): Promise<Talk> {
  const talk = await Talk.to(server.port('pop3'))
  await expectOk(talk.line())
  return talk
}

const PROTOCOLS = [
  { protocol: 'smtp', open: smtp, begin: 'STARTTLS', injected: 'EHLO injected' },
  { protocol: 'pop3', open: pop3, begin: 'STLS', injected: 'CAPA' },
] as const

/**
 * What the server does after the injection: either it hangs up, or TLS begins
 * and nothing is heard in it until the client speaks.
 */
async function expectNothingOfIt(talk: Talk, ready: RegExp): Promise<void> {
  const secured = await talk.secure().then(
    () => true,
    () => false,
  )
  if (!secured) {
    // At most one reply in clear: that to the command itself.
    expect(talk.sofar()).toMatch(ready)
    return
  }
  await sleep(20)
  expect(talk.sofar()).toBe('')
  talk.close()
}

describe.each(PROTOCOLS)('$protocol', ({ open, begin, injected }) => {
  test('T1: a command in the packet of the one that begins TLS is never answered', async () => {
    for (const separate of [false, true]) {
      const talk = await open()
      const bytes = `${begin}\r\n${injected}\r\n`
      if (separate) await talk.trickle(bytes)
      else talk.send(bytes)
      const heard = await talk.rest()
      // In one packet it is seen at once; byte by byte it is no TLS handshake.
      expect(heard).toMatch(
        separate
          ? /^((554 5\.5\.0|220|\+OK|-ERR) [^\r]*\r\n)?$/
          : /^(554 5\.5\.0|-ERR) [^\r]*\r\n$/,
      )
    }
  })

  test('T2: a command that comes before the handshake is never answered', async () => {
    const attempts = DELAYS.flatMap((delay) => Array.from({ length: TRIES }, () => delay))
    await Promise.all(
      attempts.map(async (delay) => {
        const talk = await open()
        talk.send(`${begin}\r\n`)
        await sleep(delay)
        talk.send(`${injected}\r\n`)
        const said = /^((220 2\.0\.0|554 5\.5\.0|\+OK|-ERR) [^\r]*\r\n)?$/
        await expectNothingOfIt(talk, said)
      }),
    )
  })

  test('T4: no TLS inside TLS, and no argument', async () => {
    const talk = await open()
    expect(await talk.ask(`${begin} now`)).toMatch(/^(501 5\.5\.4|-ERR) /)
    expect(await talk.ask(begin)).toMatch(/^(220 2\.0\.0|\+OK) /)
    await talk.secure()
    expect(await talk.ask(begin)).toMatch(/^(503 5\.5\.1|-ERR) /)
    talk.close()
  })
})

describe('smtp', () => {
  test('T3: TLS forgets all that was said in clear', async () => {
    const talk = await smtp()
    await expectCode(talk.ask('STARTTLS'), 220)
    await talk.secure()
    for (const command of ['MAIL FROM:<bob@elsewhere.example>', `RCPT TO:<${ALICE}>`, 'DATA'])
      expect(await talk.ask(command)).toMatch(/^503 5\.5\.1 /)
    expect(await talk.ask('EHLO client.example')).not.toMatch(/STARTTLS/)
    expect(await talk.ask('DATA')).toMatch(/^503 5\.5\.1 /)
    talk.close()
  })

  test('T3: TLS does not begin inside a transaction', async () => {
    const talk = await smtp()
    await expectCode(talk.ask('MAIL FROM:<bob@elsewhere.example>'), 250)
    expect(await talk.ask('STARTTLS')).toMatch(/^503 5\.5\.1 /)
    await expectCode(talk.ask(`RCPT TO:<${ALICE}>`), 250)
    expect(await talk.ask('STARTTLS')).toMatch(/^503 5\.5\.1 /)
    await expectCode(talk.ask('DATA'), 354)
    talk.close()
  })
})

describe('pop3', () => {
  test('T3: a name that was said in clear is forgotten', async () => {
    const talk = await pop3()
    await expectOk(talk.ask(`USER ${ALICE}`))
    await expectOk(talk.ask('STLS'))
    await talk.secure()
    expect(await talk.ask(`PASS ${PASSWORD}`)).toMatch(/^-ERR /)
    talk.close()
  })

  test('T2: what comes while a password is checked is never answered inside TLS', async () => {
    const talk = await pop3()
    await expectOk(talk.ask(`USER ${ALICE}`))
    for (const command of ['PASS wrong', 'STLS', 'CAPA']) {
      talk.send(`${command}\r\n`)
      await sleep(1)
    }
    const heard = await talk.rest()
    // The check takes longer than the others need to come; where it does not, they are no handshake.
    expect(heard).toMatch(/^-ERR \[AUTH\] [^\r]*\r\n(-ERR|\+OK) [^\r]*\r\n/)
    expect(heard).not.toMatch(/capability|\r\nTOP/)
  })

  test('T3: TLS does not begin after the login', async () => {
    const talk = await Talk.to(server.port('pop3'))
    await expectOk(logIn(talk, ALICE, PASSWORD))
    expect(await talk.ask('STLS')).toMatch(/^-ERR /)
    await expectOk(talk.ask('QUIT'))
  })

  test('T4: STLS is not offered, and refused, where TLS is there from the start', async () => {
    const talk = await Talk.securely(server.port('pop3s'))
    await expectOk(talk.line())
    await expectOk(talk.ask('CAPA'))
    expect((await talk.text()).toString()).not.toMatch(/STLS/)
    expect(await talk.ask('STLS')).toMatch(/^-ERR /)
    talk.close()
  })
})
