// A process that locks, and works in a mailbox, as it is told on stdin: a line in, a line out.
// Runs the sources as they are, with typescript-loader.mjs.
import { createInterface } from 'node:readline'
import { appendFileSync } from 'node:fs'
import { FileLocks } from '../../src/locks/files.js'
import { parseAddress } from '../../src/mail/address.js'
import { LeasedMailbox } from '../../src/realm/leased.js'
import { Maildirs } from '../../src/store/maildirs.js'

const [folder, home] = process.argv.slice(2)
const locks = await FileLocks.open(folder, { publishMs: 0, watchMs: 10 })
const store = new Maildirs({
  home: () => home,
  roots: () => [home],
  host: 'mx.example',
  reserveBytes: 0,
})
let lease = null
let mailbox = null
let lost = false

const acts = {
  async acquire(name, takeoverMs) {
    lost = false
    const mine = await locks.tryAcquire(
      name,
      takeoverMs === undefined ? undefined : Number(takeoverMs),
    )
    lease = mine
    mine?.onLost(() => (lost ||= mine === lease))
    return mine?.token ?? 'null'
  },
  async open() {
    mailbox = new LeasedMailbox(await store.open(parseAddress('alice@example.com')), lease)
    return mailbox.messages.length
  },
  /** Is stopped right after it has found so many times that the lock is its own. */
  async sleepy(looks) {
    let seen = 0
    const drowsy = Object.create(lease, {
      valid: {
        value: () => {
          const valid = lease.valid()
          if (++seen === Number(looks)) process.kill(process.pid, 'SIGSTOP')
          return valid
        },
      },
      touch: { value: () => lease.touch() },
    })
    mailbox = new LeasedMailbox(await store.open(parseAddress('alice@example.com')), drowsy)
    return mailbox.messages.length
  },
  async remove() {
    return mailbox.remove(mailbox.messages).then(
      () => 'removed',
      (error) => `${error.name} ${error.left}`,
    )
  },
  async touch() {
    lease.touch()
    return lost
  },
  async lost() {
    return lost
  },
  async valid() {
    return lease.valid()
  },
  async release() {
    await lease.release()
    return 'released'
  },
  /** Locks and releases for ever, and writes each token down while it holds the lock. */
  async storm(log) {
    for (;;) {
      const mine = await locks.tryAcquire('a')
      if (mine !== null) appendFileSync(log, `${mine.token}\n`)
      await mine?.release()
    }
  },
}

process.stdout.write('ready\n')
for await (const line of createInterface({ input: process.stdin })) {
  const [act, ...rest] = line.split(' ')
  process.stdout.write(`${await acts[act](...rest)}\n`)
}
