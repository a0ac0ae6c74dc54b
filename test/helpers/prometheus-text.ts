/**
 * Reads the text format of Prometheus, version 0.0.4, character by character and strictly: written
 * from the description of the format, and not from what writes it here.
 */

export interface Sample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

export interface Page {
  /** Name of a family → its words. */
  readonly help: ReadonlyMap<string, string>
  readonly types: ReadonlyMap<string, string>
  readonly samples: readonly Sample[]
}

/** @throws Error for whatever the format does not allow */
export function parsePage(text: string): Page {
  const help = new Map<string, string>()
  const types = new Map<string, string>()
  const samples: Sample[] = []
  const seen = new Set<string>()
  if (text !== '' && !text.endsWith('\n')) throw new Error('the last line does not end')
  for (const line of text.split('\n').slice(0, -1)) {
    if (line.startsWith('#')) {
      comment(line, help, types)
      continue
    }
    const sample = new Reader(line).sample()
    const key = `${sample.name} ${keyOf(sample.labels)}`
    if (seen.has(key)) throw new Error(`twice: ${line}`)
    seen.add(key)
    samples.push(sample)
  }
  return { help, types, samples }
}

/** The value of one series; `undefined` if there is none. */
export function valueOf(text: string, name: string, labels: Record<string, string> = {}) {
  const wanted = keyOf(labels)
  return parsePage(text).samples.find((each) => each.name === name && keyOf(each.labels) === wanted)
    ?.value
}

/** The same for the same labels in any order. */
function keyOf(labels: Readonly<Record<string, string>>): string {
  const names = Object.keys(labels).toSorted((a, b) => a.localeCompare(b))
  return JSON.stringify(names.map((name) => [name, labels[name]]))
}

function comment(line: string, help: Map<string, string>, types: Map<string, string>): void {
  const [, kind, name, rest = ''] = /^# (HELP|TYPE) (\S+)(?: (.*))?$/s.exec(line) ?? []
  if (kind === undefined || name === undefined) throw new Error(`no comment of ours: ${line}`)
  const into = kind === 'HELP' ? help : types
  if (into.has(name)) throw new Error(`${kind} of ${name} twice`)
  into.set(name, kind === 'HELP' ? unescaped(rest, '\\n') : rest)
}

/** @param allowed what may follow a backslash */
function unescaped(text: string, allowed: string): string {
  let out = ''
  for (let at = 0; at < text.length; at++) {
    if (text[at] !== '\\') {
      out += text[at]
      continue
    }
    const next = text[++at]
    if (next === undefined || !allowed.includes(next)) throw new Error(`bad escape in ${text}`)
    out += next === 'n' ? '\n' : next
  }
  return out
}

class Reader {
  readonly #line: string
  #at = 0

  constructor(line: string) {
    this.#line = line
  }

  sample(): Sample {
    const name = this.#match(/[a-zA-Z_:][a-zA-Z0-9_:]*/y)
    const labels: Record<string, string> = {}
    if (this.#line[this.#at] === '{') {
      this.#at++
      do {
        const label = this.#match(/[a-zA-Z_][a-zA-Z0-9_]*/y)
        this.#match(/="/y)
        if (label in labels) throw new Error(`label twice in ${this.#line}`)
        labels[label] = unescaped(this.#match(/(?:[^"\\]|\\.)*/sy), '\\n"')
        this.#match(/"/y)
      } while (this.#line[this.#at] === ',' && this.#at++ > 0)
      this.#match(/\}/y)
    }
    this.#match(/ /y)
    return { name, labels, value: numberOf(this.#match(/[^ ]+$/y)) }
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#at
    const [found] = pattern.exec(this.#line) ?? []
    if (found === undefined) throw new Error(`at ${this.#at} of ${this.#line}`)
    this.#at += found.length
    return found
  }
}

function numberOf(text: string): number {
  if (text === 'NaN') return Number.NaN
  if (text === '+Inf') return Infinity
  if (text === '-Inf') return -Infinity
  if (!/^-?\d+(?:\.\d+)?(?:e[+-]\d+)?$/.test(text)) throw new Error(`no number: ${text}`)
  return Number(text)
}
