// Fetches a picture from an address that somebody else set, and says in plain words why it could not.
import { ForbiddenAddress } from '../platform/http/outbound.ts'
import { type Image, maxImageBytes, typeOfImage } from './image.ts'

/** Thrown for a picture that is not to be had; the message says why, to whoever gave the address. */
export class ImageFault extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'ImageFault'
  }
}

/** Fetches one by the guarded `fetch`. Throws {@link ImageFault}. */
export const fetchImage = async (guarded: typeof fetch, address: string): Promise<Image> => {
  const bytes = await read(guarded, address)
  if (bytes.length > maxImageBytes) throw new ImageFault(tooLarge)
  const type = typeOfImage(bytes)
  if (type === undefined) throw new ImageFault('leads to what is no PNG, JPEG, GIF, WebP, ICO or SVG without scripts')
  return { type, bytes }
}

const tooLarge = 'leads to a picture of more than 500 KB'

const read = async (guarded: typeof fetch, address: string): Promise<Buffer> => {
  try {
    const response = await guarded(address, { headers: { Accept: 'image/*' } })
    if (response.status === 200) return Buffer.from(await response.arrayBuffer())
    await response.body?.cancel()
    const isElsewhere = response.status >= 300 && response.status < 400
    throw new ImageFault(isElsewhere ? 'leads on to another address; give that one' : `was answered with status ${response.status}`)
  } catch (error) {
    if (error instanceof ImageFault) throw error
    throw new ImageFault(reasonOf(error), { cause: error })
  }
}

const reasonOf = (error: unknown): string => {
  for (let at = error; at instanceof Error; at = at.cause) {
    if (at instanceof ForbiddenAddress) return 'is not a public https address'
    if ('code' in at && at.code === 'UND_ERR_RES_EXCEEDED_MAX_SIZE') return tooLarge
    if (at.name === 'TimeoutError' || ('code' in at && String(at.code).includes('TIMEOUT'))) return 'was not answered in time'
  }
  return 'could not be reached'
}
