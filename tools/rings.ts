import fs from 'node:fs'
import path from 'node:path'
import { findCycles } from './cycles.ts'
import { listFiles, readText } from './files.ts'
import { findImports, type Import } from './imports.ts'
import { RULES, type FolderRule, type Rules } from './rings_rules.ts'

export interface Problem {
  readonly rule:
    | 'upward'
    | 'sibling'
    | 'narrow'
    | 'alone'
    | 'cycle'
    | 'folder without a rule'
    | 'rule without a folder'
    | 'package not listed'
    | 'package not used'
    | 'dependency not listed'
    | 'built-in'
    | 'reserved'
    | 'dynamic'
    | 'around'
    | 'missing'
    | 'outside'
    | 'not alone'
  readonly where: string
  readonly what: string
}

interface Source {
  /** Relative to `src`, with forward slashes. */
  readonly file: string
  readonly folder: string
  readonly isTest: boolean
  readonly imports: readonly Import[]
}

/** Checks every import of every TypeScript file under `ROOT/src` against the rules, and the rules against the files. */
export function checkRings(root: string, rules: Rules = RULES): Problem[] {
  const sources = readSources(path.join(root, 'src'))
  const files = new Set(sources.map((source) => source.file))
  const check = { root, rules, files, problems: [] as Problem[], edges: new Map<string, string[]>() }
  for (const source of sources) {
    if (rules.folders[source.folder] === undefined)
      report(check, 'folder without a rule', source.file, source.folder)
    for (const one of source.imports) checkImport(check, source, one)
  }
  checkRules(check, sources)
  for (const folder of Object.keys(rules.alone)) checkAlone(check, folder)
  for (const cycle of findCycles(check.edges)) report(check, 'cycle', cycle[0] ?? '', cycle.join(' -> '))
  return check.problems
}

interface Check {
  readonly root: string
  readonly rules: Rules
  readonly files: ReadonlySet<string>
  readonly problems: Problem[]
  readonly edges: Map<string, string[]>
}

function report(check: Check, rule: Problem['rule'], where: string, what: string): void {
  check.problems.push({ rule, where, what })
}

function checkImport(check: Check, source: Source, one: Import): void {
  const where = `src/${source.file}:${one.line}`
  const { specifier, kind } = one
  if (kind === 'require' || kind === 'computed') return report(check, 'around', where, specifier)
  if (kind === 'dynamic' && !isIn(source.file, check.rules.dynamic))
    report(check, 'dynamic', where, specifier)
  // What a program reads next to itself is no import.
  if (kind === 'worker' && !/\.[cm]?[jt]s$/.test(specifier)) return
  if (specifier.startsWith('node:')) return checkBuiltIn(check, source, specifier, where)
  if (!/^[.#/]|^file:/.test(specifier)) return checkPackage(check, source, specifier, where)
  const target = resolve(source, specifier)
  if (target === undefined) {
    if (!isHelperOfTest(check, source, specifier)) report(check, 'outside', where, specifier)
    return
  }
  if (!check.files.has(target)) {
    const isData = !target.endsWith('.ts') && fs.existsSync(path.join(check.root, 'src', target))
    if (!isData) report(check, 'missing', where, specifier)
    return
  }
  check.edges.set(source.file, [...(check.edges.get(source.file) ?? []), target])
  checkDirection(check, source, target, where)
}

/** The imported file relative to `src`, or undefined when it lies outside. */
function resolve(source: Source, specifier: string): string | undefined {
  if (specifier.startsWith('#')) return path.posix.normalize(specifier.slice(1))
  const joined = path.posix.join(source.folder, specifier)
  return specifier.startsWith('.') && !joined.startsWith('..') ? joined : undefined
}

function isHelperOfTest(check: Check, source: Source, specifier: string): boolean {
  if (!source.isTest || !specifier.startsWith('.')) return false
  const file = path.resolve(check.root, 'src', source.folder, specifier)
  return isIn(path.relative(check.root, file), check.rules.testHelpers) && fs.existsSync(file)
}

/** A test may reach everything its ring may reach; only its subject is held to the narrower list of its folder. */
function checkDirection(check: Check, source: Source, target: string, where: string): void {
  const { rules } = check
  const folder = path.posix.dirname(target)
  if (folder === '.') {
    const isOwnTest = source.isTest && source.folder === '.'
    const importers = rules.reserved[target]?.importers
    const mayImport = importers === undefined ? source.folder === '.' : isIn(source.file, importers)
    if (!mayImport && !isOwnTest) report(check, 'reserved', where, target)
    return
  }
  if (source.folder === '.') return
  if (!source.isTest && target.endsWith('.test.ts')) return report(check, 'outside', where, target)
  const [own, other] = [ringOf(rules, source.folder), ringOf(rules, folder)]
  if (other > own) return report(check, 'upward', where, target)
  if (folder === source.folder) {
    const isAlone = rules.folders[folder]?.alone === true && path.posix.basename(source.file) !== 'all.ts'
    if (isAlone && !source.isTest) report(check, 'alone', where, target)
    return
  }
  if (other === own && roomOf(folder) !== roomOf(source.folder))
    return report(check, 'sibling', where, target)
  const rule = rules.folders[source.folder]
  if (!source.isTest && rule !== undefined && !isIn(target, rule.from)) report(check, 'narrow', where, target)
}

function ringOf(rules: Rules, folder: string): number {
  return rules.rings.indexOf(folder.split('/')[0] ?? '')
}

/** `trust/access/providers` -> `trust/access`; a ring without rooms is a room itself. */
function roomOf(folder: string): string {
  const [ring = '', room] = folder.split('/')
  return ring === 'door' || ring === 'base' || room === undefined ? ring : `${ring}/${room}`
}

/** True when `file` is one of `places` or lies under one of them. */
function isIn(file: string, places: readonly string[]): boolean {
  return places.some((place) => file === place || file.startsWith(`${place}/`))
}

function checkBuiltIn(check: Check, source: Source, specifier: string, where: string): void {
  if (source.isTest) return
  const name = packageName(specifier)
  const rule = check.rules.builtIns[name]
  if (rule === undefined) return report(check, 'built-in', where, `${name} is in no list`)
  if (rule.places !== 'anywhere' && !isIn(source.file, rule.places))
    report(check, 'built-in', where, specifier)
}

function checkPackage(check: Check, source: Source, specifier: string, where: string): void {
  const name = packageName(specifier)
  if (source.isTest && (name in check.rules.packages || isInstalled(check.root, 'devDependencies', name)))
    return
  const places = check.rules.packages[name]?.places
  if (places === undefined || !isIn(source.file, places)) report(check, 'package not listed', where, name)
}

/** `node:fs/promises` -> `node:fs`, `@a/b/c` -> `@a/b`. */
function packageName(specifier: string): string {
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')
}

function isInstalled(root: string, group: 'dependencies' | 'devDependencies', name: string): boolean {
  return name in (readManifest(root)[group] ?? {})
}

function readManifest(
  root: string,
): Partial<Record<'dependencies' | 'devDependencies', Record<string, string>>> {
  return JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8'))
}

/** A rule that matches nothing looks like a guard and guards nothing. */
function checkRules(check: Check, sources: readonly Source[]): void {
  const { rules, root } = check
  const folders = new Set(sources.map((source) => source.folder))
  const listed = (where: string, places: readonly string[]): void => {
    for (const place of places)
      if (!isReal(check, place)) report(check, 'rule without a folder', where, place)
  }
  for (const [folder, rule] of Object.entries(rules.folders)) {
    if (!folders.has(folder)) report(check, 'rule without a folder', 'tools/rings_rules.ts', folder)
    listed(folder, rule.from)
    checkRuleDirection(check, folder, rule)
  }
  listed('dynamic', rules.dynamic)
  for (const [file, { importers }] of Object.entries(rules.reserved)) listed(file, [file, ...importers])
  const used = (name: string, place: string): boolean =>
    sources.some(
      (source) =>
        !source.isTest &&
        isIn(source.file, [place]) &&
        source.imports.some(({ specifier }) => packageName(specifier) === name),
    )
  for (const [name, { places }] of [...Object.entries(rules.packages), ...Object.entries(rules.builtIns)]) {
    if (places === 'anywhere') continue
    for (const place of places) if (!used(name, place)) report(check, 'package not used', place, name)
  }
  for (const name of Object.keys(readManifest(root).dependencies ?? {})) {
    if (!(name in rules.packages)) report(check, 'dependency not listed', 'package.json', name)
  }
  for (const name of Object.keys(rules.packages)) {
    if (!isInstalled(root, 'dependencies', name)) report(check, 'package not used', 'package.json', name)
  }
}

/** A program of its own: plain files that import what is listed of Node, all of that, and nothing else. */
function checkAlone(check: Check, folder: string): void {
  const allowed = check.rules.alone[folder]?.builtIns ?? []
  const files = listFiles([folder], check.root).filter((file) => !file.endsWith('.md'))
  if (files.length === 0) report(check, 'rule without a folder', 'tools/rings_rules.ts', folder)
  const imports = files.flatMap((file) =>
    findImports(readText(file, check.root)).map((one) => ({ ...one, where: `${file}:${one.line}` })),
  )
  for (const { where, kind, specifier } of imports)
    if (kind !== 'value' || !allowed.includes(specifier)) report(check, 'not alone', where, specifier)
  for (const name of allowed)
    if (!imports.some(({ specifier }) => specifier === name)) report(check, 'package not used', folder, name)
}

function isReal(check: Check, place: string): boolean {
  return check.files.has(place) || [...check.files].some((file) => file.startsWith(`${place}/`))
}

/** The table itself may not allow what the rings forbid. */
function checkRuleDirection(check: Check, folder: string, rule: FolderRule): void {
  const own = ringOf(check.rules, folder)
  for (const place of folder === '.' ? [] : rule.from) {
    const other = ringOf(check.rules, place)
    if (other > own || other === -1) report(check, 'upward', folder, place)
    const isSameRoom = roomOf(place.replace(/\/[^/]+\.ts$/, '')) === roomOf(folder)
    if (other === own && !isSameRoom) report(check, 'sibling', folder, place)
  }
}

function readSources(src: string): Source[] {
  return fs
    .readdirSync(src, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => path.relative(src, path.join(entry.parentPath, entry.name)).replaceAll('\\', '/'))
    .toSorted()
    .map((file) => ({
      file,
      folder: path.posix.dirname(file),
      isTest: file.endsWith('.test.ts'),
      imports: findImports(fs.readFileSync(path.join(src, file), 'utf8')),
    }))
}

if (import.meta.main) {
  const problems = checkRings(path.dirname(import.meta.dirname))
  for (const { rule, where, what } of problems) console.error(`${rule}: ${where}: ${what}`)
  if (problems.length > 0) console.error(`${problems.length} problems; the rules are in tools/rings_rules.ts`)
  process.exitCode = problems.length === 0 ? 0 : 1
}
