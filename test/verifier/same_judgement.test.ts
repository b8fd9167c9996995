import { testSameJudgement } from '../support/same_judgement.ts'

await testSameJudgement(200)
