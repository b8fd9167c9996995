/** Every limit that is not in the configuration, with its unit in the name and its reason beside it. */

const KIB = 1_024
const MIB = 1_024 * KIB

export const LIMITS = {
  /** Deeper JSON is refused: no client of ours nests beyond a few dozen levels, and recursion stays far from the stack's end. */
  jsonDepth: 64,
  /** Members of all objects and elements of all arrays in one body: each costs some 150 bytes and a microsecond of one turn. */
  jsonNodes: 100_000,
  /** The same for an answer of a provider, where each token may come with twenty others and the bytes of all; nobody but the operator names providers. */
  answerJsonNodes: 500_000,
  /** Request line and headers together; Node's own default, stated. */
  headerBytes: 16 * KIB,
  /** Header lines of one request; common clients send ten to thirty. */
  headerLines: 128,
  /** Pairs in the query of one request target. */
  queryPairs: 64,
  /** Addresses of `X-Forwarded-For` that are looked at, from the right. */
  forwardedHops: 32,
  /** Members and characters of `tracestate`: what everybody must carry on (W3C Trace Context, sections 3.3.1.1 and 3.3.1.5). */
  traceStateMembers: 32,
  traceStateCharacters: 512,
  /** A request target; long enough for any route of ours with a query. */
  targetBytes: 2 * KIB,
  /** Time for the headers of one request to arrive. */
  headersTimeoutMs: 10_000,
  /** Time for a whole request to arrive: a 10 MiB body at 1 Mbit/s takes 84 s. */
  requestTimeoutMs: 90_000,
  /** How often connections are checked against the two times above. */
  connectionCheckMs: 2_000,
  /** A connection on which no byte moves at all is closed; longer than the longest answer of a model may take. */
  stillConnectionMs: 660_000,
  /** After a refusal, what is left of the body is read away for this long, so that the caller gets to read why. */
  lingerMs: 1_000,
  /** A body of which at most this is left is read away without closing the connection. */
  lingerBytes: 64 * KIB,
  /** An idle connection is closed after this; longer than the usual client pools keep theirs. */
  keepAliveMs: 65_000,
  /** Connections one listener holds; for the next one another has to go. */
  connections: 10_000,
  /** Connections without a proven caller from one source block; a browser or a client pool opens a few dozen. */
  strangersPerBlock: 512,
  /** A reply of which the caller takes no byte for this long is given up, and what it holds is given back. */
  stalledReplyMs: 30_000,
  /** Bytes of a leaf (c2sp.org/tlog-tiles stores lengths in 16 bits; a margin is left). */
  leafBytes: 60_000,
  /** A field value kept in the ledger is cut to this, with its full length beside it. */
  fieldCharacters: 1_024,
  /** Bytes of entries waiting to be written; beyond it requests are refused, never queued. */
  ledgerQueueBytes: 8 * MIB,
  /** Part of that queue which only admin and key acts may use. */
  ledgerReservedQueueBytes: 1 * MIB,
  /** An intent that has no outcome after so long, or twice that, gets one that says that nobody knows it: six times what the longest answer of a model may take. */
  openIntentMs: 3_600_000,
  /** Intents without an outcome that a look through the ledger holds at once, at some 500 bytes each; with more it looks again from there. */
  openIntents: 20_000,
  /** Searches for the entries of one id that wait for their turn, urgent and other ones each; one runs at a time, mostly for less than a millisecond. */
  entrySearches: 256,
  /** Of these, what one caller may have waiting: enough to look after a batch, and the others keep most of the places. */
  entrySearchesPerCaller: 16,
  /** Unpacked bytes of sealed segments that searches keep, so that the next id of the same segment is found at once. */
  openedSegmentBytes: 32 * MIB,
  /** Bytes of full segments that wait for a quiet moment to be sealed: a minute of 10,000 entries a second; with more of them, sealing goes on whatever else there is to do. */
  unsealedBytes: 256 * MIB,
  /** Bytes of the indexes that searches keep of raw segments, 8 to 16 for each entry: enough for all that wait to be sealed. */
  rawIndexBytes: 16 * MIB,
  /** Hashes of leaves of raw segments that the tree of a log is made of, 32 bytes for each entry: a million entries. */
  rawHashBytes: 32 * MIB,
  /** Proven tiles of one log that are kept, of 8 KiB each; a proof needs one or two of each level, of which ten million entries have three. */
  keptTiles: 512,
  /** Time of one request that looks at tiles and filters: well below what a command waits for its answer. */
  reindexMs: 10_000,
  /** Logs of one home of which the tree is kept; there is more than one only where a ledger was lost. */
  keptLogs: 4,
  /** Tiles and bundles, each, that are being read at once or wait for it; each takes a millisecond, or 50 where it must be made. */
  logReads: 64,
  /** Reads of checkpoints and tiles by one source: who follows the log makes a few each second, and one who catches up 200. */
  logReadsPerSource: { burst: 1_000, perSecond: 200 },
  /** Sources of which that is remembered. */
  logSources: 10_000,
  /** A file of the home that is read whole: the largest segment has 256 MiB and one bundle of long entries more. */
  homeFileBytes: 512 * MIB,
  /** A checkpoint with the signatures of a few dozen witnesses, a verifier key, a file that says what runs. */
  noteBytes: 100 * KIB,
  /** Time for each call to the file of an anchor: longer than a share in use takes, and it is tried again. */
  anchorCallMs: 5_000,
  /** An anchor that did not answer is asked again after as long, then after twice that, and so on up to this. */
  anchorRestMs: 300_000,
  /** A ledger that is closed waits so long for the files of its anchors to get the last checkpoint. */
  anchorCloseMs: 2_000,
  /** What one fetch of a Git repository may bring, packed: the files of one branch. The folder of the anchor holds three such. */
  gitFetchBytes: 64 * MIB,
  /** Memory of each process of git: it unpacks what a stranger has packed, and maps what it has fetched. */
  gitMemoryBytes: 1_024 * MIB,
  /** The public keys that have signed one log: 2,000 pairs, more than are ever made. */
  logKeysBytes: 4 * MIB,
  /** Receipts of one request: a few entries of the greatest length, with what is disclosed, each with a checkpoint. */
  receiptBytes: MIB,
  /** A request to a witness: a checkpoint of the greatest length, and 63 hashes with the size before. */
  witnessRequestBytes: 104 * KIB,
  /** Such requests that are read and answered at once: some 25 MB, and each is work of a millisecond. */
  witnessRequests: 256,
  /** Time for the body of one: at four each second, and 60 at once, one source that sends slowly holds 100 of them. */
  witnessBodyMs: 10_000,
  /** A file that holds one secret, or a certificate with its chain. */
  secretFileBytes: 1 * MIB,
  /** Files of one home in a backup: two for every 4 MiB of the ledger, so a terabyte. Each costs some 300 bytes of memory. */
  backupFiles: 500_000,
  /** How long one compaction of the ledger goes on; who asks for it asks again. */
  compactMs: 10_000,
  /** Bytes of gatehouse.yaml: hundreds of models are some 100 KB. */
  configBytes: 4 * MIB,
  /** Requests in flight that only admin and key acts may use, on top of the configured limit. */
  reservedInFlight: 16,
  /** Bytes of bodies and answers that only admin and key acts may use, on top of the configured limit. */
  reservedHeldBytes: 1 * MIB,
  /** Connections to the provider of one model; more calls wait, inside the time of the model. */
  upstreamConnections: 1_024,
  /** Requests whose spans wait to be exported, of about 3 KB each; more are dropped and counted. */
  tracedRequests: 2_048,
  /** Of these, how many go into one export: some 200 KB, made in two milliseconds of one turn. */
  tracedBatch: 64,
  /** Data points of metrics in one export, for the same reason. */
  exportedPoints: 1_000,
  /** Bytes of a receiver's answer that are read: it says how much it rejected. */
  telemetryAnswerBytes: 64 * KIB,
  /** How often one export is sent at most, the first time included. */
  telemetryTries: 5,
  /** The longest wait between two of these, whatever the receiver asks for. */
  telemetryWaitMs: 30_000,
  /** A stopping door waits so long for the last export. */
  telemetryFlushMs: 3_000,
  /** Time for a connection to a provider: a host that does not answer is known to be down after this. */
  upstreamConnectMs: 10_000,
  /** A time the drain of a stopping door may take. */
  drainMs: 10_000,
  /** Keys that one home holds, revoked ones too; all are kept in memory at about 1 KiB each. */
  keys: 100_000,
  /** Models or actions that the scope of one key names. */
  keyScopeNames: 1_000,
  /** Address ranges of one key; each is walked at every use. */
  keyAddressRanges: 100,
  /** Users and services of one home, each kept in memory at about 1 KiB: a large organization, and a service for each key. */
  callers: 200_000,
  /** Callers of whom is kept what was worked out for their decisions, some 3 KiB each; of another it is worked out again. */
  activeCallers: 5_000,
  groups: 10_000,
  /** A group of everyone in a large organization. */
  groupMembers: 100_000,
  /** Groups of one caller, without those that these are in; each is looked at when the caller is decided on first. */
  groupsPerCaller: 1_000,
  rolesPerCaller: 100,
  spaces: 1_000,
  tenants: 100,
  /** How deep groups stand in groups, and spaces in spaces. */
  belongingDepth: 8,
  /** What is kept of a user's profile, or as the limits of something, in characters as JSON. */
  keptObjectCharacters: 16 * KIB,
  /** Members that one entry of the ledger names: lists in entries are cut to this. */
  membersPerEntry: 64,
  /** Entries of one change of the directory that wait together to be written. */
  changeEntriesAtOnce: 32,
  /** What one page of a list of callers, groups or keys holds at most. */
  listedAtOnce: 1_000,
  /** Keys whose day of last use is written in one go, so that the write never holds up requests for long. */
  lastUsedBatch: 1_000,
  /** A token of an identity provider, in characters: with hundreds of groups some 6,000; all headers together may have 16 KiB. */
  tokenCharacters: 8 * KIB,
  /** Levels of the header and the claims of a token; providers need three or four. */
  tokenJsonDepth: 8,
  /** Tokens that are remembered as verified; each costs some 2 KiB, and one more check of its signature when it is forgotten. */
  verifiedTokens: 100_000,
  /** Groups and roles of a token that cost as much as a token without any, with what the decider keeps of each: one with 200 counts as 26. */
  namesPerToken: 8,
  /** Signatures that are checked at once: they share four threads with the writes of the ledger. */
  signatureChecks: 8,
  /** Tokens that wait for the check of their signature; at 100 µs each the last one waits for half a second. */
  signatureChecksWaiting: 4_096,
  /** Tokens that wait for the keys of one issuer to be fetched. */
  keyFetchWaiting: 4_096,
  /** Bytes of a key set, or of the document that says where it is; the largest known have some 20 KB. */
  keySetBytes: 512 * KIB,
  /** Keys of one issuer. */
  keysPerIssuer: 100,
  /** Groups and roles, each, that a token names. */
  tokenGroups: 1_000,
  /** The longest that a token of ours may hold, in seconds: what was permitted then is permitted so much longer elsewhere. */
  issuedTokenSeconds: 900,
  /** Levels of the chain of actors in a token of ours: a person, and three that act for each other. */
  actorDepth: 3,
  /** Characters of a proof of possession (RFC 9449): one with the largest key that is taken has some 1,500. */
  proofCharacters: 4 * KIB,
  /** Proofs that are remembered for two minutes so that none is taken twice, at some 120 bytes each; 1,600 new ones each second. */
  proofsRemembered: 200_000,
  /** Bytes of a form that comes before its sender is proven: two tokens of the greatest length, encoded. */
  formBytes: 32 * KIB,
  /** Such forms on their way at once: 8 MiB, apart from what proven callers hold. */
  strangerForms: 256,
  /** Of these, from one source block. */
  strangerFormsPerBlock: 32,
  /** Time for such a form to arrive. */
  strangerFormMs: 5_000,
  /** Names and values in one form; the exchange of tokens knows a dozen. */
  formPairs: 64,
  /** Workers of one door: more than the cores of any machine that one ledger is enough for. */
  workers: 64,
  /** Credentials of which a worker keeps what the writer said of them, and proofs that the writer keeps for one worker; some 3 KiB each. */
  provenInWorker: 20_000,
  /** Models and pools that one worker reserves for; those of the configuration, at most this many kept. */
  workerTargets: 10_000,
  /** Questions of one worker to the writer that wait for an answer; each belongs to a request, and so to a connection. */
  workerAsks: 20_000,
  /** Bytes of frames that wait for the other side of the channel; beyond it, it is taken to be gone. */
  workerWaitingBytes: 64 * MIB,
  /** One frame between worker and writer besides a request's body, which it may hold: a policy set, a page of SCIM. */
  workerFrameBytes: 64 * MIB,
  /** A worker that has not taken a change after so long is ended: until then the operator waits. */
  workerChangeMs: 5_000,
  /** A worker that says nothing for so long is ended, also where nothing was changed: its callers wait as long. */
  workerHungMs: 10_000,
  /**
   * A worker whose writer says nothing for so long takes it to be gone, and refuses what it holds. It is asked how it is every
   * second, so one that hears nothing has a writer that is stopped, or hangs.
   */
  writerSilentMs: 10_000,
  /** One text in a message of a worker: longer than all that the headers of a request hold. */
  workerTextCharacters: 64 * KIB,
  /** A name, a code or an address in one, and a value of a label of its metrics: all of them are words of ours, or short. */
  workerWordCharacters: 1 * KIB,
  /** What stands in one list of a message of a worker, as the groups of a caller. */
  workerListItems: 100_000,
  /** Label sets in one metric: more is a mistake or an attack, and would cost memory without end. */
  metricSeries: 1_000,
  /** A worker whose writer is gone has so long to tell that to the callers whose requests it holds. */
  workerLastWordsMs: 250,
  /** Time for a worker to start and to listen. */
  workerStartMs: 30_000,
  /** How often a worker that ends is started again before it has run for a minute. */
  workerRestarts: 10,
  /** Files of one policy set. */
  policyFiles: 1_000,
  /** Bytes of one policy file. */
  policyFileBytes: 1 * MIB,
  /** Levels of one expression of a policy: our parser and compiler recurse, and 200 levels take a part of the stack only. */
  expressionDepth: 200,
  /** Ids of deciding policies in one decision: with ids of 128 characters they leave the leaf room for the rest. */
  decisionPolicies: 64,
  /** Problems that are told of one policy set; more are counted only. */
  policyProblems: 100,
  /** Characters of content that inspection looks at in one turn of the event loop: 10 ms of work, 60 ms for the worst content. */
  inspectedAtOnce: 512 * KIB,
  /** The longest credential, in characters as it stands in the text, escapes included: how far a slice of a text sees ahead. */
  inspectedAhead: 64 * KIB,
  /** What a slice sees of the text before it: the name or id that tells what the secret after it is. */
  inspectedBehind: 4 * KIB,
  /** Characters of a stream that are held as part of something strict: a token, an address with a password. Known forms but web tokens and private keys are shorter. */
  heldStrict: 512,
  /** Characters that are held for a run of base 64 or the like before the action for such runs decides. */
  heldRun: 4 * KIB,
  /** Characters that are held for what its detector itself follows no farther than 512: pairs of bidi controls, commands to a terminal. */
  heldSpan: 528,
  /** Characters that are held of what is never longer: card and account numbers with their separators, the name in an address. */
  heldShort: 72,
  /** Backslashes in front of one escape; JSON five times inside JSON has 31. */
  heldBackslashes: 64,
  /** States that the automaton of a stream keeps; ordinary text comes to some hundred. */
  automatonStates: 4_096,
  /** Findings in one body. One with more is blocked: to a reader it is no text any more, and each costs memory. */
  findings: 1_000,
  /** Different strings of one body of which is remembered what inspection found in them. */
  inspectedStringsKept: 10_000,
  /** One server-sent event of a provider, in characters, the unfinished line included: an image of 6 MB in base 64. */
  eventCharacters: 8 * MIB,
  /** Events of one streamed answer: beyond the tokens of the longest one. */
  streamFrames: 1_000_000,
  /** Texts that one streamed answer consists of, ended ones too: each has a guard and a place of its own. */
  streamChannels: 4_096,
  /** Choices of one streamed chat completion; as many as may be asked for. */
  streamChoices: 16,
  /** Tool calls, and parts of any other list, in one choice of a streamed chat completion. */
  streamCalls: 128,
  /** Content blocks of one streamed message; items of a streamed response, and parts of each. */
  streamBlocks: 1_024,
  /** Accounts that one request counts in: what one list of an entry holds. */
  limitsOfRequest: 64,
  /** Accounts of limits that are kept in memory at about 1.5 KB each; those in which nothing counts any more are given up for new ones. */
  limitAccounts: 100_000,
  /** Characters of a filter of SCIM, or of a path in a PATCH; as long as a request target may be. */
  scimFilterCharacters: 2 * KIB,
  /** Brackets inside each other in a filter of SCIM: our reader recurses. */
  scimFilterDepth: 16,
  /** Operations of one PATCH of SCIM; a provider sends a few dozen, or the members of a group in a few operations. */
  scimOperations: 1_000,
  /** Comparisons that the filters of one PATCH of SCIM make on one list, all in one turn: a third of a second of work. */
  scimComparisons: 250_000,
  /** Characters of one text of a user of SCIM: an address in full has a few hundred. */
  scimValueCharacters: 1_024,
  /** Values of one multi-valued attribute of a user of SCIM, as e-mail addresses. */
  scimValues: 64,
  /** Resources on one page of a list of SCIM. */
  scimPage: 200,
} as const

export const BYTES = { kib: KIB, mib: MIB } as const
