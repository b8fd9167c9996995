import type { Detector } from '../detector.ts'
import { credential } from './credential.ts'
import { hidden } from './hidden.ts'
import { pem } from './pem.ts'
import { personal } from './personal.ts'
import { token } from './token.ts'

/** Every detector, by name. Adding one is adding a file and a line here. */
export const DETECTORS: readonly Detector[] = [credential, hidden, pem, personal, token]
