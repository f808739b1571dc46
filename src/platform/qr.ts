// A QR code as the one path of an SVG image: small enough to stand in a page.
import encodeQR from 'qr'

/** A QR code: the side of its square in modules, quiet zone included, and the path of its dark ones, to be stroked one wide. */
export interface QrCode {
  readonly size: number
  readonly path: string
}

// ISO/IEC 18004 §5.3.8: four modules of quiet around the symbol.
const quietModules = 4

/** Encodes a text. */
export const qrCodeOf = (text: string): QrCode => {
  const rows = encodeQR(text, 'raw', { ecc: 'medium', border: quietModules })
  return { size: rows.length, path: rows.map(pathOfRow).join('') }
}

/** The code as an image that stands alone: dark on white, whatever is around it. */
export const svgOf = ({ size, path }: QrCode): string =>
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size} ${size}" shape-rendering="crispEdges"><path fill="#fff" d="M0 0h${size}v${size}H0z"/><path stroke="#000" d="${path}"/></svg>`

const pathOfRow = (row: readonly boolean[], y: number): string => {
  const runs = [
    ...row
      .map(isDark => (isDark ? '1' : '0'))
      .join('')
      .matchAll(/1+/g),
  ]
  return runs.map(({ index, 0: run }) => `M${index} ${y}.5h${run.length}`).join('')
}
