// RFC 7636, Proof Key for Code Exchange: §4.1 to §4.6, and RFC 9700 §2.1.1 where it makes it a must.
import { issueCode } from '../../support/protocol/endpoints.ts'
import { family, goesWell, redirected, refused } from '../../support/protocol/row.ts'

const required = 'the server requires Proof Key for Code Exchange (PKCE) by OAuth public clients and the client does not send the "code_challenge"'
const transformation = 'If the server supporting PKCE does not support the requested transformation'
const unequal = 'If the values are not equal, an error response indicating "invalid_grant" MUST be returned'
const challengeSyntax = 'code-challenge = 43*128unreserved'
const verifierSyntax = 'code-verifier = 43*128unreserved'
const plain = { code_challenge: undefined, code_challenge_method: undefined }

export const rfc7636 = [
  ...family({ spec: 'RFC 7636', at: 'authorize', client: 'spa' }, [
    ['§4.4.1', required, 'a public client sends no code_challenge', { form: plain }, redirected('invalid_request')],
    ['§4.4.1', required, 'a public client sends an empty code_challenge', { form: { code_challenge: '' } }, redirected('invalid_request')],
    ['§4.4.1', transformation, 'code_challenge_method is plain', { form: { code_challenge_method: 'plain' } }, redirected('invalid_request')],
    ['§4.4.1', transformation, 'code_challenge_method is unknown', { form: { code_challenge_method: 'S512' } }, redirected('invalid_request')],
    ['§4.4.1', transformation, 'code_challenge_method is in small letters', { form: { code_challenge_method: 's256' } }, redirected('invalid_request')],
    [
      '§4.3',
      'code_challenge_method defaults to "plain" if not present in the request',
      'code_challenge_method is left out',
      { form: { code_challenge_method: undefined } },
      redirected('invalid_request'),
    ],
    [
      '§4.3',
      'code_challenge REQUIRED. Code challenge',
      'code_challenge_method stands alone',
      { form: { code_challenge: undefined } },
      redirected('invalid_request'),
    ],
    ['§4.2', challengeSyntax, 'code_challenge is short', { form: { code_challenge: 'a'.repeat(42) } }, redirected('invalid_request')],
    ['§4.2', challengeSyntax, 'code_challenge is long', { form: { code_challenge: 'a'.repeat(129) } }, redirected('invalid_request')],
    ['§4.2', challengeSyntax, 'code_challenge has another character', { form: { code_challenge: `${'a'.repeat(42)}=` } }, redirected('invalid_request')],
  ]),
  ...family({ spec: 'RFC 7636', at: 'authorize' }, [
    ['§4.4.1', required, 'a confidential client that must sends none', { form: plain }, redirected('invalid_request')],
    [
      '§5',
      'Server implementations of this specification MAY accept OAuth2.0 clients that do not implement this extension',
      'a confidential client that was let off sends none',
      { form: { client_id: 'lax', ...plain } },
      goesWell(),
    ],
  ]),
  ...family({ spec: 'RFC 7636', at: 'redeem', client: 'spa' }, [
    [
      '§4.5',
      'the client … sends code_verifier REQUIRED. Code verifier',
      'code_verifier is missing',
      { form: { code_verifier: undefined } },
      refused('invalid_grant'),
    ],
    ['§4.5', 'the client … sends code_verifier REQUIRED. Code verifier', 'code_verifier is empty', { form: { code_verifier: '' } }, refused('invalid_grant')],
    ['§4.6', unequal, 'code_verifier is another', { form: { code_verifier: 'a'.repeat(43) } }, refused('invalid_grant')],
    [
      '§4.6',
      unequal,
      'code_verifier is of another code',
      async made => ({ form: { code_verifier: (await issueCode(made, 'spa')).codeVerifier } }),
      refused('invalid_grant'),
    ],
    ['§4.1', verifierSyntax, 'code_verifier is short', { form: { code_verifier: 'a'.repeat(42) } }, refused('invalid_request')],
    ['§4.1', verifierSyntax, 'code_verifier is long', { form: { code_verifier: 'a'.repeat(129) } }, refused('invalid_request')],
    ['§4.1', verifierSyntax, 'code_verifier has another character', { form: { code_verifier: `${'a'.repeat(42)}+` } }, refused('invalid_request')],
    [
      'RFC 6749 §3.2',
      'parameters MUST NOT be included more than once',
      'code_verifier comes twice',
      { form: { code_verifier: ['a'.repeat(43), 'b'.repeat(43)] } },
      refused('invalid_request'),
    ],
  ]),
  ...family({ spec: 'RFC 7636', at: 'redeem', client: 'portal' }, [
    ['§4.6', unequal, 'a confidential client’s code_verifier is another', { form: { code_verifier: 'a'.repeat(43) } }, refused('invalid_grant')],
    [
      '§4.5',
      'the client … sends code_verifier REQUIRED. Code verifier',
      'a confidential client’s code_verifier is missing',
      { form: { code_verifier: undefined } },
      refused('invalid_grant'),
    ],
  ]),
  ...family({ spec: 'RFC 7636', at: 'redeem', client: 'lax' }, [
    [
      'RFC 9700 §2.1.1',
      'a request containing a code_verifier parameter is accepted only if a code_challenge parameter was present in the authorization request',
      'code_verifier comes where no code_challenge came',
      async made => ({ form: { code: (await issueCode(made, 'lax', { ...plain } as never)).code } }),
      refused('invalid_grant'),
    ],
  ]),
]
