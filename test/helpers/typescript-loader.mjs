// Lets the threads of a test run the sources as they are: they are not vitest's, and the
// oldest Node that mailtap supports reads no TypeScript.
import { readFileSync } from 'node:fs'
import { register } from 'node:module'
import { transformSync } from 'esbuild'

register(import.meta.url)

export async function resolve(specifier, context, next) {
  try {
    return await next(specifier, context)
  } catch (error) {
    if (!specifier.endsWith('.js')) throw error
    return next(specifier.replace(/\.js$/, '.ts'), context)
  }
}

export async function load(url, context, next) {
  if (!url.endsWith('.ts')) return next(url, context)
  const text = readFileSync(new URL(url), 'utf8')
  const { code } = transformSync(text, { loader: 'ts', format: 'esm', target: 'node20' })
  return { format: 'module', source: code, shortCircuit: true }
}
