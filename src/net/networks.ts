/** A list of networks in the notation of RFC 4632 section 3.1 and RFC 4291 section 2.3: `10.0.0.0/8`, `::1`. */
import { formatIp, masked, octetsOf } from './ip.js'

/** A text is no network; the message says what is wrong and what would be right. */
export class NetworkError extends Error {
  override readonly name = 'NetworkError'
}

/** Each address is compared with all of them. */
const MAX_NETWORKS = 1_000

interface Network {
  readonly octets: Buffer
  readonly bits: number
}

export class Networks {
  /** As they were given. */
  readonly texts: readonly string[]
  readonly #networks: readonly Network[]

  /** @param texts networks, or single addresses. @throws NetworkError */
  constructor(texts: readonly string[]) {
    if (texts.length > MAX_NETWORKS) throw new NetworkError(`more than ${MAX_NETWORKS} networks`)
    this.texts = texts
    this.#networks = texts.map(parse)
  }

  /** @param address what is no IP address lies in no network */
  has(address: string): boolean {
    const octets = octetsOf(address)
    return octets !== null && this.#networks.some((network) => holds(network, octets))
  }
}

function holds({ octets, bits }: Network, address: Buffer): boolean {
  return octets.length === address.length && masked(address, bits).equals(octets)
}

function parse(text: string): Network {
  const [, address = '', digits] = /^([0-9A-Fa-f.:]+)(?:\/(\d{1,3}))?$/.exec(text) ?? []
  const octets = octetsOf(address)
  if (octets === null) {
    throw new NetworkError(`'${text}' is no network; use 10.0.0.0/8, 2001:db8::/32 or an address`)
  }
  const most = octets.length * 8
  const bits = digits === undefined ? most : Number(digits)
  // Of an IPv4 address in the clothes of IPv6 nobody knows which bits are meant.
  if (bits > most || (most === 32 && address.includes(':'))) {
    throw new NetworkError(`'${text}': an IPv4 network has 0 to 32 bits, an IPv6 network 0 to 128`)
  }
  const network = masked(octets, bits)
  if (network.equals(octets)) return { octets, bits }
  throw new NetworkError(
    `'${text}' is an address within a network; use ${formatIp(network)}/${bits}`,
  )
}
