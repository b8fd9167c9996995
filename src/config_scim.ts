import * as z from 'zod'

const SCIM_PATH = '/scim/v2'

/** An absolute URL that ends in the path of the routes, so that locations can be made of it. */
function isBaseUrl(text: string): boolean {
  const url = URL.parse(text)
  const isHttp = url?.protocol === 'https:' || url?.protocol === 'http:'
  return isHttp && text === `${url.origin}${url.pathname}` && url.pathname.endsWith(SCIM_PATH)
}

/** Member of `identity` about provisioning. */
export const SCIM = z
  .strictObject({
    user_prefix: z
      .string()
      .regex(/^[^\p{C}\p{Z}]{0,64}$/u, 'must be at most 64 characters without space')
      .default('')
      .describe(
        'What stands before a userName in the name of its User: the user_prefix of the issuer whose tokens name the same people, so that a disabled user is refused with its tokens.',
      ),
    space: z
      .string()
      .regex(/^[a-z0-9][a-z0-9_.-]{0,127}$/, 'must be the name of a space')
      .default('default')
      .describe('The space that new users are put in.'),
    base_url: z
      .string()
      .refine(isBaseUrl, `must be a URL that ends in ${SCIM_PATH}`)
      .optional()
      .describe(
        'How the provider reaches the SCIM routes, as in https://gate.example.com/scim/v2: locations begin with it. Without it they are paths.',
      ),
  })
  .prefault({})
  .describe('How users and groups of an identity provider come in by SCIM.')
