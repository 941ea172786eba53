/** Every table. Adding one is a file beside this and a line here. */
import { namesOf, registry } from '../../common/registry.js';
import type { BuildTable, Table } from '../table.js';
import { efficiencyTable } from './efficiency.js';
import { effectsTable } from './effects.js';
import { factorTable } from './factor.js';
import { integrationTable } from './integration.js';
import { objectivesTable } from './objectives.js';
import { robustnessTable } from './robustness.js';
import { repeatsTable } from './repeats.js';
import { segmentationTable } from './segmentation.js';
import { runsTable } from './runs.js';
import { selectionTable } from './selection.js';
import { transferTable } from './transfer.js';
import { varianceTable } from './variance.js';

export interface TableEntry {
  build: BuildTable;
  /** False: too wide for a page, so it is written only as CSV. */
  readable: boolean;
}

export const TABLES = registry({
  selection: { build: selectionTable, readable: true },
  objectives: { build: objectivesTable, readable: true },
  integration: { build: integrationTable, readable: true },
  'mask-ratio': { build: factorTable('mask'), readable: true },
  misalignment: { build: factorTable('misalignment'), readable: true },
  'style-preservation': { build: factorTable('style'), readable: true },
  effects: { build: effectsTable, readable: true },
  efficiency: { build: efficiencyTable, readable: true },
  robustness: { build: robustnessTable, readable: true },
  segmentation: { build: segmentationTable, readable: true },
  transfer: { build: transferTable, readable: true },
  variance: { build: varianceTable, readable: true },
  runs: { build: runsTable, readable: false },
  repeats: { build: repeatsTable, readable: false },
}) satisfies Record<string, TableEntry>;

export type TableName = keyof typeof TABLES;
export const TABLE_NAMES = namesOf(TABLES);

/** Whether a table fits a page. */
export const isReadable = ({ name }: Pick<Table, 'name'>): boolean => !WIDE.has(name);

const WIDE: ReadonlySet<string> = new Set(TABLE_NAMES.filter((name) => !TABLES[name].readable));
