/**
 * Splits the command of an alias (`|/usr/bin/vacation "two words"`) into the
 * program and its arguments. There is no shell: what only a shell
 * understands is refused instead of being handed to the program as text, so
 * that nobody believes it has an effect.
 */

/** Arguments of one program. */
const MAX_WORDS = 64
/** Characters of one command. */
const MAX_COMMAND = 4_096
/** Special to a shell where they stand outside quotes. */
const SHELL = /[|&;<>()$`*?[\]{}~!#\n\r]/
/** Special to a shell in double quotes, too. */
const EXPANDED = /[$`]/
/** A piece of a word: in single quotes, in double quotes, escaped, plain. */
const PIECE = /'([^']*)'|"((?:[^"\\]|\\.)*)"|\\(.)|([^ \t'"\\]+)/suy

/** The words, or why they are none. */
export type Words =
  | { readonly words: readonly string[] }
  | { readonly words: null; readonly why: string }

/** Quotes keep blanks; a backslash takes the next character as it is, except in single quotes. */
export function commandWords(text: string): Words {
  if (text.length > MAX_COMMAND) return refused(`a command has at most ${MAX_COMMAND} characters`)
  if (text.includes('\0')) return refused('a command holds no NUL')
  const words: string[] = []
  for (let at = blanks(text, 0); at < text.length; at = blanks(text, at)) {
    const word = readWord(text, at)
    if (typeof word === 'string') return refused(word)
    words.push(word.text)
    at = word.end
  }
  return judged(words)
}

function judged(words: readonly string[]): Words {
  if (words.length > MAX_WORDS) return refused(`a program gets at most ${MAX_WORDS - 1} arguments`)
  if (!/^\/./.test(words[0] ?? '')) return refused('a program is named by its whole path')
  return { words }
}

/** @returns why there is no word */
function readWord(text: string, from: number): { text: string; end: number } | string {
  let word = ''
  let end = from
  while (end < text.length && !isBlank(text, end)) {
    PIECE.lastIndex = end
    const match = PIECE.exec(text)
    if (match === null) return 'a quote is not closed'
    const [whole, single, double, escaped, plain] = match
    const special = SHELL.exec(plain ?? '') ?? EXPANDED.exec(double ?? '')
    if (special !== null)
      return `there is no shell for ${special[0]}; use single quotes or a script`
    word += single ?? double?.replace(/\\(.)/gsu, '$1') ?? escaped ?? plain ?? ''
    end += whole.length
  }
  return { text: word, end }
}

function blanks(text: string, from: number): number {
  let at = from
  while (at < text.length && isBlank(text, at)) at++
  return at
}

const isBlank = (text: string, at: number): boolean => text[at] === ' ' || text[at] === '\t'

const refused = (why: string): Words => ({ words: null, why })
