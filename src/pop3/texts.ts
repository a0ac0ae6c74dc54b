/**
 * What the server says to people, by what it means; a language is an object of
 * this type (RFC 6856 section 3). One line each; what programs read, codes and
 * numbers, stands outside.
 */
export interface Texts {
  /** RFC 5646. */
  readonly tag: string
  /** Of the language, in the language. */
  readonly name: string
  readonly chosen: string
  readonly languages: string
  readonly noSuchLanguage: string

  readonly ready: (hostname: string) => string
  readonly bye: string
  readonly capabilities: string
  readonly mechanisms: string
  readonly beginTls: string
  readonly utf8: string
  readonly nowThePassword: string
  readonly summary: (messages: number, octets: number) => string
  readonly octets: (octets: number) => string
  readonly topFollows: string
  readonly marked: string
  readonly stillHere: string
  readonly removed: (messages: number) => string

  readonly notBeforeLogin: string
  readonly notAfterLogin: string
  readonly noArgument: string
  readonly noSuchMessage: string
  readonly topArguments: string
  readonly userAgain: string
  readonly userFirst: string
  readonly badName: string
  readonly badPassword: string
  readonly noClearPasswords: string
  readonly noApop: string
  readonly apopArguments: string
  readonly tlsAlready: string
  readonly noTls: string
  readonly tlsAfterUtf8: string
  readonly noMechanisms: string
  readonly noSuchMechanism: string
  readonly badResponse: string
  readonly cancelled: string
  readonly wrongLogin: string

  readonly inUse: string
  readonly tooSoon: string
  readonly throttled: string
  readonly cannotCheck: string
  readonly unreadable: string
  readonly needsUtf8: string
  readonly notRemoved: string
  readonly localError: string
  readonly tooManyConnections: string

  readonly tooLong: string
  readonly lineEnds: string
  readonly outOfStep: string
  readonly tlsTooEarly: string
  readonly thisIsPop3: string
}
