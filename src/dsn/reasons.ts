/** What a status code (RFC 3463) means for a person, and what that person can do. */

const TRIED = 'It was tried for a long time without success. Send it again later.'
const TOO_LARGE = 'The mail is too large. Send it in smaller pieces, or send a link.'

/** By the last two numbers of the code. */
const REASONS: ReadonlyMap<string, string> = new Map([
  ['1.1', 'There is no such address. Check its spelling, or ask for the right one.'],
  ['1.2', 'The domain of this address cannot be found. Check what is written behind the @.'],
  ['1.3', 'This is not written as an address should be. Check its spelling.'],
  ['1.6', 'This mailbox has moved and left no new address. Ask the recipient another way.'],
  ['1.7', 'Your own address is not written as an address should be. Check your settings.'],
  ['1.8', 'Your own address was not accepted. Ask the administrator of your mail.'],
  ['1.10', 'This domain takes no mail at all. Check what is written behind the @.'],
  ['2.1', 'This mailbox is disabled. Ask the recipient another way.'],
  ['2.2', 'This mailbox is full. Send the mail again when its owner has made room.'],
  ['2.3', TOO_LARGE],
  ['3.4', TOO_LARGE],
  ['4.1', 'The server of this address does not answer.'],
  ['4.2', 'The connection to the server of this address broke off again and again.'],
  ['4.4', 'No way to the domain of this address can be found. Check what is behind the @.'],
  ['4.6', 'The mail goes round in a circle. Tell the administrator of this address.'],
  ['4.7', TRIED],
  ['6.3', 'The mail holds what the next server cannot take. Send it as plain text.'],
  ['6.7', 'The next server cannot take addresses like these. Use an address in plain letters.'],
  ['7.30', 'You asked for encryption all the way, and the way goes on without it.'],
])

/** By the middle number alone. */
const SUBJECTS: ReadonlyMap<string, string> = new Map([
  ['1', 'Something is wrong with the address. Check its spelling.'],
  ['2', 'This mailbox does not take the mail. Ask the recipient another way.'],
  ['3', 'The server of this address has trouble of its own. Send the mail again later.'],
  ['4', 'The server of this address could not be reached. Send the mail again later.'],
  ['5', 'Two servers did not understand each other. Tell the administrator of your mail.'],
  ['6', 'What is in the mail was not accepted. Send it in another form, such as plain text.'],
  ['7', 'The mail was refused by a rule, as unwanted mail is. Ask the recipient another way.'],
])

/** What passes, told while it is tried on: nobody need do anything. */
const TROUBLES: ReadonlyMap<string, string> = new Map([
  ['2.2', 'This mailbox is full now.'],
  ['4.3', 'The domain of this address cannot be looked up now.'],
  ['4.4', 'The domain of this address cannot be looked up now.'],
])
const NO_ANSWER = 'The server of this address does not answer now.'
const NOT_NOW = 'The server of this address does not take the mail now.'

/**
 * Why it failed and what to do about it, in English.
 * @param status enhanced status code
 * @returns `null` if the code tells nothing
 */
export function failureOf(status: string): string | null {
  const [kind, subject = '', detail = ''] = status.split('.')
  // It would have passed, but not in time.
  if (kind === '4') return TRIED
  return REASONS.get(`${subject}.${detail}`) ?? SUBJECTS.get(subject) ?? null
}

/** What it waits for. @param status enhanced status code */
export function troubleOf(status: string): string {
  const [, subject = '', detail = ''] = status.split('.')
  return TROUBLES.get(`${subject}.${detail}`) ?? (subject === '4' ? NO_ANSWER : NOT_NOW)
}
