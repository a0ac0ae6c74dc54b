/** A domain's directory holds mailboxes and what belongs to them, and nothing of the server's. */
import { resolve } from 'node:path'
import { inside, realPath } from '../src/config/overlap.js'

/** Something of the server's, with its name for people. */
export interface OwnPlace {
  /** Such as `the config`. */
  readonly what: string
  readonly path: string
}

/** The first of these that is the directory or lies in it, whatever links lead there; or `null`. */
export async function ownPlaceIn(
  directory: string,
  places: readonly OwnPlace[],
): Promise<OwnPlace | null> {
  const real = await realPath(resolve(directory))
  for (const place of places) {
    if (inside(await realPath(resolve(place.path)), real)) return place
  }
  return null
}
