/** The provenance section of a report: the distinct code, specs, machines and commands of the stages. */
import { printable } from '../common/printable.js';
import { shellWord } from '../common/shell.js';
import { canonicalJson } from '../common/canonical.js';
import type { AttemptProvenance, Repository } from '../store/provenance.js';
import type { ReportData } from './collect.js';
import { fenceAround, markdownCode, markdownRow } from './writers/markdown.js';

/** The provenance that some stages share; a text is empty if it was not recorded or does not apply. */
export interface ProvenanceRow {
  vitmim: string;
  /** Commit of vitmim's own checkout, and whether it had uncommitted changes. */
  checkout: string;
  /** The same of the spec's repository. */
  spec: string;
  device: string;
  machine: string;
  node: string;
  /** Stages with a result of this provenance. A stage that was resumed elsewhere counts in several rows. */
  stages: number;
}

export interface ProvenanceSummary {
  rows: ProvenanceRow[];
  /** Every distinct command, quoted for a shell. */
  commands: string[];
  /** Repositories with uncommitted changes, each state once. */
  dirty: Repository[];
  /** Stages with a result but without provenance. */
  unrecorded: number;
}

/**
 * Gathers the provenance of every stage that has a result, those of trials included: the reported values were chosen by
 * them.
 */
export function summarizeProvenance({
  stages,
  trials = new Map(),
}: Pick<ReportData, 'stages' | 'trials'>): ProvenanceSummary {
  const finished = [...stages.values(), ...trials.values()].filter(({ result }) => result !== null);
  const recorded = finished.flatMap(({ provenance }) => (provenance === null ? [] : [provenance.attempts]));
  const rows = new Map<string, ProvenanceRow>();
  for (const attempts of recorded) {
    for (const row of distinct(attempts.map(rowOf))) {
      const known = rows.get(canonicalJson(row));
      if (known === undefined) rows.set(canonicalJson(row), { ...row, stages: 1 });
      else known.stages += 1;
    }
  }
  const origins = recorded.flat().map(({ origin }) => origin);
  const repositories = origins.flatMap(({ vitmim, spec }) => [spec, vitmim.repository]);
  return {
    rows: [...rows.values()],
    commands: [...new Set(origins.flatMap(({ command }) => (command === null ? [] : [commandLine(command)])))],
    dirty: distinct(repositories.filter((repository) => repository !== null)).filter(({ dirty }) => dirty),
    unrecorded: finished.length - recorded.length,
  };
}

/** The section as lines of Markdown; empty if no stage has provenance. */
export function provenanceSection({ rows, commands, dirty, unrecorded }: ProvenanceSummary): string[] {
  if (rows.length === 0) return [];
  const columns = PROVENANCE_COLUMNS.filter(({ key }) => rows.some((row) => row[key] !== ''));
  return [
    '## Provenance',
    '',
    ...commandBlock(commands),
    markdownRow(columns.map(({ label }) => label)),
    markdownRow(columns.map(({ key }) => (key === 'stages' ? '---:' : '---'))),
    ...rows.map((row) => markdownRow(columns.map(({ key }) => String(row[key])))),
    '',
    ...dirty.flatMap((repository) => [`**Not as committed**: ${describeDirty(repository, markdownCode)}.`, '']),
    ...(unrecorded === 0 ? [] : [`${unrecorded} stages have no provenance.json.`, '']),
  ];
}

function commandBlock(commands: readonly string[]): string[] {
  if (commands.length === 0) return [];
  const fence = fenceAround(commands.join('\n'), 3);
  return [`${fence}sh`, ...commands.map(printable), fence, ''];
}

/** The columns in their order, with their headings. */
export const PROVENANCE_COLUMNS: readonly { key: keyof ProvenanceRow; label: string }[] = [
  { key: 'vitmim', label: 'vitmim' },
  { key: 'checkout', label: 'its commit' },
  { key: 'spec', label: "the spec's commit" },
  { key: 'device', label: 'device' },
  { key: 'machine', label: 'machine' },
  { key: 'node', label: 'Node' },
  { key: 'stages', label: 'stages' },
];

function rowOf({ origin, machine, device }: AttemptProvenance): Omit<ProvenanceRow, 'stages'> {
  const { platform, arch, release, cpu } = machine;
  const driver = device.details?.driver ?? null;
  return {
    vitmim: origin.vitmim.version,
    checkout: commitOf(origin.vitmim.repository),
    spec: commitOf(origin.spec),
    device: joined([`${device.name}: ${device.description}`, driver === null ? null : `driver ${driver}`]),
    machine: joined([cpu, [platform, arch, release].filter((part) => part !== null).join(' ')]),
    node: machine.node,
  };
}

const joined = (parts: readonly (string | null)[]): string => parts.filter(Boolean).join(', ');

function commitOf(repository: Repository | null): string {
  if (repository === null) return '';
  const commit = repository.commit?.slice(0, SHORT) ?? 'none';
  return repository.dirty ? `${commit}, dirty` : commit;
}

const SHORT = 10;
const NAMED = 5;

/**
 * The uncommitted changes, in words, with the diff that was kept.
 *
 * @param name How the name of a file is written.
 */
export function describeDirty(
  { commit, changed, untracked, diff, withheld = [] }: Repository,
  name: (file: string) => string = (file) => file,
): string {
  const base = commit === null ? 'without a commit' : `at ${commit.slice(0, SHORT)}`;
  const files = [list('changed', changed, name), list('untracked', untracked, name)]
    .filter((text) => text !== '')
    .join('; ');
  const without = withheld.length === 0 ? '' : `, without ${list('what may hold secrets:', withheld, name)}`;
  switch (diff) {
    case null:
      return `${base}, ${files}${withheld.length === 0 ? '' : `; no diff${without}`}`;
    case 'too large':
      return `${base}, ${files}; the diff was too large to be kept`;
    case 'not kept':
      return `${base}, ${files}; the diff was not kept (--no-diff)`;
    default:
      return `${base}, ${files}; the diff is provenance/${diff}.diff${without}`;
  }
}

function list(what: string, files: readonly string[], name: (file: string) => string): string {
  if (files.length === 0) return '';
  const more = files.length > NAMED ? ` and ${files.length - NAMED} more` : '';
  return `${what} ${files.slice(0, NAMED).map(name).join(', ')}${more}`;
}

/** A command as it is typed into a POSIX shell. */
export const commandLine = (command: readonly string[]): string => command.map(quote).join(' ');

/** An argument as a POSIX shell reads it back; it makes the home folder of a leading `~/` only outside quotes. */
function quote(argument: string): string {
  if (argument.startsWith('~/')) return `~/${quote(argument.slice(2))}`;
  return shellWord(argument);
}

function distinct<T>(values: readonly T[]): T[] {
  return [...new Map(values.map((value) => [canonicalJson(value), value])).values()];
}
