/** The provenance of every number: commands, code and machines, then each stage with its number, command and folder. */
import { taskName } from '../../spec/objective.js';
import type { StageResult } from '../../store/records.js';
import type { ReportData, StageRecord } from '../collect.js';
import { commandLine, describeDirty, PROVENANCE_COLUMNS, summarizeProvenance } from '../provenance.js';
import { markup, type Content, type Markup } from './markup.js';
import { numberIn } from '../../stages/fields.js';
import { describeMeasured, firstMetricOf } from '../../stages/metrics.js';
import { formatNumber } from './numbers.js';
import { sortableTable } from './table-section.js';

export function provenanceSection(data: ReportData, links: ReadonlyMap<string, string>): Markup {
  const { rows, commands, dirty, unrecorded } = summarizeProvenance(data);
  const columns = PROVENANCE_COLUMNS.filter(({ key }) => rows.some((row) => row[key] !== ''));
  const headers = columns.map(({ key, label }) => ({ label, numeric: key === 'stages' }));
  const cells = rows.map((row) => columns.map(({ key }) => ({ text: row[key] })));
  return markup`<section id="provenance"><h2>Provenance</h2>
${
  commands.length > 0 &&
  markup`<p>The commands that computed what is reported here. The stages below say which of them computed each number.</p>
<ol class="commands">${commands.map(
    (command, i) =>
      markup`<li id="command-${i + 1}"><pre tabindex="0" aria-label="Command ${i + 1}"><code>${command}</code></pre></li>`,
  )}</ol>
`
}${rows.length > 0 && sortableTable('provenance-conditions', 'Code, devices and machines, with the stages each concerns.', headers, cells)}
${dirty.map((repository) => markup`<p><strong>Not as committed</strong>: ${describeDirty(repository)}.</p>`)}
${unrecorded > 0 && markup`<p>${unrecorded} stages have no provenance.json.</p>`}
<details><summary>Every stage, its number and its command</summary>${stageTable(data, links, commands)}</details></section>
`;
}

const HEADERS = [
  { label: 'stage', numeric: false },
  { label: 'evaluation', numeric: false },
  { label: 'objective', numeric: false },
  { label: 'mask ratio', numeric: true },
  { label: 'seed', numeric: true },
  { label: 'result', numeric: true },
  { label: 'command', numeric: false },
];

function stageTable({ stages }: ReportData, links: ReadonlyMap<string, string>, commands: readonly string[]): Markup {
  const rows = [...stages.values()].map((record) => {
    const { stage, entry, result } = record;
    const task = pretrainingOf(record, stages);
    const ratio = task === null ? undefined : task.maskRatio;
    const number = result === null ? undefined : numberOf(result);
    return [
      { text: stageLink(stage.id, links) },
      { text: entry },
      { text: taskName(task, stage.config.weights?.sha256) },
      { text: ratio ?? null, ...(ratio !== undefined && { value: ratio }) },
      { text: stage.config.seed, value: stage.config.seed },
      { text: result === null ? null : describeNumber(result), ...(number !== undefined && { value: number }) },
      { text: commandCell(record, commands) },
    ];
  });
  const caption =
    'Identities link to folders: configuration, log, checkpoint and result. Results: what an evaluation measured first, or the loss.';
  return sortableTable('provenance-stages', caption, HEADERS, rows);
}

function pretrainingOf({ stage }: StageRecord, stages: ReportData['stages']) {
  const { config } = stage.parent === null ? stage : stages.get(stage.parent)!.stage;
  return config.kind === 'pretrain' ? config.task : null;
}

/** The identity of a stage, as a link if its folder is there. */
export function stageLink(id: string, links: ReadonlyMap<string, string>): Markup {
  const link = links.get(id);
  return link === undefined ? markup`<code>${id}</code>` : markup`<a href="${link}"><code>${id}</code></a>`;
}

/** The loss of a pre-training; of an evaluation, its first metric. */
const numberOf = (result: StageResult): number | undefined =>
  numberIn(result, firstMetricOf(result.kind)?.key ?? 'loss') ?? undefined;

function describeNumber(result: StageResult): string {
  return result.kind === 'pretrain' ? `loss ${formatNumber(result.loss, 4)}` : describeMeasured(result.kind, result);
}

/** Every command that contributed to a result: a resumed stage may have several. */
function commandCell({ result, provenance }: StageRecord, commands: readonly string[]): Content {
  if (result === null) return null;
  const lines = provenance?.attempts.flatMap(({ origin }) =>
    origin.command === null ? [] : [commandLine(origin.command)],
  );
  const numbers = [...new Set(lines)].map((line) => commands.indexOf(line) + 1);
  if (numbers.length === 0) return 'not recorded';
  return numbers.map((n, i) => markup`${i > 0 && ', '}<a href="#command-${n}">command ${n}</a>`);
}
