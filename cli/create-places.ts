/** Where `mailtap create` is asked to put domains, as it is on the disk: links followed. */
import { dirname, join, resolve } from 'node:path'
import type { Config } from '../src/config/config.js'
import { overlap, realPath } from '../src/config/overlap.js'
import type { CreatePlan } from './create-plan.js'
import { usage } from './exit.js'
import { ownPlaceIn } from './places.js'

/**
 * @param old the config to add to, if there is one
 * @throws Failure when domains share files, or one would hold what is the server's
 */
export async function checkPlaces(plan: CreatePlan, old: Config | null): Promise<void> {
  const { output } = plan
  const state = old?.state ?? plan.state ?? join(dirname(output), 'mailtap-state')
  const own = [
    { what: 'the config', path: output },
    { what: 'the state directory', path: state },
  ]
  const places = new Map<string, string>()
  for (const { name, path } of plan.domains) {
    const real = await realPath(resolve(path))
    for (const [other, its] of places)
      if (overlap(real, its)) throw shared(`${name}=${path}`, other)
    places.set(name, real)
    const found = await ownPlaceIn(path, own)
    if (found === null) continue
    throw usage(
      `-d ${name}=${path}: ${found.what} (${found.path}) would lie among its mailboxes; ` +
        `give it a directory of its own, such as -d ${name}=${join(path, 'Maildir')}`,
    )
  }
}

const shared = (said: string, other: string) =>
  usage(`-d ${said}: its directory is, holds or lies in that of ${other}; give it its own`)
