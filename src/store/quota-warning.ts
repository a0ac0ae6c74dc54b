/** The letter that tells a user that the mailbox is nearly full. */
import { randomUUID } from 'node:crypto'
import { type Address, formatAddress } from '../mail/address.js'
import { fromBuffer, type Message } from '../mail/message.js'
import { formatQuota, type Quota } from '../mail/quota.js'

/** @param fullness 0.9 = nine tenths of what the quota allows */
export function quotaWarning(user: Address, quota: Quota, fullness: number): Message {
  const percent = Math.floor(fullness * 100)
  const header = [
    // From the null sender (RFC 5321 section 4.5.5): nobody answers it by machine.
    'Return-Path: <>',
    `Delivered-To: ${formatAddress(user)}`,
    `From: Mail server <postmaster@${user.domain}>`,
    `To: <${formatAddress(user)}>`,
    `Subject: Your mailbox is ${percent}% full`,
    `Date: ${new Date().toUTCString().replace('GMT', '+0000')}`,
    `Message-ID: <${randomUUID()}@${user.domain}>`,
    'Auto-Submitted: auto-generated',
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=utf-8',
  ]
  const body = [
    `The mailbox ${formatAddress(user)} is ${percent}% full.`,
    `It may hold: ${formatQuota(quota)}.`,
    '',
    'When it is full, it takes no new mail: senders are told to try again later.',
    'Please delete what you no longer need. A mail program that fetches mail over',
    'POP3 makes room when it is told not to leave messages on the server.',
    '',
    `Questions: postmaster@${user.domain}`,
  ]
  return fromBuffer(Buffer.from([...header, '', ...body, ''].join('\n')))
}
