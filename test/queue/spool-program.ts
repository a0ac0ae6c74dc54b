/** A program of its own that has a spool: to be traced, or to be killed. */
const FILE = (path: string): string => JSON.stringify(new URL(path, import.meta.url).href)

/**
 * JavaScript that opens the spool as `spool`; `item(id, size)` and `message(id, size)` make messages,
 * `streamed(id, size)` one that is not in memory; `say(line)` tells at once.
 * @param directory the spool's
 */
export function spoolScript(directory: string, script: string): string {
  // A block: the module has names of its own.
  return `{
    const { writeSync } = await import('node:fs')
    const { DiskSpool } = await import(${FILE('../../src/queue/disk-spool.ts')})
    const { silent } = await import(${FILE('../../src/log/log.ts')})
    const address = { local: 'bob', domain: 'example.org' }
    const recipient = { to: address, target: { kind: 'remote', address, of: address }, notice: null,
      state: 'waiting', attempts: 0, next: 0, trouble: null, delayReported: false, reported: false }
    const content = (id, size) => Buffer.from((id + '\\n').repeat(size).slice(0, size))
    const linesOf = (bytes) => bytes.reduce((sum, byte) => sum + (byte === 10 ? 1 : 0), 0)
    const item = (id, size) => ({ id, received: Date.now(), waitedMs: 0, from: null,
      client: { address: '', helo: 'h', secure: false, user: null }, smtputf8: false, eightBit: false,
      requireTls: false, reports: null, size, lines: linesOf(content(id, size)), held: false,
      recipients: [recipient] })
    const message = (id, size) => ({ size, lines: 0, open: () => [content(id, size)] })
    const streamed = (id, size) => ({ size, lines: 0, open: async function* () { yield content(id, size) } })
    const say = (line) => writeSync(1, line + '\\n')
    const failure = (error) => error.code ?? error.name
    const spool = await DiskSpool.open(${JSON.stringify(directory)}, {
      laneOf: () => 'lane', maxRetryMs: 3_600_000, log: silent })
    ${script}
    spool.close()
  }`
}
