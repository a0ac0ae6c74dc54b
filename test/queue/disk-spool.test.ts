import { join } from 'node:path'
import { silent } from '../../src/log/log.js'
import { DiskSpool } from '../../src/queue/disk-spool.js'
import { spoolContract } from '../contracts/spool.js'
import { temporaryDirectory } from '../maildir/helpers.js'

spoolContract('DiskSpool', (settings) =>
  DiskSpool.open(join(temporaryDirectory(), 'spool'), { ...settings, log: silent }),
)
