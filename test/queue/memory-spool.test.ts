import { MemorySpool } from '../../src/queue/memory-spool.js'
import { spoolContract } from '../contracts/spool.js'

spoolContract('MemorySpool', async (settings) => new MemorySpool(settings))
