import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { addAppPassword, removeAppPassword } from '../../src/directory/app-password-edit.js'
import { type AppPassword, isAppName } from '../../src/directory/app-password.js'
import { parseUserFile, UserFileError } from '../../src/directory/user-file.js'

const hash = `{SSHA512}${Buffer.alloc(80, 1).toString('base64')}`
const app = (name: string): AppPassword => ({ name, hash, protocols: null, expires: null })
const namesIn = (text: string): string[] =>
  parseUserFile(text, 'f').appPasswords.map(({ name }) => name)

describe('app passwords in the text of a user file', () => {
  it('make a table of one line, whose further lines stay without effect', () => {
    const text = addAppPassword('{PLAIN}x "y"\nkeep = true\n', app('phone'), 'f')
    expect(text).toBe(
      `password = "{PLAIN}x \\"y\\""\n# keep = true\n\n[[app_password]]\nname = "phone"\nhash = "${hash}"\n`,
    )
  })

  it('come and go one by one, and comments of the others stay', () => {
    const first = '# Alice\npassword = "!" # locked\n'
    let text = addAppPassword(first, app('a'), 'f')
    text += '\n# of the laptop\n'
    text = addAppPassword(text, { ...app('b'), protocols: ['pop3'], expires: '2030-12-31' }, 'f')
    text = addAppPassword(text, app('c'), 'f')
    const without = removeAppPassword(text, 'a', 'f')!
    expect(namesIn(without)).toEqual(['b', 'c'])
    expect(without).toContain('# of the laptop\n')
    expect(without).toContain(first)
    expect(namesIn(removeAppPassword(without, 'c', 'f')!)).toEqual(['b'])
    expect(removeAppPassword(text, 'd', 'f')).toBeNull()
  })

  it('are edited by hand where they are written in another way', () => {
    const inline = `app_password = [{ name = "a", hash = "${hash}" }]\n`
    expect(namesIn(inline)).toEqual(['a'])
    expect(() => addAppPassword(inline, app('b'), 'f')).toThrow(UserFileError)
    expect(() => removeAppPassword(`${inline}keep = true\n`, 'a', 'f')).toThrow(UserFileError)
    expect(() => addAppPassword(addAppPassword('!\n', app('a'), 'f'), app('a'), 'f')).toThrow(
      /name/,
    )
  })

  it('are added and removed exactly, or not at all', () => {
    const name = fc.string({ unit: 'grapheme', maxLength: 20 }).filter(isAppName)
    const starts = fc.constantFrom(
      '',
      '!\n',
      '{PLAIN}x',
      'name = "[[x"\n',
      'name = """\n[y]\n"""\n',
    )
    fc.assert(
      fc.property(starts, fc.uniqueArray(name, { minLength: 1, maxLength: 4 }), (start, names) => {
        let text: string = start
        for (const each of names) text = addAppPassword(text, app(each), 'f')
        expect(namesIn(text)).toEqual(names)
        const rest = removeAppPassword(text, names[0]!, 'f')!
        expect(namesIn(rest)).toEqual(names.slice(1))
        expect(parseUserFile(rest, 'f').password).toBe(parseUserFile(start, 'f').password)
      }),
    )
  })
})
