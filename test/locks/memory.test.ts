import { MemoryLocks } from '../../src/locks/memory.js'
import { locksContract } from '../contracts/locks.js'

locksContract('MemoryLocks', async () => new MemoryLocks())
