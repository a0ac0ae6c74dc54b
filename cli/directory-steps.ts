/** The steps that a directory takes with an address, and the places where mail ends: in words, and as JSON. */
import type { Target } from '../src/directory/directory.js'
import type { Step } from '../src/directory/names.js'
import { formatAddress } from '../src/mail/address.js'
import { formatLmtpPlace } from '../src/mail/lmtp-place.js'

/** Two blanks further in for each alias, list and forward on the way. */
export function stepInWords({ rule, depth, of, at, target }: Step): string {
  const indent = '  '.repeat(depth)
  const what = target === null ? `${rule} ${of}` : `-> ${placeIn(target)}`
  return `${indent}${what}${at === null ? '' : ` (${at})`}`
}

export function stepAsJson({ target, ...step }: Step): object {
  return target === null ? step : { ...step, target: targetAsJson(target) }
}

export function targetAsJson(target: Target): object {
  switch (target.kind) {
    case 'mailbox':
      return { kind: target.kind, user: formatAddress(target.user), quota: target.quota }
    case 'lmtp':
      return {
        kind: target.kind,
        endpoint: formatLmtpPlace(target.endpoint),
        to: formatAddress(target.to),
      }
    case 'remote':
      return {
        kind: target.kind,
        address: formatAddress(target.address),
        of: formatAddress(target.of),
      }
    case 'program':
    case 'file':
    case 'maildir':
    case 'discard':
    default:
      return { ...target, of: formatAddress(target.of) }
  }
}

function placeIn(target: Target): string {
  switch (target.kind) {
    case 'mailbox':
      return `mailbox of ${formatAddress(target.user)}`
    case 'program':
      return `program ${target.command.join(' ')}`
    case 'file':
      return `file ${target.path}`
    case 'maildir':
      return `Maildir ${target.path}`
    case 'lmtp':
      return `${formatLmtpPlace(target.endpoint)} for ${formatAddress(target.to)}`
    case 'remote':
      return `${formatAddress(target.address)}, elsewhere`
    case 'discard':
    default:
      return 'nowhere (:blackhole:)'
  }
}
