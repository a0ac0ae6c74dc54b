/**
 * One value out of a constant database, in the format that D. J. Bernstein's cdb has had since 1996:
 * 256 hash tables, their places at the beginning, the records before them.
 */
import type { FileHandle } from 'node:fs/promises'

const TABLES = 256
const PAIR = 8
const HEADER = TABLES * PAIR
const HASH_START = 5_381
/** Octets of a value; longer ones are a sign of a broken file. */
const MAX_VALUE = 65_536
/** Slots that are looked at for one key. */
const MAX_SLOTS = 10_000

export class BrokenCdb extends Error {
  override readonly name = 'BrokenCdb'
}

/** @returns `null` if there is no such key @throws BrokenCdb */
export async function cdbGet(file: FileHandle, key: Buffer): Promise<Buffer | null> {
  const hash = hashOf(key)
  const [table, slots] = await pairAt(file, (hash % TABLES) * PAIR)
  if (slots === 0) return null
  if (table < HEADER) throw new BrokenCdb('a table lies in the header')
  const first = Math.floor(hash / TABLES) % slots
  for (let tried = 0; tried < Math.min(slots, MAX_SLOTS); tried++) {
    const [found, record] = await pairAt(file, table + ((first + tried) % slots) * PAIR)
    if (record === 0) return null
    const value = found === hash ? await valueAt(file, record, key) : null
    if (value !== null) return value
  }
  return null
}

/** @returns `null` if the record is of another key */
async function valueAt(file: FileHandle, record: number, key: Buffer): Promise<Buffer | null> {
  const [keyLength, valueLength] = await pairAt(file, record)
  if (keyLength !== key.length) return null
  if (valueLength > MAX_VALUE) throw new BrokenCdb('a value is too long')
  const bytes = await octetsAt(file, record + PAIR, keyLength + valueLength)
  return bytes.subarray(0, keyLength).equals(key) ? bytes.subarray(keyLength) : null
}

async function pairAt(file: FileHandle, at: number): Promise<[number, number]> {
  const bytes = await octetsAt(file, at, PAIR)
  return [bytes.readUInt32LE(0), bytes.readUInt32LE(4)]
}

async function octetsAt(file: FileHandle, at: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length)
  const { bytesRead } = await file.read(bytes, 0, length, at)
  if (bytesRead < length) throw new BrokenCdb('the file ends too early')
  return bytes
}

function hashOf(key: Buffer): number {
  let hash = HASH_START
  for (const octet of key) hash = (((hash << 5) + hash) ^ octet) >>> 0
  return hash
}
