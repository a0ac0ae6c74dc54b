/** Sizes as people write them in settings: `50MB`, `2 GB`, `52428800`. */

const UNITS = new Map([
  ['', 1],
  ['bytes', 1],
  ['kB', 1024],
  ['MB', 1024 ** 2],
  ['GB', 1024 ** 3],
  ['TB', 1024 ** 4],
])
const SIZE = /^(\d{1,12}) ?(bytes|kB|MB|GB|TB|)$/

/** @returns octets; `null` if the text is no size, or one that no number holds exactly */
export function parseOctets(text: string): number | null {
  const match = SIZE.exec(text)
  if (match === null) return null
  const octets = Number(match[1]) * UNITS.get(match[2]!)!
  return Number.isSafeInteger(octets) ? octets : null
}

/** The same size in the largest unit that it is a whole number of. */
export function formatOctets(octets: number): string {
  const [unit, size] = [...UNITS].findLast(([, each]) => octets % each === 0)!
  return `${octets / size} ${unit}`
}
