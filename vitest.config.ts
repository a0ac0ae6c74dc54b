/** How the tests run. */
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    // Threads inherit it.
    execArgv: ['--import', './test/helpers/typescript-loader.mjs'],
    include: ['test/**/*.test.ts'],
    // Processes, not threads: tests change signals, umask and descriptors.
    pool: 'forks',
    // Most of the time they wait: for processes, for clocks, for a disk.
    maxWorkers: 4,
    // Bounds for what hangs: a loaded machine needs many times what a quiet one does.
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // `.only` left in by mistake must not make the rest pass unseen.
    allowOnly: process.env['CI'] === undefined,
  },
})
