// The domains that an organization may call its own: their one form, and those that are everybody's.
import { isIP } from 'node:net'
import { domainToASCII } from 'node:url'

const label = '[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?'
const wellFormed = new RegExp(`^(?=.{1,200}$)(${label}\\.)+${label}$`)

// Whoever has an address there is nobody's employee: who could write a TXT record there would still not speak for them.
const publicMail = new Set(
  `gmail.com googlemail.com outlook.com outlook.de outlook.fr outlook.jp outlook.es hotmail.com hotmail.co.uk hotmail.fr hotmail.de hotmail.it hotmail.es live.com live.de live.fr live.co.uk
  live.nl msn.com passport.com yahoo.com yahoo.co.jp yahoo.co.uk yahoo.co.in yahoo.de yahoo.fr yahoo.es yahoo.it yahoo.ca yahoo.com.br yahoo.com.au ymail.com rocketmail.com aol.com aim.com
  icloud.com me.com mac.com proton.me protonmail.com protonmail.ch pm.me gmx.de gmx.net gmx.at gmx.ch gmx.com web.de t-online.de freenet.de arcor.de mail.de posteo.de mailbox.org
  tutanota.com tutanota.de tuta.com tuta.io fastmail.com fastmail.fm hey.com zoho.com zohomail.com mail.com email.com usa.com yandex.com yandex.ru ya.ru mail.ru bk.ru inbox.ru list.ru
  rambler.ru qq.com foxmail.com 163.com 126.com yeah.net sina.com sina.cn sohu.com 139.com 189.cn naver.com daum.net hanmail.net kakao.com docomo.ne.jp ezweb.ne.jp au.com softbank.ne.jp
  i.softbank.jp nifty.com orange.fr wanadoo.fr free.fr laposte.net sfr.fr neuf.fr bbox.fr libero.it virgilio.it alice.it tim.it tiscali.it telefonica.net terra.com.br uol.com.br bol.com.br
  ig.com.br btinternet.com sky.com virginmedia.com ntlworld.com talktalk.net comcast.net verizon.net att.net sbcglobal.net bellsouth.net cox.net charter.net earthlink.net juno.com
  rogers.com shaw.ca sympatico.ca telus.net bigpond.com optusnet.com.au xtra.co.nz ziggo.nl kpnmail.nl planet.nl telenet.be skynet.be bluewin.ch seznam.cz centrum.cz wp.pl o2.pl
  onet.pl interia.pl abv.bg ukr.net i.ua rediffmail.com indiatimes.com walla.co.il walla.com mynet.com maktoob.com hush.com hushmail.com mailinator.com guerrillamail.com yopmail.com
  10minutemail.com temp-mail.org privaterelay.appleid.com users.noreply.github.com duck.com mozmail.com`.split(/\s+/),
)

// Registries that sell names one level down (the common ones of publicsuffix.org; the TXT record guards the rest).
const registryLabels = new Set([
  'ac',
  'co',
  'com',
  'edu',
  'gob',
  'gov',
  'go',
  'gouv',
  'info',
  'ltd',
  'me',
  'mil',
  'ne',
  'net',
  'nom',
  'or',
  'org',
  'plc',
  'sch',
])
const registryCountries = new Set(
  `ae ar at au bd bh bo br cn co cr cy do ec eg et gh gt hk hu id il in jm jp ke kh kr kw lb lk ma mm mo mt mx my na ng ni np nz om pa pe pg ph pk pl pr py qa ro ru sa sg sv th tn tr tw ua ug
  uk uy uz ve vn ye za zm zw`.split(/\s+/),
)
// Where anybody gets a name of their own below.
const hosting = new Set(
  `github.io gitlab.io pages.dev workers.dev vercel.app netlify.app web.app firebaseapp.com appspot.com run.app herokuapp.com azurewebsites.net cloudapp.net blogspot.com wordpress.com
  onmicrosoft.com myshopify.com fly.dev onrender.com ngrok.io ngrok.app ngrok-free.app duckdns.org dyndns.org no-ip.org ddns.net eu.org uk.com us.com de.com gb.net eu.com`.split(
    /\s+/,
  ),
)
const special = /(^|\.)(localhost|local|internal|intranet|lan|home|corp|arpa|onion|invalid|test|alt)$/

/** In small letters as A-labels (RFC 5890), without the dot at the end; `undefined` for what is no domain of two labels or more. */
export const normalizeDomain = (given: string): string | undefined => {
  const trimmed = given.normalize('NFC').trim().replace(/\.$/, '')
  // A slash or an @ would end a host: nothing is cut off, all of it has to be the domain.
  if (/[\s/\\@:?#%[\]]/.test(trimmed)) return undefined
  const ascii = domainToASCII(trimmed)
  return wellFormed.test(ascii) && isIP(ascii) === 0 && !/\.\d+$/.test(ascii) ? ascii : undefined
}

/** Whether a normalized domain is nobody's own: where everybody has mail, where names are sold or given away, or that is not of the public DNS. */
export const isEverybodys = (domain: string): boolean => {
  const [first = '', second = '', ...more] = domain.split('.')
  const isRegistry = more.length === 0 && registryCountries.has(second) && registryLabels.has(first)
  return isRegistry || publicMail.has(domain) || hosting.has(domain) || special.test(domain)
}

/** The domain of an address, normalized. */
export const domainOf = (email: string): string | undefined => normalizeDomain(email.slice(email.lastIndexOf('@') + 1))
