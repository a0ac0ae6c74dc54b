/** Words of the product that have no command yet: whoever types them hears that, not "unknown". */
export const later: readonly string[] = [
  'start',
  'stop',
  'restart',
  'who',
  'kick',
  'deb',
  'console',
  'completion',
  'user disable',
  'user enable',
  'domain add',
  'domain remove',
]
