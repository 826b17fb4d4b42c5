import { readdir, readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import MiniSearch from 'minisearch'

/** One page of `docs/`. */
export interface Page {
  /** Path below `docs/`, e.g. `connect-a-client.md`. */
  readonly path: string
  readonly title: string
  readonly text: string
}

export interface Hit {
  readonly path: string
  readonly title: string
  /** The heading above the place that fits best. */
  readonly section: string
  readonly excerpt: string
}

/** The documentation as people and AI clients read it. */
export interface Library {
  readonly pages: readonly Page[]
  /** Null when there is no such page; `.md` may be left out. */
  page(path: string): Page | null
  /** Best first. */
  search(query: string, limit: number): readonly Hit[]
}

interface Section {
  readonly id: number
  readonly path: string
  readonly title: string
  readonly section: string
  readonly text: string
}

const EXCERPT = 400

/** Reads every Markdown page below `dir` once, and indexes it by section. */
export async function openLibrary(dir: string): Promise<Library> {
  const files = (await readdir(dir, { recursive: true })).filter((name) => name.endsWith('.md')).toSorted()
  const pages = await Promise.all(files.map((name) => readPage(dir, join(dir, name))))
  const byPath = new Map(pages.map((page) => [page.path, page]))
  const sections = pages.flatMap(sectionsOf).map((section, id) => ({ ...section, id }))
  const index = new MiniSearch<Section>({
    fields: ['title', 'section', 'text'],
    searchOptions: { boost: { title: 3, section: 2 }, prefix: true, fuzzy: 0.15 },
  })
  index.addAll(sections)
  return {
    pages,
    page: (path) => byPath.get(path) ?? byPath.get(`${path}.md`) ?? null,
    search: (query, limit) =>
      index
        .search(query)
        .slice(0, limit)
        .flatMap((hit) => toHit(sections[hit.id as number], hit.terms)),
  }
}

async function readPage(dir: string, file: string): Promise<Page> {
  const text = await readFile(file, 'utf8')
  const path = relative(dir, file).replaceAll('\\', '/')
  return { path, title: /^# +(.+)$/m.exec(text)?.[1] ?? path, text }
}

function sectionsOf(page: Page): Omit<Section, 'id'>[] {
  return page.text.split(/^(?=#{1,3} )/m).map((text) => ({
    path: page.path,
    title: page.title,
    section: /^#{1,3} +(.+)$/m.exec(text)?.[1] ?? page.title,
    text,
  }))
}

function toHit(section: Section | undefined, terms: readonly string[]): Hit[] {
  if (section === undefined) return []
  const { path, title, text } = section
  const lower = text.toLowerCase()
  const at = Math.max(0, Math.min(...terms.map((term) => lower.indexOf(term)).filter((n) => n >= 0), text.length) - 120)
  return [{ path, title, section: section.section, excerpt: text.slice(at, at + EXCERPT).trim() }]
}
