/** Tells how much mail an import from another Maildir would add, as a Maildir++ quota counts it. */
import fs from 'node:fs'
import { join } from 'node:path'
import { foldersIn } from '../maildir/copy-folders.js'
import { amountOf, TRASH } from '../maildir/count-now.js'
import { NOTHING, plus, type Usage } from '../maildir/maildir.js'
import { baseOf, sizedName } from '../maildir/names.js'
import type { OldListing } from '../maildir/old-listing.js'
import { look, pathOf } from '../maildir/scan.js'
import { isThere } from './make.js'

const PARTS = ['new', 'cur']

/** Waits for the disk. What is in the target from a run before adds nothing. @throws the system's error */
export async function addedBy(
  source: string,
  target: string,
  { known, unknown }: OldListing,
): Promise<Usage> {
  const there = (await isThere(join(target, 'cur'))) ? await look(target) : new Map()
  const fresh = [...known, ...unknown].filter(({ place, size }) => {
    const stats = fs.lstatSync(pathOf(source, place), { throwIfNoEntry: false })
    return !there.has(baseOf(sizedName(place.slice(4), stats?.size ?? 0, size)))
  })
  const places = [...fresh.map(({ place }) => place), ...placesInFolders(source, target)]
  return places.reduce((sum, place) => plus(sum, amountOf(source, place)), NOTHING)
}

/** Files of folders are copied under their names. The trash counts for nothing. */
function placesInFolders(source: string, target: string): string[] {
  const folders = foldersIn(source).filter((name) => name !== TRASH)
  const directories = folders.flatMap((folder) => PARTS.map((part) => `${folder}/${part}`))
  return directories
    .flatMap((directory) => namesIn(source, directory).map((name) => `${directory}/${name}`))
    .filter((place) => !fs.existsSync(pathOf(target, place)))
}

function namesIn(maildir: string, directory: string): string[] {
  const path = pathOf(maildir, directory)
  return fs.existsSync(path) ? fs.readdirSync(path, 'latin1') : []
}
