/**
 * The file that `:include:` names: a list of addresses, one or more a line,
 * with comments. Often somebody else keeps it, so it may hold addresses and
 * further lists, but no program and no file; and nothing that stands in it is
 * ever shown, for it may be no list at all.
 */
import { lstat } from 'node:fs/promises'
import { parseTargets, type AliasTarget } from './alias-target.js'
import { AliasesError } from './aliases.js'
import { FileRefused, readSmallFile, stampOf } from './small-file.js'

/** Bytes; 1,000 addresses (the most that one address expands to) of the longest kind fit in. */
const MAX_LIST = 524_288
/** Lists whose content is remembered. */
const MAX_REMEMBERED = 64
/** Its group's and everybody's leave to write. */
const OTHERS_WRITE = 0o022

/** A member of a list. */
export interface ListEntry {
  /** `file:line`, for people. */
  readonly at: string
  readonly target: AliasTarget
}

/** Reads lists, and remembers them as long as their files stay as they are. */
export class AliasLists {
  readonly #remembered = new Map<string, { stamp: string; entries: readonly ListEntry[] }>()

  /**
   * @throws AliasesError when a line cannot be understood, FileRefused when the file is not one to
   *   trust, or what the system says
   */
  async read(path: string): Promise<readonly ListEntry[]> {
    const known = this.#remembered.get(path)
    if (known?.stamp === stampOf(await lstat(path, { bigint: true }))) return known.entries
    const options = { limit: MAX_LIST, followLink: false }
    const { text, stamp, mode, owner } = await readSmallFile(path, options)
    refuseUntrusted(path, mode, owner)
    const entries = parseList(text, path)
    if (this.#remembered.size >= MAX_REMEMBERED) this.#remembered.clear()
    this.#remembered.set(path, { stamp, entries })
    return entries
  }
}

/** Whoever can write to it decides where the domain's mail goes. */
function refuseUntrusted(path: string, mode: number, owner: number): void {
  if ((mode & OTHERS_WRITE) !== 0) {
    throw new FileRefused(`${path}: others than its owner may write to it; run: chmod go-w ${path}`)
  }
  if (owner !== 0 && owner !== process.getuid?.()) {
    throw new FileRefused(
      `${path}: it belongs neither to root nor to the user that mailtap runs as`,
    )
  }
}

/**
 * @param file named in errors, never opened
 * @throws AliasesError
 */
export function parseList(text: string, file: string): readonly ListEntry[] {
  const found: ListEntry[] = []
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (/^\s*(?:#|$)/.test(line)) continue
    const at = `${file}:${index + 1}`
    const targets = parseTargets(line)
    if (targets === null) throw new AliasesError(`${at}: a quote is not closed`)
    found.push(...targets.map((target) => ({ at, target: allowed(target) })))
  }
  return found
}

function allowed(target: AliasTarget): AliasTarget {
  if (target.kind === 'address' || target.kind === 'include') return target
  const why = 'a list holds nothing but addresses and :include:; this is something else'
  return { kind: 'undeliverable', why }
}
