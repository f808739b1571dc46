// A tenant's branding as the API takes it and the database keeps it: parsed strictly, replaced whole.
import { z } from 'zod'
import { type Branding, type BrandingWarning, brandingWarnings } from './branding.ts'
import { languageTag, name, text } from './http/text.ts'

// An image in the page is sent with every page: two logos and an icon keep it under 50 KB.
const maxImage = 20_000
const maxIcon = 5000
const imageData = /^data:image\/(?:png|jpeg|gif|webp|svg\+xml);base64,[a-zA-Z0-9+/]+={0,2}$/

const isWeb = (value: string) => URL.parse(value)?.protocol === 'https:' && /^https:\/\/[^\s\\\p{Cc}@]+$/iu.test(value)
const isMail = (value: string) => /^mailto:[^\s\\\p{Cc}]+$/iu.test(value)

// In the clear only within the machine, where nobody but a developer may fetch from (outbound.ts).
const isPicture = (value: string) => isWeb(value) || /^http:\/\/(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?\/[^\s\\\p{Cc}@]*$/u.test(value)

const webAddress = text(2000).refine(isWeb, 'must be an https address')
const contactAddress = text(2000).refine(value => isWeb(value) || isMail(value), 'must be an https or mailto address')
const image = (maxLength: number) =>
  text(maxLength).refine(value => imageData.test(value) || (value.length <= 2000 && isPicture(value)), 'must be an https address, or a data: image in base64')
const color = z.string().regex(/^#(?:[0-9a-f]{3}|[0-9a-f]{6})$/i, 'must be a colour such as #0d6b5c')

/** The settings that are pictures. */
export const imageFields = ['logo_url', 'logo_dark_url', 'favicon_url'] as const

/** What a tenant may set; what is absent is the system's. */
export const brandingBody = z
  .strictObject({
    name: name(100),
    logo_url: image(maxImage),
    logo_dark_url: image(maxImage),
    favicon_url: image(maxIcon),
    primary_color: color,
    primary_text_color: color,
    background_color: color,
    radius: z.string().regex(/^(?:\d|1\d|2[0-4])px$/, 'must be 0px to 24px'),
    support_url: contactAddress,
    terms_url: webAddress,
    privacy_url: webAddress,
    default_language: languageTag,
  })
  .partial()

/** A tenant's branding, in the API's words. */
export type BrandingSettings = z.output<typeof brandingBody>

/** What was not used as it was given. */
export const warningsOutput = z.array(z.object({ path: z.string(), message: z.string() }))

/** Reads what is kept; what this version would not take is not used. */
export const readBranding = (kept: unknown): BrandingSettings => {
  const result = brandingBody.safeParse(kept ?? {})
  return result.success ? result.data : {}
}

/** What pages correct of it. */
export const warningsOf = ({ primary_color: primaryColor, primary_text_color: primaryTextColor }: BrandingSettings): BrandingWarning[] =>
  brandingWarnings({ primaryColor, primaryTextColor })

/** Lays one branding over another. What only fits together comes from one of them: the logos, and a colour with its text. */
export const over = (upper: BrandingSettings, lower: BrandingSettings): BrandingSettings => ({
  ...lower,
  ...(upper.logo_url === undefined ? {} : { logo_dark_url: undefined }),
  ...(upper.primary_color === undefined ? {} : { primary_text_color: undefined }),
  ...upper,
})

/** A branding in the words of the pages. */
export const toBranding = (settings: BrandingSettings): Partial<Branding> => {
  const branding = {
    name: settings.name,
    logoUrl: settings.logo_url,
    logoDarkUrl: settings.logo_dark_url,
    faviconUrl: settings.favicon_url,
    primaryColor: settings.primary_color,
    primaryTextColor: settings.primary_text_color,
    backgroundColor: settings.background_color,
    radius: settings.radius,
    supportUrl: settings.support_url,
    termsUrl: settings.terms_url,
    privacyUrl: settings.privacy_url,
  }
  return Object.fromEntries(Object.entries(branding).filter(([, value]) => value !== undefined))
}
