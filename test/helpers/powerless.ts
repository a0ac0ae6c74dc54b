/** How to run a program without the powers of root, whoever runs the tests. */
import { readFileSync } from 'node:fs'
import { runProgram } from './programs.js'

/** Root may bind any port and read any file only because it holds these. */
const POWERS = ['net_bind_service', 'dac_override', 'dac_read_search']
const FIRST_FREE_PORT = '/proc/sys/net/ipv4/ip_unprivileged_port_start'

/** A command line to put before a program; `null` if this machine gives no way. */
export async function powerless(): Promise<readonly string[] | null> {
  if (process.getuid?.() !== 0) return []
  const without = POWERS.map((power) => `-${power}`).join(',')
  const wrap = ['setpriv', `--bounding-set=${without}`, `--inh-caps=${without}`]
  const works = await runProgram(wrap[0]!, [...wrap.slice(1), 'true']).catch(() => null)
  return works?.code === 0 ? wrap : null
}

/**
 * A port that needs a power to bind: 25, or a lower one where 25 is free for all; `null` if all
 * are.
 */
export function privilegedPort(): number | null {
  let firstFree = 1024
  try {
    firstFree = Number(readFileSync(FIRST_FREE_PORT, 'utf8'))
  } catch {
    // Not Linux: the rule of old.
  }
  return firstFree > 1 ? Math.min(25, firstFree - 1) : null
}
