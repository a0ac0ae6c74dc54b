#!/usr/bin/env node
/** Starts the program, and ends with its exit code. It is small, so that it can tell when the rest can not be loaded. */
import { Exit } from './exit.js'

/** Node opens many of its files at once. */
const TOO_MANY = ['EMFILE', 'ENFILE']

async function main(): Promise<number> {
  try {
    const { mailtap } = await import('./mailtap.js')
    return await mailtap()
  } catch (error) {
    if (!TOO_MANY.includes((error as NodeJS.ErrnoException).code ?? '')) throw error
    process.stderr.write('mailtap: too many open files; raise the limit (ulimit -n 1024)\n')
    return Exit.tryLater
  }
}

process.exitCode = await main()
