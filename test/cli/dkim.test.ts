import { utimes } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { oneLine, Workplace } from './workplace.js'

const YEAR = new Date().getUTCFullYear()
const NAME = `${YEAR}a`

interface Listed {
  readonly selector: string
  readonly state: string
  readonly signsFrom: string | null
  readonly name: string
  readonly strings: readonly string[]
}

async function listed(place: Workplace, domain = 'example.com'): Promise<Listed[]> {
  const { code, out, err } = await place.mailtap(['dkim', 'txt', domain, '--json'])
  if (code !== 0) throw new Error(err)
  return JSON.parse(out) as Listed[]
}

const states = (all: readonly Listed[]): string[] =>
  all.map(({ selector, state }) => `${selector} ${state}`)

test('makes a key of each kind that nobody else can read, and prints what the DNS needs', async () => {
  const place = await Workplace.withConfig()
  const { code, out, err } = await place.mailtap(['dkim', 'generate', 'example.com'])
  expect([code, err]).toEqual([0, ''])
  const lines = out.split('\n')
  expect(lines).toHaveLength(5)
  expect([lines[0], lines[2]]).toEqual(['; signs now', '; signs now'])
  expect(lines[1]).toMatch(
    new RegExp(
      `^${NAME}-ed25519\\._domainkey\\.example\\.com\\. 3600 IN TXT \\( "v=DKIM1; k=ed25519; p=[\\w+/]{43}=" \\)$`,
    ),
  )
  expect(lines[3]).toMatch(
    new RegExp(
      `^${NAME}-rsa\\._domainkey\\.example\\.com\\. 3600 IN TXT \\( "v=DKIM1; k=rsa; p=[\\w+/]{237}" "[\\w+/]+=*" \\)$`,
    ),
  )
  expect(await place.mode('Maildir/.dkim')).toBe('700')
  for (const kind of ['rsa', 'ed25519'])
    expect(await place.mode(`Maildir/.dkim/${NAME}-${kind}.pem`)).toBe('600')
  expect((await place.mailtap(['dkim', 'txt', 'example.com'])).out).toBe(out)
  const check = await place.mailtap(['check'])
  expect(check.err).not.toContain('.dkim')
})

test('makes further keys, which take over a day later', async () => {
  const place = await Workplace.withConfig()
  const generate = (...more: string[]) =>
    place.mailtap(['dkim', 'generate', 'example.com', ...more])
  await generate('--algorithm', 'rsa')
  const second = await generate('--algorithm', 'rsa')
  expect(second.out).toMatch(/^; signs from 20\S+Z on; this must be in the DNS by then\n/)
  expect(states(await listed(place))).toEqual([`${YEAR}a-rsa signs`, `${YEAR}b-rsa next`])
  const long = new Date(Date.now() - 40 * 86_400_000)
  await utimes(place.file(`Maildir/.dkim/${YEAR}a-rsa.pem`), long, long)
  const recent = new Date(Date.now() - 2 * 86_400_000)
  await utimes(place.file(`Maildir/.dkim/${YEAR}b-rsa.pem`), recent, recent)
  expect(states(await listed(place))).toEqual([`${YEAR}a-rsa old`, `${YEAR}b-rsa signs`])
})

test('replaces no key, and knows what a selector is', async () => {
  const place = await Workplace.withConfig()
  const args = ['dkim', 'generate', 'example.com', '-s', 'mail', '--algorithm', 'ed25519']
  expect((await place.mailtap(args)).code).toBe(0)
  const before = await place.read('Maildir/.dkim/mail.pem')
  const again = await place.mailtap(args)
  expect([again.code, oneLine(again)]).toEqual([73, expect.stringContaining('is there already')])
  expect(await place.read('Maildir/.dkim/mail.pem')).toBe(before)
  for (const selector of ['../x', 'Ü', 'a b', '-', '', 'x'.repeat(64)]) {
    const { code } = await place.mailtap(['dkim', 'generate', 'example.com', '-s', selector])
    expect([selector, code]).toEqual([selector, 64])
  }
  const bad = await place.mailtap(['dkim', 'generate', 'example.com', '--algorithm', 'dsa'])
  expect(bad.code).toBe(64)
  expect((await place.mailtap(['dkim', 'txt', 'example.net'])).code).toBe(67)
})

test('says what to do where there is no key', async () => {
  const place = await Workplace.withConfig()
  const { code, err } = await place.mailtap(['dkim', 'txt', 'example.com'])
  expect([code, err]).toEqual([69, expect.stringContaining('mailtap dkim generate example.com')])
})

test('is told by check of keys that cannot be used', async () => {
  const place = await Workplace.withConfig()
  await place.mailtap(['dkim', 'generate', 'example.com', '--algorithm', 'ed25519', '-s', 'good'])
  await place.write('Maildir/.dkim/open.pem', await place.read('Maildir/.dkim/good.pem'), 0o644)
  await place.write('Maildir/.dkim/rubbish.pem', 'rubbish')
  await place.write('Maildir/.dkim/Not_One.pem', 'rubbish')
  const { code, err } = await place.mailtap(['check'])
  expect(code).toBe(78)
  expect(err).toMatch(/open\.pem: others of this machine can get at it; run: chmod 600 /)
  expect(err).toMatch(/rubbish\.pem: not a private key in PEM/)
  expect(err).toMatch(/'Not_One' is no selector/)
  expect(err).not.toContain('good.pem')
})
