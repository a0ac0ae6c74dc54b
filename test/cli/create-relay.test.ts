import { expect, test } from 'vitest'
import { Workplace } from './workplace.js'

const LINE = ['create', '-d', 'example.com=./Maildir']

test('create -R writes the way, and keeps the password out of the config', async () => {
  const place = await Workplace.make()
  await place.write('pw', 'open sesame\n')
  const via = ['-R', 'smtps://joe@one.example', '-R', 'smtp://joe@two.example:2525']
  const made = await place.mailtap([...LINE, ...via, '--relay-password-file', 'pw'])
  expect([made.code, made.err]).toEqual([0, ''])
  expect(made.out).toContain('password for joe at one.example in mailtap-state/relay-password')
  expect(made.out).toContain('  mailtap relay test\n')
  const config = await place.read('mailtap.toml')
  expect(config).toContain(
    '[relay]\nvia = ["smtps://joe@one.example", "smtp://joe@two.example:2525"]\n' +
      'password_file = "mailtap-state/relay-password"\n',
  )
  expect(config + made.out).not.toContain('sesame')
  expect(await place.read('mailtap-state/relay-password')).toBe('open sesame\n')
  expect(await place.mode('mailtap-state/relay-password')).toBe('600')
  expect(await place.mode('mailtap-state')).toBe('700')
  const shown = await place.mailtap(['config', 'show'])
  expect(shown.out).toContain(
    '[relay]\nvia = ["smtps://joe@one.example:465", "smtp://joe@two.example:2525"]\n',
  )
  await place.write('again.toml', shown.out.replace(/^aliases = .*\n/m, ''))
  expect((await place.mailtap(['config', 'show', '-c', 'again.toml'])).out).toBe(shown.out)
})

test('create -R writes the place of the password as it is seen from the config', async () => {
  const place = await Workplace.make()
  await place.write('pw', 'open sesame\n')
  await place.write('etc/keep', '')
  const more = ['-R', 'smtps://joe@one.example', '--relay-password-file', 'pw', '-o', 'etc/m.toml']
  expect((await place.mailtap([...LINE, ...more])).code).toBe(0)
  expect(await place.read('etc/m.toml')).toContain(
    'password_file = "./mailtap-state/relay-password"\n',
  )
  expect(place.has('etc/mailtap-state/relay-password')).toBe(true)
  expect((await place.mailtap(['config', 'show', '-c', 'etc/m.toml'])).code).toBe(0)
})

test('create -R mx needs no password, and a dry run keeps none', async () => {
  const place = await Workplace.make()
  const dry = await place.mailtap([...LINE, '-n', '-R', 'smtps://joe@one.example'])
  expect([dry.code, dry.out]).toEqual([0, expect.stringContaining('would keep the password for')])
  expect(place.has('mailtap-state')).toBe(false)
  expect((await place.mailtap([...LINE, '-R', 'mx'])).code).toBe(0)
  expect(await place.read('mailtap.toml')).toMatch(/^\[relay\]\nvia = \["mx"\]\n# password_file/m)
  expect(place.has('mailtap-state')).toBe(false)
  const twice = await place.mailtap(['create', '-a', '-d', 'b.org=./b', '-R', 'mx'])
  expect([twice.code, twice.err]).toEqual([
    64,
    expect.stringContaining('relay.via is set there already'),
  ])
})

test('routes and policies are shown whole, so that what is shown is a config again', async () => {
  const place = await Workplace.withConfig()
  const route = '[[relay.route]]\nsender_domain = "a.org"\nvia = ["smtp://a.org"]\nrate = "9/s"\n'
  const tls = '[relay.tls_policy]\n"b.org" = "verify"\n'
  const config = await place.read('mailtap.toml')
  await place.write('mailtap.toml', `${config}\n[relay]\nvia = ["mx"]\n${route}${tls}`)
  const shown = await place.mailtap(['config', 'show'])
  expect(shown.out).toContain('[[relay.route]]\nname = "route1"\nsender_domain = ["a.org"]\n')
  expect(shown.out).toContain('[relay.tls_policy]\n"b.org" = "verify"\n')
  await place.write('again.toml', shown.out.replace(/^aliases = .*\n/m, ''))
  expect((await place.mailtap(['config', 'show', '-c', 'again.toml'])).out).toBe(shown.out)
})

test('check looks at the files of the relay and finds loops, without asking anybody', async () => {
  const place = await Workplace.make()
  await place.write('pw', 'one\ntwo\n')
  await place.write('ca.pem', 'nothing')
  await place.write(
    'mailtap.toml',
    [
      'hostname = "mail.example.com"\n[listen]\nsmtp = ["2525"]\n[domains."example.com"]',
      'path = "."\n[relay]\npassword_file = "pw"\nca = "ca.pem"',
      'via = ["smtp://joe@127.0.0.1:2525", "smtp://mail.example.com:2525", "smtp://127.0.0.1:2526"]',
    ].join('\n'),
  )
  const { code, err } = await place.mailtap(['check'])
  expect(code).toBe(78)
  expect(err).toContain(`${place.file('pw')}: more than one line`)
  expect(err).toContain(`${place.file('ca.pem')}: no certificate in PEM`)
  expect(err).toContain('smtp://joe@127.0.0.1:2525 (route default) is this server itself')
  expect(err).toContain('smtp://mail.example.com:2525 (route default) is this server itself')
  expect(err).not.toContain('2526')
})
