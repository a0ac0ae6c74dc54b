/** The listeners of a config as a whole: each of them must get its address. */
import { clash } from '../net/endpoint.js'
import { type Listen, PROTOCOLS, type Protocol } from './protocols.js'
import type { Path } from './source.js'

interface Named {
  readonly text: string
  readonly name: string
  readonly path: Path
}

/** What stands in the way of listening on all of them, and where; `null` if nothing does. */
export function listenProblem(
  listen: Listen,
): { readonly path: Path; readonly what: string } | null {
  const all = PROTOCOLS.flatMap((kind) => named(kind, listen))
  const found = clash(all.map(({ text }) => text))
  if (found === null) return null
  const [one, other] = [all[found.one]!, all[found.other]!]
  const what = `'${other.text}' is taken by ${one.name} ('${one.text}'); choose another port`
  return { path: other.path, what }
}

function named(kind: Protocol, listen: Listen): Named[] {
  return listen[kind].map((text, index) => {
    return { text, name: `listen.${kind}[${index}]`, path: ['listen', kind, index] }
  })
}
