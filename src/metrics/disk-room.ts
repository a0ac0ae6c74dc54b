/** How much room is left where mail lies: the metric, and a complaint when the reserve is used up. */
import { statfs } from 'node:fs/promises'
import type { Gauge } from './metrics.js'
import type { Registry } from './registry.js'

export interface DiskRoomOptions {
  /** Directories on the file systems that count; asked each time. */
  readonly roots: () => Iterable<string>
  /** Octets that stay free whatever comes in: with less no mail is taken. */
  readonly reserveBytes: number
}

export class DiskRoom {
  readonly #options: DiskRoomOptions
  readonly #free: Gauge
  readonly #inodes: Gauge

  /** @throws RangeError when the registry has metrics of these names already */
  constructor(registry: Registry, options: DiskRoomOptions) {
    const least = (name: string, help: string): Gauge =>
      registry.gauge({ name, help, together: 'min' }).of({})
    this.#options = options
    this.#free = least('mailtap_disk_free_bytes', 'Free on the fullest disk with mail.')
    this.#inodes = least('mailtap_disk_free_inodes', 'Free inodes on the disk that has the fewest.')
    least('mailtap_disk_reserve_bytes', 'With less on all disks no mail is taken.').set(
      options.reserveBytes,
    )
    registry.collect(() => this.#look())
  }

  /** What is wrong, for a person; empty if nothing is. Never rejects. */
  async problems(): Promise<readonly string[]> {
    const problems: string[] = []
    for (const root of this.#options.roots()) {
      try {
        const { bytes } = await freeAt(root)
        if (bytes < this.#options.reserveBytes) problems.push(`disk reserve low at ${root}`)
      } catch {
        problems.push(`no answer from the disk at ${root}`)
      }
    }
    return problems
  }

  async #look(): Promise<void> {
    const free = await Promise.all([...this.#options.roots()].map(freeAt))
    if (free.length === 0) return
    this.#free.set(Math.min(...free.map(({ bytes }) => bytes)))
    this.#inodes.set(Math.min(...free.map(({ inodes }) => inodes)))
  }
}

/** What this process may use: the blocks kept for root are not counted. */
async function freeAt(root: string): Promise<{ readonly bytes: number; readonly inodes: number }> {
  const { bavail, bsize, ffree, files } = await statfs(root)
  // Some file systems make inodes as they go and say that there are none at all.
  return { bytes: bavail * bsize, inodes: files === 0 ? Infinity : ffree }
}
