/** STAT, LIST and UIDL: their form, and that they say the same (RFC 1939 sections 5 and 7). */
import { linesOf } from '../capabilities.js'
import { NumbersMoved } from '../numbers-moved.js'
import { type Bench, fail, note, pass, type Row, skip, verdict } from '../row.js'
import { type Drop, survey } from '../survey.js'

/** So many messages are asked for one by one. */
const MAX_ASKED = 10
const UID = /^[!-~]{1,70}$/

export const listing: readonly Row[] = [
  {
    id: 'stat',
    what: 'STAT is +OK, the number of messages, their octets; and both agree with LIST',
    rfc: 'RFC 1939 §5 STAT',
    check({ drop: { stat, sizes } }) {
      const octets = [...sizes.values()].reduce((sum, size) => sum + size, 0)
      const expected = `+OK ${sizes.size} ${octets}`
      return stat === expected || stat.startsWith(`${expected} `)
        ? pass(stat)
        : fail(expected, stat)
    },
  },
  {
    id: 'list-form',
    what: 'LIST gives number and octets of every message, counted from 1',
    rfc: 'RFC 1939 §5 LIST',
    check({ drop: { list, sizes } }) {
      if (list.body === null) return fail('+OK and a list', list.status)
      const wrong = linesOf(list.body).filter((line) => !/^[1-9]\d* \d+( .*)?$/.test(line))
      return verdict('number, space, octets', [...wrong, ...misnumbered([...sizes.keys()])])
    },
  },
  one('LIST', 'list-one', 'RFC 1939 §5 LIST', ({ drop }) => drop.sizes),
  {
    id: 'uidl-form',
    what: 'a unique-id has 1 to 70 characters, all of them visible ASCII',
    rfc: 'RFC 1939 §7 UIDL',
    check({ drop: { uidl, uids, sizes } }) {
      if (uidl.body === null) return skip(`no UIDL: ${uidl.status}`)
      const wrong = linesOf(uidl.body).filter((line) => !UID.test(line.split(' ')[1] ?? ''))
      const missing = [...sizes.keys()].filter((number) => !uids.has(number))
      return verdict('an id for each message', [...wrong, ...missing.map((n) => `none for ${n}`)])
    },
  },
  {
    id: 'uidl-unique',
    what: 'no two messages share a unique-id, however alike they are',
    rfc: 'RFC 1939 §7 UIDL',
    check({ drop: { uidl, uids } }) {
      if (uidl.body === null) return skip('no UIDL')
      const seen = new Set<string>()
      const twice = [...uids.values()].filter((uid) => seen.has(uid) || !seen.add(uid))
      return verdict(
        'all different',
        twice.map((uid) => `${uid} twice`),
      )
    },
  },
  one('UIDL', 'uidl-one', 'RFC 1939 §7 UIDL', ({ drop }) => drop.uids),
  {
    id: 'uidl-stable',
    what: 'a message has the same unique-id and size in the next session',
    rfc: 'RFC 1939 §7 UIDL',
    async check(bench) {
      if (bench.drop.uidl.body === null) return skip('no UIDL')
      const again = await survey(await bench.loginAnew(), { retrieve: false })
      const sizes = sizesByUid(again)
      const changed = [...sizesByUid(bench.drop)].filter(([uid, size]) => sizes.get(uid) !== size)
      return verdict(
        'the same ids and sizes',
        changed.map(([uid, size]) => `${uid}: ${size}, then ${sizes.get(uid) ?? 'gone'}`),
      )
    },
  },
  {
    id: 'numbers-stable',
    what: 'messages have the same numbers in the next session',
    rfc: 'RFC 1939 §5',
    async check(bench) {
      try {
        await bench.login()
        return pass()
      } catch (error) {
        if (!(error instanceof NumbersMoved)) throw error
        return note('they are numbered anew; rows that compare sessions cannot be asked')
      }
    },
  },
]

/** `LIST 3` answers `+OK 3 size`, `UIDL 3` answers `+OK 3 id`: with the number. */
function one(
  verb: string,
  id: string,
  rfc: string,
  values: (bench: Bench) => ReadonlyMap<number, string | number>,
): Row {
  return {
    id,
    what: `${verb} n answers +OK n and what the whole list says`,
    rfc,
    async check(bench) {
      const some = [...values(bench)].slice(-MAX_ASKED)
      if (some.length === 0) return skip(`the mailbox is empty, or there is no ${verb}`)
      const client = await bench.login()
      const faults: string[] = []
      for (const [number, value] of some) {
        const { status } = await client.ask(`${verb} ${number}`)
        const expected = `+OK ${number} ${value}`
        if (status !== expected && !status.startsWith(`${expected} `)) faults.push(status)
      }
      return verdict(`+OK ${some[0]![0]} ${some[0]![1]}`, faults)
    },
  }
}

function sizesByUid({ uids, sizes }: Drop): Map<string, number | undefined> {
  return new Map([...uids].map(([number, uid]) => [uid, sizes.get(number)]))
}

function misnumbered(numbers: readonly number[]): string[] {
  return numbers.flatMap((number, index) =>
    number === index + 1 ? [] : [`${number} in place ${index + 1}`],
  )
}
