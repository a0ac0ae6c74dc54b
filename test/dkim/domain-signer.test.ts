import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type DomainKey, signingAt } from '../../src/dkim/key-files.js'
import { DomainSigner } from '../../src/dkim/domain-signer.js'
import { keyFolder } from '../../src/dkim/key-folder.js'
import type { Envelope } from '../../src/mail/envelope.js'
import { fromBuffer, type Message } from '../../src/mail/message.js'
import { parseAddress } from '../../src/mail/address.js'
import { keptLog } from '../helpers/kept-log.js'
import { testWith } from '../helpers/programs.js'
import { KeyStage, temporaryFolder } from './key-stage.js'
import { onTheWire, opendkimTest, verified, zoneOf } from './verifiers.js'

const DAY = 86_400_000
const HEADER = 'From: Alice <alice@example.com>\nTo: bob@example.net\nSubject: hello\n'

const messageOf = (text: string): Message => fromBuffer(Buffer.from(text, 'latin1'))

async function textOf(message: Message): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of message.open()) chunks.push(chunk)
  const text = Buffer.concat(chunks).toString('latin1')
  expect([message.size, message.lines]).toEqual([text.length, text.split('\n').length - 1])
  return text
}

function envelopeOf({
  from = 'alice@example.com',
  user = 'alice@example.com',
  unanswered = false,
}: {
  from?: string | null
  user?: string | null
  unanswered?: boolean
} = {}): Envelope {
  return {
    id: 'x1',
    from: from === null ? null : parseAddress(from),
    to: [parseAddress('bob@example.net')!],
    client: { address: '192.0.2.1', helo: 'there', secure: true, user },
    declaredSize: null,
    smtputf8: false,
    eightBit: true,
    requireTls: false,
    ...(unanswered ? { unanswered: true } : {}),
  }
}

/** example.com, another.org and, as another name of the first, example.org. */
function signerOf(stage: KeyStage, log = keptLog()): DomainSigner {
  const domains = Object.fromEntries(
    ['example.com', 'another.org'].map((name) => [name, { path: `${stage.path}/${name}` }]),
  )
  const aliasDomains = { 'example.org': 'example.com' }
  const folderOf = (name: string): string | null => keyFolder({ domains, aliasDomains }, name)
  return new DomainSigner({ folderOf, hostname: 'mx.example.com', log })
}

/** Domain and selector of each signature. */
const signatures = (text: string): string[] =>
  [...text.matchAll(/^DKIM-Signature:.*\n\td=(.*);\n\ts=(.*);$/gm)].map(
    ([, domain, selector]) => `${domain} ${selector}`,
  )

async function signedBy(signer: DomainSigner, text: string, envelope = envelopeOf()) {
  return textOf(await signer.signed(envelope, messageOf(text)))
}

async function bothKeys(): Promise<KeyStage> {
  const stage = await KeyStage.make()
  await stage.key('example.com', 's-rsa', 'rsa')
  await stage.key('example.com', 's-ed', 'ed25519')
  return stage
}

describe('mail of a user', () => {
  test('is signed with a key of each kind, in a way that others verify', async () => {
    const stage = await bothKeys()
    const text = await signedBy(signerOf(stage), `${HEADER}\nHi  there \n\n`)
    expect(text.endsWith(`${HEADER}\nHi  there \n\n`)).toBe(true)
    const zone = await zoneOf(stage.folder('example.com'), 'example.com')
    const good = ['pass example.com s-ed', 'pass example.com s-rsa']
    expect(await verified(onTheWire(text), zone)).toEqual(good)
    const folded = text.replace('Subject: hello', 'Subject:   hello ')
    expect(await verified(onTheWire(folded), zone)).toEqual(good)
    for (const [from, to] of [
      ['Hi  there', 'Hi  where'],
      ['Subject: hello', 'Subject: hallo'],
      ['To: bob', 'Cc: mallory@example.net\nTo: bob'],
      ['From: Alice', 'From: mallory@example.com\nFrom: Alice'],
    ] as const) {
      const bad = await verified(onTheWire(text.replace(from, to)), zone)
      expect([to, bad.filter((line) => line.startsWith('pass'))]).toEqual([to, []])
    }
  })

  test('verifies whatever its body and header are', async () => {
    const stage = await bothKeys()
    const signer = signerOf(stage)
    const zone = await zoneOf(stage.folder('example.com'), 'example.com')
    const parts = fc.constantFrom('\n', '\n\n', ' ', '\t', 'a', '\xe9', '.', ' \n', '=20', '\n.\n')
    const body = fc.array(parts, { maxLength: 30 }).map((all) => all.join(''))
    const fields = fc
      .array(
        fc.constantFrom(
          ...['Cc: x@y.z', 'CC : \tx@y.z', 'Subject: a\n  b \t', 'Date:', 'X: 1', 'Cc:\n z@y.x'],
          ...['References: <a@b>\n <c@d>', 'Subject: gr\xfc\xdfe', 'List-Id: <l>', 'To: a@b, c@d'],
        ),
        { maxLength: 8 },
      )
      .map((all) => all.map((field) => `${field}\n`).join(''))
    await fc.assert(
      fc.asyncProperty(fields, body, async (more, content) => {
        const text = await signedBy(signer, `From: a@example.com\n${more}\n${content}`)
        expect(await verified(onTheWire(text), zone)).toEqual([
          'pass example.com s-ed',
          'pass example.com s-rsa',
        ])
      }),
      { numRuns: 60 },
    )
  })

  testWith(['opendkim'], 'is verified by opendkim, too', async () => {
    const stage = await bothKeys()
    const zone = await zoneOf(stage.folder('example.com'), 'example.com')
    const folder = await temporaryFolder()
    const mail = `Date: Sat, 21 Nov 2026 02:00:00 +0000\n${HEADER}\nHi  there \n\n.\n`
    const text = await signedBy(signerOf(stage), mail)
    const good = await opendkimTest(folder, onTheWire(text), zone)
    expect(good.code).toBe(0)
    expect(good.stdout.toString()).toMatch(/dkim=pass .* header\.a=rsa-sha256 header\.s=s-rsa /)
    expect(good.stdout.toString()).toMatch(/dkim=pass .* header\.a=ed25519-sha256 header\.s=s-ed /)
    const bad = await opendkimTest(folder, onTheWire(text.replace('Hi  there', 'Ho')), zone)
    expect(bad.stdout.toString()).not.toContain('dkim=pass')
  })

  test('of a name that a domain has besides is signed for that name', async () => {
    const stage = await bothKeys()
    const text = await signedBy(signerOf(stage), 'From: alice@example.org\n\nhi\n')
    expect(signatures(text)).toEqual(['example.org s-rsa', 'example.org s-ed'])
    const zone = await zoneOf(stage.folder('example.com'), 'example.org')
    expect(await verified(onTheWire(text), zone)).toEqual([
      'pass example.org s-ed',
      'pass example.org s-rsa',
    ])
  })

  test.each([
    ['of a domain without keys', 'From: a@another.org\n\n', { from: 'a@another.org' }],
    ['of a domain that is not ours', 'From: a@example.net\n\n', { from: 'a@example.net' }],
    ['of a domain above ours', 'From: a@com\n\n', {}],
    ['of a domain below ours', 'From: a@www.example.com\n\n', {}],
    ['with two From fields', 'From: a@example.com\nFrom: b@example.com\n\n', {}],
    ['with authors of two domains', 'From: a@example.com, b@another.org\n\n', {}],
    ['without an author', 'Subject: From a@example.com\n\n', {}],
    ['with an author that is no address', 'From: a@example.com b\n\n', {}],
    ['of a stranger in our name', HEADER, { user: null }],
    ['of a stranger with the null path', HEADER, { user: null, from: null }],
    ['of a user of another domain', HEADER, { user: 'eve@another.org', from: 'eve@another.org' }],
  ])('%s is not signed', async (_, text, envelope) => {
    const signer = signerOf(await bothKeys())
    expect(await signedBy(signer, text, envelopeOf(envelope))).toBe(text)
  })

  test('is signed for another domain of ours whose sender address is his', async () => {
    const signer = signerOf(await bothKeys())
    const text = await signedBy(signer, HEADER, envelopeOf({ user: 'al@another.org' }))
    expect(signatures(text)).toEqual(['example.com s-rsa', 'example.com s-ed'])
  })

  test('with more header than a signature should name is not signed, and the log tells', async () => {
    const log = keptLog()
    const text = `${HEADER}${'Cc: x@y.z\n'.repeat(101)}\nhi\n`
    expect(await signedBy(signerOf(await bothKeys(), log), text)).toBe(text)
    expect(log.of('dkim header too large')).toEqual([{ domain: 'example.com' }])
  })
})

describe('mail of this machine', () => {
  test('from its maildrop is signed, and so is that of the server itself', async () => {
    const signer = signerOf(await bothKeys())
    const dropped = envelopeOf({ user: null, from: 'www-data@mx.example.com', unanswered: true })
    expect(signatures(await signedBy(signer, HEADER, dropped))).toHaveLength(2)
    const report = messageOf('From: MAILER-DAEMON@mx.example.com\n\nsorry\n')
    const text = await textOf(await signer.signedReport(report))
    expect(signatures(text)).toEqual(['example.com s-rsa', 'example.com s-ed'])
  })
})

describe('keys that cannot be used', () => {
  test.each([
    ['others can read it', { mode: 0o644 }, /chmod 600/],
    ['its group can write it', { mode: 0o660 }, /chmod 600/],
    ['it is rubbish', { content: 'rubbish' }, /not a private key/],
    ['it is empty', { content: '' }, /not a private key/],
    ['it is larger than a key', { content: 'x'.repeat(20_000) }, /larger than a key/],
  ])('make mail of their domain wait: %s', async (_, fault, why) => {
    const stage = await bothKeys()
    const signer = signerOf(stage)
    await stage.key('example.com', 'zzz', 'rsa', fault)
    await expect(signedBy(signer, HEADER)).rejects.toThrow(why)
    await expect(signer.ready(envelopeOf(), messageOf(HEADER))).rejects.toThrow(why)
    const stranger = envelopeOf({ user: null })
    expect(await signedBy(signer, HEADER, stranger)).toBe(HEADER)
    await stage.key('example.com', 'zzz', 'rsa')
    // What failed is not kept: the next mail finds the key as it is now.
    expect(signatures(await signedBy(signer, HEADER))).toHaveLength(2)
  })
})

describe('of several keys of a kind', () => {
  const keyOf = (
    selector: string,
    ageMs: number,
  ): Pick<DomainKey, 'algorithm' | 'selector' | 'since'> => {
    return { selector, algorithm: 'rsa', since: 10 * DAY - ageMs }
  }

  test.each([
    ['the only one', [keyOf('a', 0)], 'a'],
    [
      'the first, while the second is not a day old',
      [keyOf('b', DAY - 1), keyOf('a', 5 * DAY)],
      'a',
    ],
    ['the second, once it is', [keyOf('b', DAY), keyOf('a', 5 * DAY)], 'b'],
    ['the oldest, where all are new', [keyOf('b', 1), keyOf('a', 2), keyOf('c', 0)], 'a'],
    ['the newest but one', [keyOf('a', 9 * DAY), keyOf('b', 2 * DAY), keyOf('c', 5)], 'b'],
    ['the first by name, where they are of the same time', [keyOf('b', 0), keyOf('a', 0)], 'a'],
  ])('%s signs', (_, keys, selector) => {
    expect(signingAt(keys, 10 * DAY).map((key) => key.selector)).toEqual([selector])
  })

  test('a new one takes over by itself', async () => {
    const stage = await KeyStage.make()
    await stage.key('example.com', 'old', 'rsa', { ageMs: 40 * DAY })
    await stage.key('example.com', 'new', 'rsa', { ageMs: DAY / 2 })
    expect(signatures(await signedBy(signerOf(stage), HEADER))).toEqual(['example.com old'])
    await stage.key('example.com', 'new', 'rsa', { ageMs: DAY + 1_000 })
    expect(signatures(await signedBy(signerOf(stage), HEADER))).toEqual(['example.com new'])
  })
})
