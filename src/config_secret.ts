import * as z from 'zod'

/** The path of a file. */
export const FILE_PATH = z.string().min(1).max(4_096)

/** Where a secret is to be found. The secret itself never stands in the file. */
export const SECRET_REFERENCE = z.union([
  z.strictObject({
    from_env: z
      .string()
      .regex(/^[A-Za-z_][A-Za-z0-9_]{0,127}$/, 'must be the name of an environment variable')
      .describe('Name of the environment variable that holds the secret.'),
  }),
  z.strictObject({
    from_file: FILE_PATH.describe('Path of the file that holds the secret and nothing else.'),
  }),
])
