/** What `vitmim power` does: takes the spread of results, prints the tables and writes the files. */
import { join } from 'node:path';
import { UsageError } from '../common/errors.js';
import { collect, type ReportData } from '../report/collect.js';
import { describePlans } from '../report/plans.js';
import { describeLacks, spreadsOf, type CollectedSpreads } from '../report/power/collect.js';
import { powerTables, type PowerQuestion } from '../report/power/tables.js';
import type { Table } from '../report/table.js';
import { toCsv } from '../report/writers/csv.js';
import { toLatex } from '../report/writers/latex.js';
import { markdownText, toMarkdown } from '../report/writers/markdown.js';
import { toText } from '../report/writers/text.js';
import { writeFileAtomic } from '../store/files.js';
import { sweepPaths } from '../store/layout.js';
import { planChoice, type PlanOptions } from './options.js';
import type { PowerFormat } from './power.js';
import { KEPT, noSpread } from './spread-source.js';
import { print, printedWidth, printJson, printWrapped, say } from './terminal.js';

export interface PowerOptions extends PlanOptions {
  difference: number[];
  seeds: number[];
  alpha: number;
  power: number;
  metric?: string;
  out?: string;
  format?: PowerFormat[];
  json?: true;
}

/**
 * Prints the tables that the options select.
 *
 * @throws UsageError if a folder is no results folder, or no metric has a spread.
 */
export function showPower(folders: readonly string[], options: PowerOptions): void {
  const { difference, seeds, alpha, power, out, format } = options;
  if (format !== undefined && out === undefined) throw new UsageError('--format needs --out, the folder to write to');
  if (power <= alpha)
    throw new UsageError(`--power ${power} must be above --alpha ${alpha}: a test without any effect has that power`);
  const { name, spreads, lacks, data } = folders.length === 0 ? keptResults(options) : resultsIn(folders, options);
  const question: PowerQuestion = { seeds, differences: difference, alpha, power };
  const tables = powerTables(spreads, question);
  const title = `From ${name}`;
  if (options.json) {
    const { sweeps = [] } = data ?? {};
    printJson({
      source: name,
      sweeps,
      spreads: [...spreads].map(([metric, spread]) => ({ metric, ...spread })),
      lacks: [...lacks].map(([metric, why]) => ({ metric, why })),
      tables,
    });
  } else {
    const width = printedWidth();
    printWrapped(`${title}.\n`);
    print(
      tables
        .map((table) => toText(table, width))
        .join('\n')
        .trimEnd(),
    );
  }
  for (const sentence of [...describeLacks(lacks), ...notesOn(data)]) say(sentence);
  if (out !== undefined) say(`wrote ${write(tables, title, out, format ?? ['csv', 'md']).join(', ')}`);
}

interface Found extends CollectedSpreads {
  /** The results, in a sentence. */
  name: string;
  /** null: the kept results, of which only the spreads are here. */
  data: ReportData | null;
}

function resultsIn(folders: readonly string[], options: PowerOptions): Found {
  const data = collect(folders, planChoice(options));
  const found = spreadsOf(data, options.metric);
  const name = folders.join(', ');
  if (found.spreads.size === 0) throw new UsageError(noSpread(name, found.lacks));
  return { ...found, name, data };
}

function keptResults({ metric, plan, all }: PowerOptions): Found {
  if (plan !== undefined || all) throw new UsageError('--plan and --all need a results folder');
  const spreads = new Map([...KEPT.spreads].filter(([name]) => metric === undefined || name === metric));
  if (spreads.size === 0) {
    throw new UsageError(
      `the kept results have no spread of ${metric!}, only of ${[...KEPT.spreads.keys()].join(', ')}; name a results folder`,
    );
  }
  return { name: KEPT.name, spreads, lacks: new Map(), data: null };
}

function notesOn(data: ReportData | null): string[] {
  if (data === null) return ['another setting may vary more or less: name a results folder of yours'];
  const { length } = data.missing;
  return [
    ...(length === 0 ? [] : [`${length} ${length === 1 ? 'result is' : 'results are'} missing`]),
    ...describePlans(data),
  ];
}

function write(tables: readonly Table[], title: string, out: string, formats: readonly PowerFormat[]): string[] {
  const { folder, tables: tablesFolder } = sweepPaths(out);
  const files: Record<PowerFormat, () => { path: string; text: string }[]> = {
    csv: () => tables.map((table) => ({ path: join(tablesFolder, `${table.name}.csv`), text: toCsv(table) })),
    md: () => [
      {
        path: join(folder, 'power.md'),
        text: ['# Seeds and power', '', `${markdownText(title)}.`, '', ...tables.map(toMarkdown)].join('\n'),
      },
    ],
    latex: () => tables.map((table) => ({ path: join(tablesFolder, `${table.name}.tex`), text: toLatex(table) })),
  };
  const chosen = formats.flatMap((format) => files[format]());
  for (const { path, text } of chosen) writeFileAtomic(path, text);
  return chosen.map(({ path }) => path);
}
