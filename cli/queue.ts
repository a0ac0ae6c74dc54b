/** `mailtap queue`: mail that waits. The running server is asked; without one the files are. */
import { CONFIG, DRY_RUN, JSON_OUTPUT, type Command, type Noun } from './command.js'
import { carryOut } from './queue-act.js'
import { listQueue } from './queue-list.js'
import { routeQueue } from './queue-route.js'
import { showMessage } from './queue-show.js'
import { ALL_OPTION, CHOICE_OPTIONS } from './queue-words.js'
import type { QueueVerb } from '../src/mail/queue-choice.js'

export const queue: Noun = {
  name: 'queue',
  summary: 'mail that waits: look at it, try it now, stop it, take it out',
  commands: [
    {
      name: 'list',
      summary: 'list what waits, or those of it that fit',
      argument: '[ids...]',
      options: [
        CONFIG,
        ...CHOICE_OPTIONS,
        { flags: '--mailq', help: "in the form of Postfix's mailq" },
        JSON_OUTPUT,
      ],
      run: listQueue,
    },
    {
      name: 'show',
      summary: 'show all that is known of a message',
      argument: '<id>',
      options: [
        CONFIG,
        { flags: '--header', help: 'show its header, too' },
        { flags: '--raw', help: 'print the message alone, as it lies there (LF line ends)' },
        JSON_OUTPUT,
      ],
      run: showMessage,
    },
    {
      name: 'route',
      summary: 'tell which way it would go now',
      argument: '[ids...]',
      options: [CONFIG, ...CHOICE_OPTIONS, JSON_OUTPUT],
      run: routeQueue,
    },
    order('flush', 'try it now, all of it if nothing else is said'),
    order('hold', 'keep it until it is released'),
    order('release', 'let go what was held'),
    order('drop', 'take recipients that fit out of it, and tell nobody'),
    order('bounce', 'give up recipients that fit, and tell the sender'),
  ],
}

function order(verb: QueueVerb, summary: string): Command {
  return {
    name: verb,
    summary,
    argument: '[ids...]',
    options: [CONFIG, ...CHOICE_OPTIONS, ALL_OPTION, DRY_RUN, JSON_OUTPUT],
    run: (given) => carryOut(verb, given),
  }
}
