/** `[smtp]`: what clients of the SMTP ports may do. The form of the table, and what it means. */
import { Networks } from '../net/networks.js'
import { networks, table, wholeNumber, type z } from './forms.js'

export interface SmtpConfig {
  /** Servers that may say for whom they speak (XCLIENT). */
  readonly xclient: Networks
  readonly messagesPerConnection: number
  readonly recipientsPerMessage: number
  /** Mistakes in one connection. */
  readonly errors: number
  /** Commands in one connection between two messages that move no mail. */
  readonly junkCommands: number
  /** From one IPv4 address or IPv6 /64; 0 for no limit. */
  readonly messagesPerMinute: number
  readonly recipientsPerMinute: number
}

const MOST = 1_000_000
/** RFC 5321 section 4.5.3.1.8 asks for 100 at least. */
const LEAST_RECIPIENTS = 100

const upTo = (least: number, usual: number, what: string) =>
  wholeNumber(least, MOST).default(usual).describe(what)

export const smtp = table({
  xclient: networks().describe('networks whose servers may say for whom they speak'),
  messages_per_connection: upTo(1, 1_000, 'then a client has to connect again'),
  recipients_per_message: upTo(LEAST_RECIPIENTS, 1_000, 'the others come with another message'),
  errors: upTo(1, 20, 'mistakes in one connection'),
  junk_commands: upTo(1, 100, 'commands between two messages that move no mail'),
  messages_per_minute: upTo(0, 600, 'from an IPv4 address or an IPv6 /64; 0: no limit'),
  recipients_per_minute: upTo(0, 6_000, 'from an IPv4 address or an IPv6 /64; 0: no limit'),
}).prefault({})

/** @param settings in the words of the file */
export function smtpOf(settings: z.infer<typeof smtp>): SmtpConfig {
  return {
    xclient: new Networks(settings.xclient),
    messagesPerConnection: settings.messages_per_connection,
    recipientsPerMessage: settings.recipients_per_message,
    errors: settings.errors,
    junkCommands: settings.junk_commands,
    messagesPerMinute: settings.messages_per_minute,
    recipientsPerMinute: settings.recipients_per_minute,
  }
}

/** The settings back in the words of the file. */
export function smtpAsWritten(smtpConfig: SmtpConfig) {
  return {
    xclient: smtpConfig.xclient.texts,
    messages_per_connection: smtpConfig.messagesPerConnection,
    recipients_per_message: smtpConfig.recipientsPerMessage,
    errors: smtpConfig.errors,
    junk_commands: smtpConfig.junkCommands,
    messages_per_minute: smtpConfig.messagesPerMinute,
    recipients_per_minute: smtpConfig.recipientsPerMinute,
  }
}

/** If nothing is said. */
export const SMTP: SmtpConfig = smtpOf(smtp.parse(undefined))
