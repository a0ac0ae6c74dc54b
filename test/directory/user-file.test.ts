import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseUserFile, UserFileError, withPassword } from '../../src/directory/user-file.js'

const HASH = '$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$aGFzaA'
const APP = `{SSHA512}${Buffer.alloc(80).toString('base64')}`
const TABLE = `[[app_password]]\nname = "p"\nhash = "${APP}"\n`
const none = {
  password: null,
  scram: null,
  passwordProtocols: null,
  appPasswords: [],
  disabled: false,
  name: null,
  quota: null,
  forward: [],
  keep: false,
  deliver: null,
  unsupported: [],
}

function fault(text: string): string {
  try {
    parseUserFile(text, '/d/.users/alice')
  } catch (error) {
    if (error instanceof UserFileError) return error.message
    throw error
  }
  throw new Error('was understood')
}

describe('a user file of one line', () => {
  it.each([
    ['a hash', `${HASH}\n`, HASH],
    ['a hash without a newline', HASH, HASH],
    ['a hash with a CR LF', `${HASH}\r\n`, HASH],
    ['a scheme, spaces kept', '{PLAIN} two words \n', '{PLAIN} two words '],
    ['a disabled login', '!\n', null],
    ['a locked hash', `!${HASH}\n`, null],
    ['nothing', '', null],
  ])('may hold %s', (_, text, password) => {
    expect(parseUserFile(text, 'f')).toEqual({ ...none, password })
  })

  it('says that more lines have no effect', () => {
    expect(parseUserFile(`${HASH}\nforward = ["x"]\n`, 'f').unsupported).toEqual([
      'the lines after the first',
    ])
    expect(parseUserFile(`${HASH}\n\n`, 'f').unsupported).toEqual([])
  })
})

describe('a user file in TOML', () => {
  it('gives what has an effect', () => {
    const text = `password = "${HASH}"\ndisabled = true\nname = "Alice"\nquota = "2GB"\nforward = ["A@b", "c@D"]\nkeep = true\ndeliver = "lmtp:unix:/run/a"\npassword_protocols = ["smtp"]\n[[app_password]]\nname = "phone"\nhash = "${APP}"\nprotocols = ["pop3"]\nexpires = "2030-12-31"\n`
    expect(parseUserFile(text, 'f')).toEqual({
      password: HASH,
      scram: null,
      passwordProtocols: ['smtp'],
      appPasswords: [{ name: 'phone', hash: APP, protocols: ['pop3'], expires: '2030-12-31' }],
      disabled: true,
      name: 'Alice',
      quota: { bytes: 2 * 1024 ** 3, messages: null },
      forward: [
        { local: 'A', domain: 'b' },
        { local: 'c', domain: 'd' },
      ],
      keep: true,
      deliver: { kind: 'unix', path: '/run/a' },
      unsupported: [],
    })
  })

  it('may free a user from the quota of the domain, and says what a quota is', () => {
    expect(parseUserFile('quota = "none"\n', 'f').quota).toEqual({ bytes: null, messages: null })
    expect(() => parseUserFile('quota = "2 gigs"\n', 'f')).toThrow(/^f:1:1: quota must be "2GB"/)
    expect(() => parseUserFile('quota = 5\n', 'f')).toThrow(/^f:1:1: quota must be a string/)
  })

  it('may lack a password or lock it', () => {
    expect(parseUserFile('# new\nname = "A"\n', 'f')).toEqual({ ...none, name: 'A' })
    expect(parseUserFile('password = "!"\n', 'f')).toEqual(none)
    expect(parseUserFile('password = ""\n', 'f')).toEqual(none)
  })

  it.each([
    ['a misspelt key', 'name = "x"\ndisable = true\n', /^\/d\/\.users\/alice:2:1: unknown key/],
    ['a prototype', 'constructor = 1\n', /:1:1: unknown key/],
    ['a wrong type', 'disabled = "yes"\n', /:1:1: disabled must be a boolean/],
    ['a forward that is no list', 'forward = "a@b"\n', /:1:1: forward must be a list/],
    ['a program', 'forward = ["|/bin/sh"]\n', /:1:1: forward must be a list of addresses/],
    ['a file', 'forward = ["/etc/x"]\n', /:1:1: forward must be a list of addresses/],
    ['101 addresses', `forward = [${'"a@b",'.repeat(101)}]\n`, /at most 100/],
    ['another way of delivery', 'deliver = "|/bin/sh"\n', /:1:1: deliver must be "lmtp:unix/],
    [
      'protocols of a password that are none',
      'password_protocols = ["imap"]\n',
      /:1:1: password_p/,
    ],
    ['a list for app passwords', 'app_password = ["x"]\n', /:1:\d+: must be a table/],
    ['an app password without a hash', '[[app_password]]\nname = "p"\n', /:1:3: hash must be/],
    ['one with a misspelt key', `${TABLE}expire = "x"\n`, /:4:1: unknown key/],
    ['one with a day that is none', `${TABLE}expires = "2030-02-30"\n`, /:4:1: expires must be/],
    ['two of one name', TABLE + TABLE, /:5:1: two app passwords have the same name/],
    ['51 app passwords', TABLE.repeat(51), /:1:3: a user has at most 50/],
    ['a password of two lines', 'password = """a\nb"""\n', /:1:1: password must be one line/],
  ])('is refused for %s, with the place', (_, text, message) => {
    expect(fault(text)).toMatch(message)
  })

  it('is refused without showing what may be a password', () => {
    for (const text of ['hunter2', 'password = hunter2', 'hunter2 = ', 'pass word = "hunter2"']) {
      expect(fault(text)).toMatch(/^\/d\/\.users\/alice:\d+:\d+: neither a password hash/)
      expect(fault(text)).not.toContain('hunter2')
    }
  })
})

describe('withPassword', () => {
  it('replaces the one line', () => {
    expect(withPassword('!\n', HASH, 'f')).toBe(`${HASH}\n`)
    expect(withPassword('', '{PLAIN}x ', 'f')).toBe('{PLAIN}x \n')
    expect(withPassword('{PLAIN}old\nmore\n', HASH, 'f')).toBe(`${HASH}\nmore\n`)
  })

  it('keeps everything else in TOML, comments too', () => {
    const text = '# Alice\nname = "A"\npassword = "!" # locked\n'
    expect(withPassword(text + TABLE, HASH, 'f')).toBe(
      `# Alice\nname = "A"\npassword = "${HASH}"\n${TABLE}`,
    )
  })

  it('adds a missing password before the first table', () => {
    const edited = withPassword(TABLE, HASH, 'f')
    expect(parseUserFile(edited, 'f')).toMatchObject({
      password: HASH,
      appPasswords: [{ name: 'p' }],
    })
  })

  it('gives up where it would break the file', () => {
    expect(() => withPassword('password = """\n!"""\n', HASH, 'f')).toThrow(UserFileError)
  })

  it('always stores exactly that password, or throws', () => {
    const stored = fc.string({ unit: 'binary', minLength: 1 }).map((text) => `{PLAIN}${text}`)
    fc.assert(
      fc.property(stored, fc.constantFrom('name = "x"\n', 'password = "old"\n'), (one, text) => {
        let edited: string
        try {
          edited = withPassword(text, one, 'f')
        } catch (error) {
          expect(error).toBeInstanceOf(UserFileError)
          return
        }
        expect(parseUserFile(edited, 'f').password).toBe(one)
      }),
    )
  })
})

describe('keys of SCRAM in a user file', () => {
  const KEYS = 'SCRAM-SHA-256$4096:c2FsdA==$a=:b='
  const both = `password = "${HASH}"\nscram = "${KEYS}" # keys of the same password: they change together\n`

  it('stand beside the password', () => {
    expect(withPassword('', HASH, 'f', KEYS)).toBe(both)
    expect(parseUserFile(both, 'f')).toEqual({ ...none, password: HASH, scram: KEYS })
  })

  it('count for nothing where the password is locked or missing', () => {
    expect(parseUserFile(both.replace('"$arg', '"!$arg'), 'f').scram).toBeNull()
    expect(parseUserFile(`scram = "${KEYS}"\n`, 'f').scram).toBeNull()
  })

  it('go with the password that they were made of', () => {
    const edited = withPassword(`name = "A"\n${both}`, '{PLAIN}x', 'f')
    expect(parseUserFile(edited, 'f')).toEqual({ ...none, password: '{PLAIN}x', name: 'A' })
    expect(edited).not.toContain('SCRAM')
  })

  it('are replaced with it, and make a table of one line', () => {
    const other = KEYS.replace('4096', '9999')
    expect(parseUserFile(withPassword(both, '$x', 'f', other), 'f')).toMatchObject({
      password: '$x',
      scram: other,
    })
    const edited = withPassword('{PLAIN}old\nmore = [\n', HASH, 'f', KEYS)
    expect(edited).toBe(`${both}# more = [\n`)
  })

  it('must be text', () => {
    expect(fault('password = "x"\nscram = 1\n')).toMatch(/:2:1: scram must be a string/)
  })

  it('are edited exactly, or not at all', () => {
    const texts = [both, 'name = "x"\n', '{PLAIN}y\nz\n', TABLE]
    fc.assert(
      fc.property(fc.constantFrom(...texts), fc.boolean(), (text, keys) => {
        const user = parseUserFile(withPassword(text, HASH, 'f', keys ? KEYS : null), 'f')
        expect([user.password, user.scram]).toEqual([HASH, keys ? KEYS : null])
      }),
    )
  })
})
