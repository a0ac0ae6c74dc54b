import { X509Certificate } from 'node:crypto'
import { chmod, mkdir } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { makeSelfSigned } from '../../src/net/self-signed.js'
import { checkNode } from '../../cli/check-server.js'
import { Findings } from '../../cli/findings.js'
import { oneLine, Workplace } from './workplace.js'

async function lines(place: Workplace): Promise<[number | null, string[]]> {
  const { code, err } = await place.mailtap(['check'])
  return [
    code,
    err
      .trim()
      .split('\n')
      .map((line) => line.replace(/^mailtap: /, '')),
  ]
}

describe('mailtap check', () => {
  test('finds a new installation fit to run, and says what it lacks', async () => {
    const place = await Workplace.withConfig()
    const [code, found] = await lines(place)
    expect(code).toBe(0)
    expect(found).toContain(
      'warning: postmaster@example.com: nobody can log in to read its mail; run: mailtap user add postmaster@example.com',
    )
    expect(found.join()).toContain('self-signed certificate')
    expect(found.join()).not.toContain('error:')
  })

  test('is content with a postmaster who can log in', async () => {
    const place = await Workplace.withConfig('-u', 'postmaster')
    expect((await lines(place))[1].join()).not.toContain('postmaster')
    await place.write('Maildir/.users/postmaster', '!\n')
    expect((await lines(place))[1].join()).toContain('mailtap user passwd postmaster@example.com')
  })

  test('tells everything about the files that a config names, at once', async () => {
    const place = await Workplace.withConfig('-u', 'postmaster')
    await chmod(place.file('Maildir'), 0o755)
    await mkdir(place.file('mailtap-state'))
    await chmod(place.file('mailtap-state'), 0o755)
    await chmod(place.file('Maildir/.users'), 0o755)
    await place.write('Maildir/.users/bad', 'nonsense = \n')
    await place.write('Maildir/.users/Upper', '{PLAIN}x\n')
    await place.write('Maildir/.users/typo', 'pasword = "{PLAIN}x"\n')
    await place.write('Maildir/.users/quota', 'password = "{PLAIN}x"\n[[app_password]]\nx = 1\n')
    await place.write('Maildir/.users/open', '{PLAIN}x\n')
    await chmod(place.file('Maildir/.users/open'), 0o644)
    await place.write('Maildir/.aliases', 'sales: joe@elsewhere.org\nprog: "|/nowhere/cat"\n')
    const [code, found] = await lines(place)
    const at = (name: string): string => place.file(`Maildir/${name}`)
    expect(code).toBe(78)
    for (const words of [
      `warning: ${at('')}`.replace(/\/$/, ': others'),
      `warning: ${at('.users')}: others`,
      `warning: ${place.file('mailtap-state')}: others`,
      `${at('.users/bad')}:2:1: neither`,
      `${at('.users/Upper')}: this name`,
      `${at('.users/typo')}:1:1: unknown key`,
      `${at('.users/quota')}:3:1: unknown key`,
      `${at('.users/open')}: everybody`,
      `${at('.aliases')}:1: sales: joe@elsewhere.org is at no domain`,
      `${at('.aliases')}:2: prog: /nowhere/cat cannot be run`,
    ]) {
      expect(
        found.some((line) => line.startsWith(words)),
        `${words}\n${found.join('\n')}`,
      ).toBe(true)
    }
  })

  test('tells of a broken aliases file', async () => {
    const place = await Workplace.withConfig()
    await place.write('Maildir/.aliases', 'a: b\nwhat is this\n')
    const [code, found] = await lines(place)
    expect([code, found.join()]).toEqual([78, expect.stringContaining('.aliases:2: expected')])
  })

  test('looks at the certificate', async () => {
    const place = await Workplace.withConfig()
    const pem = await makeSelfSigned('mail.example.com')
    await place.write('tls.pem', pem)
    await place.write(
      'mailtap.toml',
      [
        'hostname = "other.example.com"',
        '[listen]\nsmtp = ["8025"]',
        '[tls]\ncert = "tls.pem"\nkey = "tls.pem"',
        '[domains."example.com"]\npath = "Maildir"\n',
      ].join('\n'),
    )
    const [code, found] = await lines(place)
    expect(new X509Certificate(pem).subjectAltName).toContain('mail.example.com')
    expect(code).toBe(0)
    expect(found.join()).toContain('tls.pem: this certificate is not for other.example.com')
    expect(found.join()).toContain('tls.pem: this certificate is self-signed')
  })

  test('finds a key that belongs to another certificate', async () => {
    const place = await Workplace.withConfig()
    await place.write('a.pem', await makeSelfSigned('a.org'))
    await place.write('b.pem', await makeSelfSigned('a.org'))
    const config = await place.read('mailtap.toml')
    await place.write('mailtap.toml', `${config}\n[tls]\ncert = "a.pem"\nkey = "b.pem"\n`)
    const [code, found] = await lines(place)
    expect([code, found.join()]).toEqual([78, expect.stringContaining('does not belong to')])
  })

  test('finds an endpoint that is named twice', async () => {
    const place = await Workplace.withConfig()
    const config = await place.read('mailtap.toml')
    await place.write('mailtap.toml', config.replace(/127\.0\.0\.1:0/g, '8025'))
    const [code, found] = await lines(place)
    expect([code, found.join()]).toEqual([
      78,
      expect.stringContaining("'8025' is taken by listen.smtp[0] ('8025')"),
    ])
  })

  test('finds that nothing is listened on, and so does run', async () => {
    const place = await Workplace.make()
    const listen = ['-s', 'none', '-p', 'none']
    const made = await place.mailtap(['create', '-d', 'a.org=./a', ...listen])
    expect([made.code, oneLine(made)]).toEqual([0, expect.stringContaining('warning: no listener')])
    expect(await lines(place)).toEqual([
      78,
      expect.arrayContaining([expect.stringContaining('[listen] names no endpoint; write one')]),
    ])
    const outcome = await place.mailtap(['run'])
    expect([outcome.code, oneLine(outcome)]).toEqual([
      78,
      expect.stringContaining('[listen] names'),
    ])
  })

  test('prints all problems of the config, with their places', async () => {
    const place = await Workplace.make()
    await place.write('mailtap.toml', 'one = 1\nauth = ["radius"]\n[domains.a]\npath = "nowhere"\n')
    const [code, found] = await lines(place)
    expect(code).toBe(78)
    expect(found.filter((line) => !line.startsWith('warning'))).toEqual([
      expect.stringMatching(/^mailtap\.toml:1:1: unknown key "one"/),
      expect.stringMatching(
        /^mailtap\.toml:2:9: 'radius' is no checker of this version; use directory/,
      ),
      expect.stringMatching(/^mailtap\.toml:4:1: .*nowhere: no such directory/),
    ])
  })

  test('gives programs JSON', async () => {
    const place = await Workplace.withConfig()
    const { code, out } = await place.mailtap(['check', '--json'])
    expect(code).toBe(0)
    expect(JSON.parse(out)).toEqual({ errors: [], warnings: expect.any(Array) as string[] })
  })

  test('says which Node gets no fixes any more', () => {
    const findings = new Findings()
    checkNode('20.20.2', findings)
    checkNode('22.0.0', findings)
    checkNode('24.1.0', findings)
    expect(findings.warnings).toEqual([
      'Node 20.20.2 gets no security fixes any more; install Node 22 or later',
    ])
  })
})
