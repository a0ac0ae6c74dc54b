/**
 * Finds what a TypeScript file imports. A small scanner, not a parser: it errs
 * on the side of seeing an import where there is none (such as in a comment).
 */
import { readFileSync, readdirSync } from 'node:fs'
import { join, posix } from 'node:path'

export interface SourceText {
  /** From the root of the project, with slashes. */
  readonly path: string
  readonly text: string
}

/** `import … from`, `import type … from`, `export … from`, also over several lines, and `import 'x'`. */
const STATIC = /^[ \t]*(?:import|export)\b(?:[^'"`;()=]*?\bfrom\b)?\s*(['"])([^'"]+)\1/gm
/** `import('x')`, as a value or as a type, `require('x')` and `require.resolve('x')`. */
const CALLED = /\b(?:import|require(?:\.resolve)?)\s*\(\s*(['"`])([^'"`]+)\1/g

/** Every specifier as it is written, in order, repetitions included. */
export function importsOf(text: string): string[] {
  return [...text.matchAll(STATIC), ...text.matchAll(CALLED)].map((match) => match[2]!)
}

/** The project's file that a relative specifier means; `null` for a package or a builtin. */
export function targetOf(from: string, specifier: string): string | null {
  if (!specifier.startsWith('.')) return null
  return posix.join(posix.dirname(from), specifier).replace(/\.js$/, '.ts')
}

/** All .ts files below the folders; a folder that is missing has none. */
export function readSources(root: string, folders: readonly string[]): SourceText[] {
  return folders
    .flatMap((folder) => listed(root, folder))
    .filter((path) => path.endsWith('.ts'))
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }))
}

function listed(root: string, folder: string): string[] {
  try {
    const names = readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    return names.map((name) => posix.join(folder, name))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}
