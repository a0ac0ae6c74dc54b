/** Plays test/dialogs/pop3: each is something that a client once said, or might. */
import { join } from 'node:path'
import { describe } from 'vitest'
import { playAll } from '../helpers/dialog.js'
import { Pop3Stage } from '../helpers/pop3-stage.js'

describe('POP3 transcripts', () => {
  playAll(join(import.meta.dirname, '../dialogs/pop3'), () => new Pop3Stage())
})
