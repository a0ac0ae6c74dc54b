/** A POP3 server under test, and what one run of the load driver finds out about it. */
import type { Group } from './group.js'
import { load } from './process.js'

export interface Pop3Server {
  readonly name: string
  readonly port: number
  /** Where its mailboxes are, by local part. */
  readonly mail: string
  /** Uid and gid that they must have; `null` if it serves those of whoever started it. */
  readonly owner: number | null
  readonly group: Group
  stop(): Promise<void>
}

/** What one run took. */
export interface Taken {
  readonly milliseconds: number
  readonly octets: number
  readonly count: number
  /** Milliseconds of each thing that was done. */
  readonly each: readonly number[]
  /** Milliseconds of CPU of all processes of the server. */
  readonly cpu: number
  /** The part of a core that the driver used. */
  readonly driver: number
}

/** Has the driver do something. @param args see pop3-load.ts */
export async function take(
  server: Pop3Server,
  mode: string,
  ...args: readonly (string | number)[]
): Promise<Taken> {
  const used: number[] = []
  const outcome = await load('pop3-load.js', [server.port, mode, ...args], () => {
    used.push(server.group.cpu())
  })
  const { milliseconds, octets = 0, each = [milliseconds], driver = 0 } = outcome
  const { count = each.length } = outcome
  return { milliseconds, octets, count, each, cpu: used[1]! - used[0]!, driver }
}

/** All servers run all the time and take turns, so that what else the machine does hits all. */
export async function alternating<T>(
  servers: readonly Pop3Server[],
  rounds: number,
  act: (server: Pop3Server) => Promise<T>,
): Promise<T[][]> {
  const found: T[][] = servers.map(() => [])
  for (let round = 0; round < rounds; round++) {
    for (const [at, server] of servers.entries()) found[at]!.push(await act(server))
  }
  return found
}
