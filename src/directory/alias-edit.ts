/** Changes the text of an aliases(5) file by one alias; comments and everything else in it stay. Pure. */
import { formatAddress } from '../mail/address.js'
import { AliasesError, parseAliases } from './aliases.js'

/**
 * The text with one alias more, at its end.
 * @param name a local part, unquoted
 * @param targets as they shall stand there
 * @param file named in errors
 * @throws AliasesError when there is that alias, when the targets are not one line of targets, or
 *   when the text is broken
 */
export function withAlias(text: string, name: string, targets: string, file: string): string {
  parseAliases(text, file)
  const gap = text === '' || text.endsWith('\n') ? '' : '\n'
  if (/[\r\n]/.test(targets)) throw new AliasesError('the targets of an alias are one line')
  const edited = `${text}${gap}${written(name)}: ${targets}\n`
  const [target] = parseAliases(edited, file).get(name)?.targets ?? []
  if (target?.kind === 'undeliverable') throw new AliasesError(target.why)
  return edited
}

/**
 * The text without an alias: its line and those that continue it.
 * @param name folded
 * @returns `null` if there is no such alias
 * @throws AliasesError when the text is broken
 */
export function withoutAlias(text: string, name: string, file: string): string | null {
  const alias = parseAliases(text, file).get(name)
  if (alias === undefined) return null
  const first = Number(alias.at.slice(file.length + 1)) - 1
  const lines = text.split('\n')
  const last = lines.findIndex((line, at) => at > first && /^[^\s#]/.test(line))
  const end = last === -1 ? lines.length : last
  return lines
    .filter((line, at) => at < first || at >= end || isBetween(line, at > first))
    .join('\n')
}

/** Comments and empty lines among the lines of an alias are not of it. */
const isBetween = (line: string, later: boolean): boolean => later && /^\s*(?:#|$)/.test(line)

/** Quoted where it must be: also what only this file takes for something else. */
function written(name: string): string {
  const plain = formatAddress({ local: name, domain: 'x' }).slice(0, -2)
  return /^[#|/:]|[:,\s]/.test(plain) && !plain.startsWith('"') ? `"${plain}"` : plain
}
