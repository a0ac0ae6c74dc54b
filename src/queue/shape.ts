/**
 * Reads values that came out of a JSON file: each reader takes exactly one shape
 * and refuses every other, so that a damaged file is found out and never half believed.
 */

/** Returns the value as what it has to be. @throws Misshapen */
export type Reader<T> = (value: unknown) => T

/** The value is not what it has to be. */
export class Misshapen extends Error {
  override readonly name = 'Misshapen'
}

/** The last moment that a Date can hold: more is no time. */
const MAX_TIME = 8.64e15

export const flag: Reader<boolean> = (value) => {
  if (typeof value === 'boolean') return value
  throw new Misshapen('not true or false')
}

/** A whole number from 0. */
export const count: Reader<number> = (value) => {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value
  throw new Misshapen('not a whole number')
}

/** Milliseconds, since 1970 or of waiting; parts of them, too. */
export const time: Reader<number> = (value) => {
  if (typeof value === 'number' && value >= 0 && value <= MAX_TIME) return value
  throw new Misshapen('not a time')
}

/** @param max characters */
export const text =
  (max: number): Reader<string> =>
  (value) => {
    if (typeof value === 'string' && value.length <= max) return value
    throw new Misshapen(`not a text of at most ${max} characters`)
  }

export const matching =
  (pattern: RegExp): Reader<string> =>
  (value) => {
    if (typeof value === 'string' && pattern.test(value)) return value
    throw new Misshapen(`not of the form ${pattern.source}`)
  }

export const oneOf =
  <T extends string>(...words: readonly T[]): Reader<T> =>
  (value) => {
    const word = words.find((each) => each === value)
    if (word === undefined) throw new Misshapen(`none of ${words.join(', ')}`)
    return word
  }

export const orNull =
  <T>(read: Reader<T>): Reader<T | null> =>
  (value) =>
    value === null ? null : read(value)

/** @param max how many */
export const list =
  <T>(read: Reader<T>, max: number): Reader<readonly T[]> =>
  (value) => {
    if (Array.isArray(value) && value.length <= max) return value.map(read)
    throw new Misshapen(`not a list of at most ${max}`)
  }

/** Exactly these members: one more or one less, and the file is not what it says it is. */
export function record<T extends object>(
  readers: { readonly [K in keyof T]-?: Reader<NonNullable<T[K]> | Extract<T[K], null>> },
  optional: readonly (keyof T)[] = [],
): Reader<T> {
  const names = Object.keys(readers) as (keyof T & string)[]
  return (value) => {
    const found = membersOf(value)
    const made: Partial<T> = {}
    let known = 0
    for (const name of names) {
      if (!Object.hasOwn(found, name) && optional.includes(name)) continue
      made[name] = readMember(name, readers[name] as Reader<T[typeof name]>, found)
      known++
    }
    if (Object.keys(found).length !== known) throw new Misshapen('it says more than it may')
    return made as T
  }
}

/** @throws Misshapen unless it is an object */
export function membersOf(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>
  }
  throw new Misshapen('not an object')
}

function readMember<T>(name: string, read: Reader<T>, from: Readonly<Record<string, unknown>>): T {
  try {
    return read(from[name])
  } catch (error) {
    if (!(error instanceof Misshapen)) throw error
    throw new Misshapen(`${name}: ${error.message}`, { cause: error.cause })
  }
}
