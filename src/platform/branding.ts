/** Turns a tenant's branding into style tokens that are safe and readable. */

/** What the pages are called that no tenant's branding names. */
export const productName = 'Authy2'

/** How a tenant wants its pages to look. Colours are `#rgb` or `#rrggbb`, the radius is `0px` to `24px`; other values are ignored. */
export interface Branding {
  readonly name: string
  readonly logoUrl?: string
  readonly logoDarkUrl?: string
  readonly faviconUrl?: string
  readonly primaryColor?: string
  /** Used only where it is readable on the primary colour; black or white otherwise. */
  readonly primaryTextColor?: string
  /** Of the page around the card, in the light scheme. */
  readonly backgroundColor?: string
  readonly radius?: string
  readonly supportUrl?: string
  readonly termsUrl?: string
  readonly privacyUrl?: string
}

/** A custom property for the style sheet, without its leading hyphens. */
export interface StyleToken {
  readonly name: string
  readonly value: string
}

/** A value that is not used as it was given. */
export interface BrandingWarning {
  readonly path: string
  readonly message: string
}

type Rgb = readonly [number, number, number]

const WHITE: Rgb = [255, 255, 255]
const BLACK: Rgb = [0, 0, 0]
// The least favourable surfaces of authy2.css (--sunken) that coloured words stand on.
const LIGHT_SURFACE: Rgb = [245, 248, 247]
const DARK_SURFACE: Rgb = [27, 35, 33]
const DARK_PAGE = { page: '#0b0f0e', text: '#a5b2ad' }
const READABLE = 4.5

/** Gives the tokens to set; none for what is absent or malformed. */
export function styleTokens(branding: Branding): StyleToken[] {
  const primary = parseColor(branding.primaryColor)
  const background = parseColor(branding.backgroundColor)
  const radius = /^(?:\d|1\d|2[0-4])px$/.test(branding.radius ?? '') ? branding.radius : undefined
  return [
    ...(primary ? primaryTokens(primary, parseColor(branding.primaryTextColor)) : []),
    ...(background ? pageTokens(background) : []),
    ...(radius ? [{ name: 'radius', value: radius }] : []),
  ]
}

/** What {@link styleTokens} had to correct so that people can read it (WCAG 2.2 §1.4.3). */
export function brandingWarnings({ primaryColor, primaryTextColor }: Pick<Branding, 'primaryColor' | 'primaryTextColor'>): BrandingWarning[] {
  const primary = parseColor(primaryColor)
  const text = parseColor(primaryTextColor)
  if (!primary) return []
  const isTextReadable = !text || contrast(text, primary) >= READABLE
  const schemes = [
    { scheme: 'light', end: BLACK, surface: LIGHT_SURFACE },
    { scheme: 'dark', end: WHITE, surface: DARK_SURFACE },
  ].filter(({ surface }) => contrast(primary, surface) < READABLE)
  return [
    ...(isTextReadable ? [] : [{ path: 'primary_text_color', message: `cannot be read on primary_color; ${hex(blackOrWhite(primary))} is used` }]),
    ...schemes.map(({ scheme, end, surface }) => ({
      path: 'primary_color',
      message: `cannot be read as text in the ${scheme} scheme; ${hex(towards(end, primary, surface))} is used there`,
    })),
  ]
}

function primaryTokens(primary: Rgb, text: Rgb | undefined): StyleToken[] {
  const onPrimary = text && contrast(text, primary) >= READABLE ? text : blackOrWhite(primary)
  const light = towards(BLACK, primary, LIGHT_SURFACE)
  const dark = towards(WHITE, primary, DARK_SURFACE)
  return [
    { name: 'brand', value: hex(primary) },
    { name: 'on-brand', value: hex(onPrimary) },
    { name: 'accent', value: `light-dark(${hex(light)},${hex(dark)})` },
  ]
}

function pageTokens(background: Rgb): StyleToken[] {
  return [
    { name: 'page', value: `light-dark(${hex(background)},${DARK_PAGE.page})` },
    { name: 'on-page', value: `light-dark(${hex(blackOrWhite(background))},${DARK_PAGE.text})` },
  ]
}

function parseColor(value: string | undefined): Rgb | undefined {
  const digits = /^#([0-9a-f]{3}|[0-9a-f]{6})$/i.exec(value ?? '')?.[1]
  if (!digits) return undefined
  const full = digits.length === 3 ? digits.replace(/./g, '$&$&') : digits
  const channel = (at: number) => Number.parseInt(full.slice(at, at + 2), 16)
  return [channel(0), channel(2), channel(4)]
}

/** Moves a colour towards an end until it is readable on the surface. */
function towards(end: Rgb, color: Rgb, surface: Rgb): Rgb {
  for (let part = 0; part < 1; part += 0.05) {
    const mixed = mix(color, end, part)
    if (contrast(mixed, surface) >= READABLE) return mixed
  }
  return end
}

function mix(from: Rgb, to: Rgb, part: number): Rgb {
  const channel = (a: number, b: number) => Math.round(a + (b - a) * part)
  return [channel(from[0], to[0]), channel(from[1], to[1]), channel(from[2], to[2])]
}

const blackOrWhite = (on: Rgb) => (contrast(WHITE, on) >= contrast(BLACK, on) ? WHITE : BLACK)

const hex = (color: Rgb) => `#${color.map(channel => channel.toString(16).padStart(2, '0')).join('')}`

/** WCAG 2.2's contrast ratio, 1 to 21. */
function contrast(a: Rgb, b: Rgb): number {
  const [x, y] = [luminance(a), luminance(b)]
  return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05)
}

function luminance([red, green, blue]: Rgb): number {
  const linear = (channel: number) => {
    const share = channel / 255
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
  }
  return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
}
