/** Fifty senders of fifty megabytes at once: the messages go through the server, not into it. */
import { existsSync, statfsSync } from 'node:fs'
import { readdir, readFile, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect } from 'vitest'
import { stillAnswers, untilData } from '../helpers/mail-talk.js'
import { testUnless } from '../helpers/programs.js'
import { DOMAIN, type RunningServer, Site } from '../helpers/site.js'

const SENDERS = 50
const MEGABYTE = 1_000_000
const MESSAGE = 50 * MEGABYTE
/** A line of 100 octets, ten thousand of them. */
const PIECE = Buffer.from(`${'m'.repeat(98)}\r\n`.repeat(MEGABYTE / 100))
/** The limit of the product, over what an idle server has. */
const LIMIT = 150 * MEGABYTE
/** While a message is delivered it lies on the disk twice. */
const ROOM = SENDERS * MESSAGE * 2 + 500 * MEGABYTE
const TIMEOUT_MS = 240_000

/** Where there is room, memory if possible: this is not a test of the disk. */
const parent = ['/dev/shm', tmpdir()].find((folder) => existsSync(folder) && free(folder) > ROOM)
const noRoom = parent === undefined ? `no room for ${ROOM / MEGABYTE} MB` : null
const noProc = existsSync('/proc/self/status') ? null : 'no /proc'

function free(folder: string): number {
  const { bavail, bsize } = statfsSync(folder)
  return bavail * bsize
}

/** Octets of resident memory: now (VmRSS), or at most so far (VmHWM). */
async function memory(server: RunningServer, what: 'VmRSS' | 'VmHWM'): Promise<number> {
  const text = await readFile(`/proc/${server.pid}/status`, 'utf8')
  const [, kilobytes] = new RegExp(`^${what}:\\s*(\\d+) kB$`, 'm').exec(text)!
  return Number(kilobytes) * 1024
}

async function send(port: number): Promise<string> {
  const talk = await untilData(port, `alice@${DOMAIN}`)
  await talk.sendAll(Buffer.from('Subject: large\r\n\r\n'))
  for (let sent = 0; sent < MESSAGE; sent += PIECE.length) await talk.sendAll(PIECE)
  talk.send('.\r\n')
  // All of them end at the same time.
  talk.patienceMs = TIMEOUT_MS
  const reply = await talk.reply()
  talk.close()
  return reply
}

let site: Site
afterEach(() => site.remove())

describe('50 senders of 50 MB at once', () => {
  testUnless(
    noRoom ?? noProc,
    'are all served, in less than 150 MB over the memory of an idle server',
    async () => {
      site = await Site.create({ parent: parent! })
      await site.users('alice')
      const server = await site.start()
      await stillAnswers(server.ports)
      const idle = await memory(server, 'VmRSS')
      const port = server.port('smtp')
      const replies = await Promise.all(Array.from({ length: SENDERS }, () => send(port)))
      for (const reply of replies) expect(reply).toMatch(/^250 2\.0\.0 /)
      const peak = await memory(server, 'VmHWM')
      await stillAnswers(server.ports)

      const folder = join(site.mail, 'alice', 'new')
      const names = await readdir(folder)
      expect(names).toHaveLength(SENDERS)
      const lines = MESSAGE / 100
      for (const name of names) {
        const { size } = await stat(join(folder, name))
        expect(size).toBeGreaterThan(MESSAGE - lines)
        expect(name).toContain(`,S=${size},`)
      }
      const over = (peak - idle) / MEGABYTE
      console.log(`idle ${(idle / MEGABYTE).toFixed(0)} MB, ${over.toFixed(0)} MB more at the peak`)
      expect(peak - idle).toBeLessThan(LIMIT)
    },
    TIMEOUT_MS,
  )
})
