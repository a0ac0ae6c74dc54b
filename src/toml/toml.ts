/**
 * Reads TOML 1.0 and remembers where each key stood, so that whoever finds a
 * value wrong can say the line. The one door to the TOML parser.
 */
import { getStaticTOMLValue, parseTOML, type AST } from 'toml-eslint-parser'

/** A place in a file; both count from 1, the column in UTF-16 units. */
export interface Place {
  readonly line: number
  readonly column: number
}

export interface TomlDocument {
  /** Tables as objects, arrays as arrays, dates as `Date`. */
  readonly value: Readonly<Record<string, unknown>>
  /**
   * Where the key (or array element) of that path is, or the nearest thing
   * around it if it is missing; `null` if no part of the path is there.
   */
  locate(path: readonly (string | number)[]): Place | null
}

/** The text is not TOML; the message begins with file:line:column. */
export class TomlError extends Error {
  override readonly name = 'TomlError'
  readonly file: string
  readonly place: Place

  constructor(file: string, place: Place, what: string, options?: ErrorOptions) {
    super(`${file}:${place.line}:${place.column}: ${what}`, options)
    this.file = file
    this.place = place
  }
}

type Path = readonly (string | number)[]

/** Deeper than any settings are; without an end, the walk would take quadratic time. */
const MAX_DEPTH = 32

/**
 * @param file named in errors, never opened
 * @throws TomlError
 */
export function parseToml(text: string, file: string): TomlDocument {
  try {
    const ast = parseTOML(text.replace(/^\uFEFF/, ''), { tomlVersion: '1.0' })
    const places = new Places(file)
    places.table(ast.body[0])
    return { value: getStaticTOMLValue(ast), locate: (path) => places.nearest(path) }
  } catch (error) {
    throw error instanceof TomlError ? error : asTomlError(error, file)
  }
}

/** The parser's own words, at the place that it names; a stack overflow (deep nesting) has no place. */
function asTomlError(error: unknown, file: string): TomlError {
  if (!(error instanceof Error)) throw error
  const { lineNumber: line = 1, column = 0 } = error as { lineNumber?: number; column?: number }
  const what = error instanceof RangeError ? 'nested too deeply' : lowerFirst(error.message)
  return new TomlError(file, { line, column: column + 1 }, what, { cause: error })
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1)
}

/** Walks the syntax tree once and notes where every path was first named. */
class Places {
  readonly #file: string
  readonly #places = new Map<string, Place>()

  constructor(file: string) {
    this.#file = file
  }

  nearest(path: Path): Place | null {
    for (let length = path.length; length > 0; length--) {
      const place = this.#places.get(JSON.stringify(path.slice(0, length)))
      if (place !== undefined) return place
    }
    return null
  }

  table(table: AST.TOMLTopLevelTable | AST.TOMLTable | AST.TOMLInlineTable, path: Path = []): void {
    for (const entry of table.body) {
      if (entry.type === 'TOMLTable') this.#header(entry)
      else this.#value(entry.value, this.#key(entry.key, path))
    }
  }

  /** `resolvedKey` also holds the index in an array of tables, which the key does not show. */
  #header(table: AST.TOMLTable): void {
    this.#key(table.key, [])
    for (let length = 1; length <= table.resolvedKey.length; length++) {
      this.#note(table.resolvedKey.slice(0, length), table.key)
    }
    this.table(table, table.resolvedKey)
  }

  /** Notes each part of a dotted key. @returns the path that the whole key names */
  #key(key: AST.TOMLKey, base: Path): Path {
    const path = [...base]
    for (const part of key.keys) {
      const name = part.type === 'TOMLBare' ? part.name : part.value
      // As a property name it would be the object's prototype.
      if (name === '__proto__') this.#refuse(part, `the key ${name} is not allowed`)
      path.push(name)
      this.#note(path, part)
    }
    return path
  }

  #value(value: AST.TOMLContentNode, path: Path): void {
    if (value.type === 'TOMLInlineTable') this.table(value, path)
    if (value.type !== 'TOMLArray') return
    value.elements.forEach((element, index) => {
      this.#note([...path, index], element)
      this.#value(element, [...path, index])
    })
  }

  #note(path: Path, node: AST.TOMLNode): void {
    if (path.length > MAX_DEPTH) this.#refuse(node, 'nested too deeply')
    const key = JSON.stringify(path)
    if (!this.#places.has(key)) this.#places.set(key, placeOf(node))
  }

  #refuse(node: AST.TOMLNode, what: string): never {
    throw new TomlError(this.#file, placeOf(node), what)
  }
}

function placeOf({ loc: { start } }: AST.TOMLNode): Place {
  return { line: start.line, column: start.column + 1 }
}
