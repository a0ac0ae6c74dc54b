import { describe, expect, test } from 'vitest'
import { Workplace } from './workplace.js'

const WARNING = 'warning: [pop3] apop = "on", but no account'

async function configured(apop: string | null): Promise<Workplace> {
  const place = await Workplace.withFiles()
  const config = await place.read('mailtap.toml')
  if (apop !== null) await place.write('mailtap.toml', `${config}[pop3]\napop = "${apop}"\n`)
  return place
}

describe('mailtap user -s plain', () => {
  test.each([
    [null, 'while every account has such a password, or with apop = "on" in [pop3]'],
    ['on', 'to everybody: apop = "on" in [pop3]'],
    ['off', 'to nobody: apop = "off" in [pop3]'],
  ])('says when APOP is offered where apop is %j', async (apop, when) => {
    const place = await configured(apop)
    for (const verb of ['add', 'passwd']) {
      const args = ['user', verb, 'alice', '--password-stdin', '-s', 'plain']
      const { code, out } = await place.mailtap(args, { input: 'x' })
      expect([code, out.split('\n').slice(1)]).toEqual([0, [`APOP is offered ${when}`, '']])
    }
  })

  test('says so for no other scheme', async () => {
    const place = await configured(null)
    const args = ['user', 'add', 'alice', '--password-stdin']
    expect((await place.mailtap(args, { input: 'x' })).out).not.toContain('APOP')
  })
})

describe('mailtap check', () => {
  test('warns of an APOP that nobody can use', async () => {
    const place = await configured('on')
    await place.write('Maildir/.users/postmaster', '$argon2id$x\n')
    expect((await place.mailtap(['check'])).err).toContain(WARNING)
    await place.write('Maildir/.users/alice', '{PLAIN}x\n')
    expect((await place.mailtap(['check'])).err).not.toContain(WARNING)
  })

  test('does not where APOP is offered only to whom it serves', async () => {
    const place = await configured('auto')
    await place.write('Maildir/.users/postmaster', '$argon2id$x\n')
    expect((await place.mailtap(['check'])).err).not.toContain('APOP')
  })
})
