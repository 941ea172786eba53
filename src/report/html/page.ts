/** `report.html`: the whole report as one file that needs no other and no network. Pure. */
import { createHash } from 'node:crypto';
import type { NamedMetric } from '../../stages/metrics.js';
import type { MissingResult, ReportData } from '../collect.js';
import { unhealthyStages, type UnhealthyStage } from '../health.js';
import { missingInBrief } from '../missing.js';
import type { LoggedSchedule } from '../schedules.js';
import type { Table } from '../table.js';
import type { Figure } from './chart.js';
import { drawChart } from './draw.js';
import { figuresOf } from './figures/index.js';
import { markup, trusted, type Markup } from './markup.js';
import { pictureSections } from './previews-section.js';
import { provenanceSection, stageLink } from './provenance-section.js';
import { SCRIPT } from './script.js';
import type { FoundFiles } from './stage-files.js';
import { STYLE } from './style.js';
import { tableSection } from './table-section.js';

/** The verdict of a sweep on one of the paper's principles. */
export interface ShownVerdict {
  principle: string;
  /** In a word or two. */
  verdict: string;
  /** The numbers behind it, in whole sentences. */
  text: string;
}

export interface PageInput {
  data: ReportData;
  /** The accuracy that charts show. */
  metric: NamedMetric;
  /** Shown whole. */
  tables: readonly Table[];
  /** Too wide to read: named, with a link to their CSV file. */
  wide: readonly Table[];
  verdicts: readonly ShownVerdict[];
  /** Warnings beside the verdicts, each a paragraph. */
  notes: readonly string[];
  /** How the verdicts were found, and what was not asked; folded away, each a paragraph. */
  method: readonly string[];
  schedules: readonly LoggedSchedule[];
  files: FoundFiles;
}

interface Section {
  id: string;
  title: string;
  content: Markup;
}

/** The page as HTML. */
export function reportHtml({
  data,
  metric,
  tables,
  wide,
  verdicts,
  notes,
  method,
  schedules,
  files,
}: PageInput): string {
  const { name } = data.sweeps[0]!;
  const unhealthy = unhealthyStages(data);
  const pictures = pictureSections(data, files);
  const figures = figuresOf(data, metric, schedules).map((figure): Section => ({
    id: figure.id,
    title: figure.title,
    content: figureSection(figure),
  }));
  // The page opens with the result and with what the models see and make of it.
  const sections: Section[] = [
    ...figures.slice(0, 1),
    ...pictures.filter(({ kind }) => kind === 'pretrain'),
    ...figures.slice(1),
    ...pictures.filter(({ kind }) => kind !== 'pretrain'),
    ...tables.map((table) => ({
      id: `table-${table.name}`,
      title: `Table: ${table.title}`,
      content: tableSection(table),
    })),
    ...(wide.length === 0 ? [] : [{ id: 'more', title: 'More tables', content: wideSection(wide) }]),
    { id: 'provenance', title: 'Provenance', content: provenanceSection(data, files.links) },
    ...(unhealthy.length === 0
      ? []
      : [{ id: 'unhealthy', title: 'Unhealthy runs', content: unhealthySection(unhealthy, files.links) }]),
    ...(data.missing.length === 0
      ? []
      : [{ id: 'missing', title: 'Missing results', content: missingSection(data.missing, files.links) }]),
  ];
  return `<!doctype html>\n${
    markup`<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy()}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${name}: report</title>
<style>${trusted(STYLE)}</style></head>
<body><header><h1>${name}</h1>
${descriptions(data).map((text) => markup`<p>${text}</p>`)}
<p class="lead">${data.jobs.length} jobs, ${data.stages.size} stages, ${data.missing.length} without a result.</p>
${verdictList(verdicts)}
${paragraphs(notes)}
${methodSection(method)}
<nav aria-label="Contents"><ul>${sections.map(({ id, title }) => markup`<li><a href="#${id}">${title}</a></li>`)}</ul></nav></header>
<main>
${sections.map(({ content }) => content)}</main>
<footer>Written by vitmim report. The same tables are in report.md and tables/.</footer>
<script>${trusted(SCRIPT)}</script></body></html>
`.text
  }`;
}

/**
 * Nothing is loaded, and no script runs but our own: a name in a sweep could not become one even if it were not
 * escaped.
 */
function policy(): string {
  const hash = createHash('sha256').update(SCRIPT).digest('base64');
  return `default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src 'sha256-${hash}'`;
}

/** The distinct descriptions of the folders. */
function descriptions({ sweeps }: ReportData): string[] {
  return [...new Set(sweeps.map(({ description }) => description))].filter((description) => description !== null);
}

function verdictList(verdicts: readonly ShownVerdict[]): Markup | null {
  if (verdicts.length === 0) return null;
  return markup`<dl class="verdicts">${verdicts.map(
    ({ principle, verdict, text }) => markup`<dt>${principle}: <span>${verdict}</span></dt><dd>${text}</dd>
`,
  )}</dl>`;
}

const paragraphs = (texts: readonly string[]): Markup[] =>
  texts.filter((text) => text !== '').map((text) => markup`<p class="lead">${text}</p>`);

function methodSection(method: readonly string[]): Markup | null {
  const text = paragraphs(method);
  return text.length === 0 ? null : markup`<details><summary>How the verdicts were found</summary>${text}</details>`;
}

/** More charts than this are folded away: they are for looking one up. */
const MOST_OPEN = 12;
/** More charts of a figure than this are not drawn: they would make the page too large to open. */
const MOST_DRAWN = 100;

function figureSection({ id, title, caption, charts: all }: Figure): Markup {
  const charts = all.slice(0, MOST_DRAWN);
  const grid = markup`<div class="charts">
${charts.map(
  (chart, i) => markup`<figure><figcaption>${chart.title}</figcaption>
${drawChart(`${id}-${i + 1}`, chart)}</figure>
`,
)}</div>`;
  const folded = charts.length > MOST_OPEN;
  return markup`<section id="${id}"><h2>${title}</h2>
<p class="lead">${caption}${
    all.length > MOST_DRAWN &&
    ` Drawn are the first ${MOST_DRAWN} of ${all.length} charts; runs.csv has the numbers of all.`
  }</p>
${folded ? markup`<details><summary>${charts.length} charts</summary>${grid}</details>` : grid}</section>
`;
}

function wideSection(tables: readonly Table[]): Markup {
  return markup`<section id="more"><h2>More tables</h2><ul>${tables.map(
    ({ name, title, caption }) => markup`<li><a href="tables/${name}.csv">${title}</a>: ${caption}</li>`,
  )}</ul></section>
`;
}

function unhealthySection(unhealthy: readonly UnhealthyStage[], links: ReadonlyMap<string, string>): Markup {
  return markup`<section id="unhealthy"><h2>Unhealthy runs</h2>
<p class="lead">Their training did not work, so no verdict, effect, mean or rank counts them.</p>
<ul>${unhealthy.map(
    ({ kind, id, run, problem }) => markup`<li>${kind} ${stageLink(id, links)} (${run}): ${problem}</li>
`,
  )}</ul></section>
`;
}

function missingSection(missing: readonly MissingResult[], links: ReadonlyMap<string, string>): Markup {
  const { first, rest } = missingInBrief(missing);
  return markup`<section id="missing"><h2>Missing results</h2>
<details><summary>${missing.length} stages</summary><ul>${first.map(
    ({ stage, entry, why }) => markup`<li>${entry} ${stageLink(stage.id, links)}: ${why}</li>
`,
  )}${rest !== null && markup`<li>${rest}</li>`}</ul></details></section>
`;
}
