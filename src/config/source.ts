/** Settings as they were written: one or more files merged, and where each key stands. */
import { dirname } from 'node:path'
import type { Place, TomlDocument } from '../toml/toml.js'

export type Path = readonly (string | number)[]
type Table = Readonly<Record<string, unknown>>

/** One file of settings. */
export interface SourceFile {
  /** As a person should see it in an error. */
  readonly file: string
  readonly document: TomlDocument
}

/** A place in one of the files; `place` is `null` when the key is in none of them. */
export interface SourcePlace {
  readonly file: string
  readonly place: Place | null
}

export class Source {
  readonly value: Table
  readonly #files: readonly SourceFile[]

  /** @param files the main file, then those that add to it; later ones win */
  constructor(files: readonly SourceFile[]) {
    this.#files = files
    this.value = files.map(({ document }) => document.value).reduce(merge)
  }

  /** Where a key, or the nearest table around it, was last said. */
  where(path: Path): SourcePlace {
    for (let length = path.length; length > 0; length--) {
      const said = this.#saying(path.slice(0, length))
      if (said !== undefined) return { file: said.file, place: said.document.locate(path) }
    }
    return { file: this.#main.file, place: null }
  }

  /** True if some file says that key. */
  says(path: Path): boolean {
    return this.#saying(path) !== undefined
  }

  /** The directory that a relative path under that key starts from: that of the file that says it. */
  directory(path: Path): string {
    return dirname((this.#saying(path) ?? this.#main).file)
  }

  get #main(): SourceFile {
    return this.#files[0]!
  }

  #saying(path: Path): SourceFile | undefined {
    return this.#files.findLast(({ document }) => has(document.value, path))
  }
}

/** `file:line:column`, as editors and terminals make a link of it. */
export function formatPlace({ file, place }: SourcePlace): string {
  return place === null ? file : `${file}:${place.line}:${place.column}`
}

/** Tables merge key by key; anything else is replaced whole. */
function merge(base: Table, over: Table): Table {
  const merged: Record<string, unknown> = { ...base }
  for (const [key, value] of Object.entries(over)) {
    const old = Object.hasOwn(base, key) ? base[key] : undefined
    merged[key] = isTable(old) && isTable(value) ? merge(old, value) : value
  }
  return merged
}

function has(value: unknown, path: Path): boolean {
  const [key, ...rest] = path
  if (key === undefined) return true
  if (Array.isArray(value))
    return typeof key === 'number' && key < value.length && has(value[key], rest)
  if (!isTable(value) || !Object.hasOwn(value, key)) return false
  return has(value[key], rest)
}

function isTable(value: unknown): value is Table {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date)
  )
}
