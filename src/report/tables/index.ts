/** Every table there is. Adding one is a file beside this and a line here. */
import type { BuildTable, TableName } from '../table.js';
import { efficiencyTable } from './efficiency.js';
import { effectsTable } from './effects.js';
import { factorTable } from './factor.js';
import { integrationTable } from './integration.js';
import { objectivesTable } from './objectives.js';
import { runsTable } from './runs.js';

export interface TableEntry {
  build: BuildTable;
  /** False where it is too wide to read: it is written as CSV alone. */
  readable: boolean;
}

export const TABLES: Record<TableName, TableEntry> = {
  objectives: { build: objectivesTable, readable: true },
  integration: { build: integrationTable, readable: true },
  'mask-ratio': { build: factorTable('mask'), readable: true },
  misalignment: { build: factorTable('misalignment'), readable: true },
  'style-preservation': { build: factorTable('style'), readable: true },
  effects: { build: effectsTable, readable: true },
  efficiency: { build: efficiencyTable, readable: true },
  runs: { build: runsTable, readable: false },
};
