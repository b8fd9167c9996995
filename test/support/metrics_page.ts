/** The series of a page in Prometheus' text form, each by its name with its labels as they are printed. */
export type Page = ReadonlyMap<string, number>

export async function scrape(metricsUrl: string): Promise<Page> {
  return readPage(await (await fetch(`${metricsUrl}/metrics`)).text())
}

export function readPage(text: string): Page {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))]))
}

/** The series of the named metrics, as an object whose order says nothing. */
export function seriesOf(page: Page, names: readonly string[]): Readonly<Record<string, number>> {
  const wanted = [...page].filter(([series]) => names.includes(series.replace(/\{.*$/s, '')))
  return Object.fromEntries(wanted.sort(([left], [right]) => (left < right ? -1 : 1)))
}

export function sumOf(page: Page, name: string): number {
  return Object.values(seriesOf(page, [name])).reduce((sum, value) => sum + value, 0)
}
