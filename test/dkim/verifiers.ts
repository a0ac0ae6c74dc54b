/** Verifiers that are none of ours: npm's mailauth, and opendkim where it is installed. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { dkimVerify } from 'mailauth/lib/dkim/verify.js'
import { type DomainKey, readKeys } from '../../src/dkim/key-files.js'
import { keyRecord } from '../../src/dkim/record.js'
import { type Ended, runProgram } from '../helpers/programs.js'

/** Name in the DNS → TXT record. */
export type Zone = ReadonlyMap<string, string>

/** What a folder's keys have in the DNS, for each of some domains. */
export async function zoneOf(folder: string, ...domains: string[]): Promise<Zone> {
  const keys = await readKeys(folder)
  return new Map(domains.flatMap((domain) => keys.map((key) => entryOf(key, domain))))
}

function entryOf(key: DomainKey, domain: string): [string, string] {
  const { name, strings } = keyRecord(key, domain)
  return [name, strings.join('')]
}

/** As it goes over the wire; content that has no line end at its end gets one. */
export function onTheWire(text: string): string {
  return (text === '' || text.endsWith('\n') ? text : `${text}\n`).replaceAll('\n', '\r\n')
}

/** What mailauth says of each signature, in the order of their selectors: `pass example.com 2026a-rsa`. */
export async function verified(wire: string | Buffer, zone: Zone): Promise<string[]> {
  const { results } = await dkimVerify(
    typeof wire === 'string' ? Buffer.from(wire, 'latin1') : wire,
    {
      resolver: (name) => {
        const record = zone.get(name)
        if (record !== undefined) return Promise.resolve([[record]])
        return Promise.reject(Object.assign(new Error(`no ${name}`), { code: 'ENOTFOUND' }))
      },
    },
  )
  const told = results.map(({ status, signingDomain, selector }) =>
    selector === undefined ? status.result : `${status.result} ${signingDomain} ${selector}`,
  )
  return told.toSorted()
}

/** Runs opendkim's test mode over a message; it says on stderr what it found. */
export async function opendkimTest(folder: string, wire: string, zone: Zone): Promise<Ended> {
  const [mail, keys, conf] = ['mail', 'keys', 'conf'].map((name) => join(folder, name))
  await writeFile(mail!, wire, 'latin1')
  await writeFile(keys!, [...zone].map((entry) => entry.join(' ')).join('\n'))
  await writeFile(conf!, `Mode v\nSyslog no\nTestPublicKeys ${keys!}\nAuthservID mx.example\n`)
  if ((await readFile(mail!)).length === 0) throw new Error('an empty mail proves nothing')
  return runProgram('opendkim', ['-x', conf!, '-v', '-v', '-t', mail!])
}
