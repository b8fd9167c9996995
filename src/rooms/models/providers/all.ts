import type { Provider } from '../provider.ts'
import { anthropic } from './anthropic.ts'
import { echo } from './echo.ts'
import { openai } from './openai.ts'

/** Every provider, by name. Adding one is adding a file and a line here. */
export const PROVIDERS: readonly Provider[] = [anthropic, echo, openai]
