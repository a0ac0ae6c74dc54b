/** `mailtap dkim`: the keys that sign mail to other domains (RFC 6376). */
import { CONFIG, JSON_OUTPUT, type Noun } from './command.js'
import { generate } from './dkim-generate.js'
import { txt } from './dkim-txt.js'

export const dkim: Noun = {
  name: 'dkim',
  summary: 'keys that sign mail to other domains',
  commands: [
    {
      name: 'generate',
      summary:
        'make keys for a domain, and print what to put into its DNS; where there are keys ' +
        'already, the new ones take over a day later, and the old ones can go after a week',
      argument: '<domain>',
      options: [
        CONFIG,
        {
          flags: '-s, --selector <name>',
          help: 'name of the keys (default: year and letter, such as 2026a)',
        },
        { flags: '--algorithm <which>', help: 'rsa (2048 bits), ed25519 or both (default: both)' },
        JSON_OUTPUT,
      ],
      run: generate,
    },
    {
      name: 'txt',
      summary: 'print the DNS records of all keys of a domain, and which of them sign',
      argument: '<domain>',
      options: [CONFIG, JSON_OUTPUT],
      run: txt,
    },
  ],
}
