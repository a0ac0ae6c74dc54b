import { chmod, writeFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { oneLine, Workplace } from './workplace.js'

/** example.com with alice and bob, and these aliases. */
async function withAliases(aliases: string): Promise<Workplace> {
  const place = await Workplace.withConfig()
  await place.write('Maildir/.aliases', aliases)
  for (const name of ['alice', 'bob']) await place.write(`Maildir/.users/${name}`, '!\n')
  return place
}

const ALIASES =
  '# sales\nsales: team, "|/bin/cat -u"\nteam: alice+x,\n  bob\nfar: joe@far.example\n'

describe('alias list', () => {
  test('shows what each alias means, and where it stands', async () => {
    const place = await withAliases(`${ALIASES}gone: :fail: moved\nbad: |cmd\n`)
    const { code, out } = await place.mailtap(['alias', 'list'])
    expect([code, out.split('\n')]).toEqual([
      0,
      [
        'sales@example.com\tteam@example.com, |/bin/cat -u',
        'team@example.com\talice+x@example.com, bob@example.com',
        'far@example.com\tjoe@far.example',
        'gone@example.com\t:fail: 5.1.1 moved',
        'bad@example.com\t(a program is named by its whole path)',
        '',
      ],
    ])
    const json = await place.mailtap(['alias', 'list', 'example.com', '--json'])
    expect(JSON.parse(json.out)).toContainEqual({
      address: 'far@example.com',
      targets: ['joe@far.example'],
      at: `${place.file('Maildir/.aliases')}:5`,
    })
  })
})

describe('alias resolve', () => {
  test('tells each step that the server takes', async () => {
    const place = await withAliases(ALIASES)
    const { code, out } = await place.mailtap(['alias', 'resolve', 'Sales'])
    const file = place.file('Maildir/.aliases')
    expect([code, out.split('\n')]).toEqual([
      0,
      [
        `alias sales@example.com (${file}:2)`,
        `  alias team@example.com (${file}:3)`,
        '    tag alice@example.com',
        '    -> mailbox of alice@example.com',
        '    -> mailbox of bob@example.com',
        `  -> program /bin/cat -u (${file}:2)`,
        '',
      ],
    ])
  })

  test('gives the same as JSON', async () => {
    const place = await withAliases(ALIASES)
    const { out } = await place.mailtap(['alias', 'resolve', 'far@example.com', '--json'])
    const at = `${place.file('Maildir/.aliases')}:5`
    const target = { kind: 'remote', address: 'joe@far.example', of: 'far@example.com' }
    expect(JSON.parse(out)).toEqual({
      address: 'far@example.com',
      steps: [
        { rule: 'alias', depth: 0, of: 'far@example.com', at },
        { rule: 'target', depth: 1, of: 'far@example.com', at, target },
      ],
      targets: [target],
    })
  })

  test.each([
    ['ghost', 67, 'ghost@example.com: nobody is there'],
    ['a@elsewhere.example', 67, 'elsewhere.example is no domain of this server'],
    ['a b', 65, "'a b' is no address"],
    ['loop', 75, 'its aliases go round in a circle'],
    ['gone', 67, 'moved, ask alice'],
    ['bad', 75, '.aliases:3: a program is named by its whole path'],
  ])('ends for %s with %d', async (address, code, words) => {
    const place = await withAliases(
      'loop: pool\ngone: :fail: moved, ask alice\nbad: |cmd\npool: loop\n',
    )
    const outcome = await place.mailtap(['alias', 'resolve', address])
    expect([outcome.code, oneLine(outcome)]).toEqual([code, expect.stringContaining(words)])
  })

  test('follows what the config says: alias domain, catch-all, separator, LMTP', async () => {
    const place = await withAliases('')
    await place.write(
      'mailtap.toml',
      [
        '[mailboxes]\ntag_separator = "-"',
        '[domains."example.com"]\npath = "Maildir"',
        'catch_all = "alice-caught@example.com"\ndeliver = "lmtp:unix:/run/lmtp"',
        '[domains."b.example"]\nalias_of = "example.com"\n',
      ].join('\n'),
    )
    const { out } = await place.mailtap(['alias', 'resolve', 'who@B.example'])
    expect(out.split('\n')).toEqual([
      'alias domain who@example.com',
      'catch-all alice-caught@example.com',
      'tag alice@example.com',
      '-> lmtp:unix:/run/lmtp for alice@example.com',
      '',
    ])
  })
})

describe('alias add and remove', () => {
  test('change one alias and leave everything else', async () => {
    const place = await withAliases(ALIASES.trimEnd())
    const added = await place.mailtap(['alias', 'add', 'New@example.com', 'alice, bob'])
    expect([added.code, added.err]).toEqual([0, ''])
    expect(await place.read('Maildir/.aliases')).toBe(`${ALIASES}new: alice, bob\n`)
    const removed = await place.mailtap(['alias', 'remove', 'team@example.com'])
    expect(removed.code).toBe(0)
    expect(await place.read('Maildir/.aliases')).toBe(
      '# sales\nsales: team, "|/bin/cat -u"\nfar: joe@far.example\nnew: alice, bob\n',
    )
  })

  test('make the file if there is none, for its owner alone', async () => {
    const place = await Workplace.withConfig()
    expect((await place.mailtap(['alias', 'add', '"a:b"', 'postmaster'])).code).toBe(0)
    expect(await place.read('Maildir/.aliases')).toBe('"a:b": postmaster\n')
    expect(await place.mode('Maildir/.aliases')).toBe('600')
  })

  test.each([
    [['add', 'team', 'alice'], 65, 'team stands at'],
    [['add', 'x', 'a: |cmd'], 65, 'not an address'],
    [['add', 'x', '|cmd'], 65, 'whole path'],
    [['add', 'x', 'alice\nevil: |/bin/sh'], 65, 'one line'],
    [['add', 'x', '"a'], 65, 'a quote is not closed'],
    [['remove', 'nobody'], 67, 'no alias nobody@example.com'],
  ])('with %j ends with %d and changes nothing', async (args, code, words) => {
    const place = await withAliases(ALIASES)
    const outcome = await place.mailtap(['alias', ...args])
    expect([outcome.code, oneLine(outcome)]).toEqual([code, expect.stringContaining(words)])
    expect(await place.read('Maildir/.aliases')).toBe(ALIASES)
  })

  test('keep the mode of the file, and change nothing in a dry run', async () => {
    const place = await withAliases(ALIASES)
    await chmod(place.file('Maildir/.aliases'), 0o644)
    for (const args of [
      ['add', 'x', 'alice'],
      ['remove', 'team'],
    ]) {
      expect((await place.mailtap(['alias', ...args, '-n'])).out).toMatch(/^would (add|remove)/)
    }
    expect(await place.read('Maildir/.aliases')).toBe(ALIASES)
    expect((await place.mailtap(['alias', 'add', 'x', 'alice'])).code).toBe(0)
    expect(await place.mode('Maildir/.aliases')).toBe('644')
  })
})

test('check tells of aliases, forwards and a catch-all that lead nowhere', async () => {
  const place = await withAliases(
    'prog: "|/nowhere/x"\nfine: "|/bin/cat", /var/mail/x\nbox: alice\ngone: :fail: no\nlist: :include:/nowhere/l\ncircle: elcric\nelcric: circle\n',
  )
  await writeFile(place.file('Maildir/.users/carl'), 'forward = ["circle@example.com"]\n', {
    mode: 0o600,
  })
  await writeFile(place.file('Maildir/.users/dora'), 'forward = ["joe@far.example"]\n', {
    mode: 0o600,
  })
  const config = await place.read('mailtap.toml')
  await place.write('mailtap.toml', `${config}catch_all = "joe@far.example"\n`)
  const { code, err } = await place.mailtap(['check'])
  expect(code).toBe(78)
  const found = err.split('\n').filter((line) => !line.includes('warning'))
  const file = place.file('Maildir')
  for (const words of [
    `${file}/.aliases:1: prog: /nowhere/x cannot be run (ENOENT); its mail waits`,
    `${file}/.aliases:5: :include:/nowhere/l: ENOENT`,
    `${file}/.users/carl: forward: carl@example.com: its aliases go round in a circle`,
    `${file}/.users/dora: forward: joe@far.example is at no domain of this server`,
    'catch_all of example.com: joe@far.example is at no domain of this server',
  ]) {
    expect(
      found.filter((line) => line.includes(words)),
      `${words}\n${err}`,
    ).toHaveLength(1)
  }
  expect(found.filter((line) => /fine|box|gone/.test(line))).toEqual([])
})
