/**
 * The competitor: what somebody would write in an hour on npm's smtp-server who
 * knows that mail must be on the disk before the 250, and how a Maildir works.
 * Usage: node naive.js MAILDIR; says its port to its parent.
 */
import { randomUUID } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { open, rename } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { SMTPServer } from 'smtp-server'

const maildir = process.argv[2]!
for (const name of ['tmp', 'new', 'cur']) mkdirSync(join(maildir, name), { recursive: true })

async function store(message: AsyncIterable<Buffer>): Promise<void> {
  const name = `${Math.floor(Date.now() / 1000)}.${randomUUID()}.localhost`
  const file = await open(join(maildir, 'tmp', name), 'wx', 0o600)
  for await (const chunk of message) await file.write(chunk)
  await file.sync()
  await file.close()
  await rename(join(maildir, 'tmp', name), join(maildir, 'new', name))
  const folder = await open(join(maildir, 'new'))
  await folder.sync()
  await folder.close()
}

const server = new SMTPServer({
  // What costs it time and brings nothing here is off: TLS, logins, look-ups of names, limits.
  disabledCommands: ['AUTH', 'STARTTLS'],
  disableReverseLookup: true,
  maxAllowedUnauthenticatedCommands: false,
  logger: false,
  onData(stream, _session, done) {
    store(stream).then(
      () => done(null),
      (error: Error) => done(error),
    )
  },
})
server.listen(0, '127.0.0.1', () => {
  process.send!({ port: (server.server.address() as AddressInfo).port })
})
