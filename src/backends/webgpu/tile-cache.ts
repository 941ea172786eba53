/** Tiles that were found fastest, remembered in a file: to try them takes some seconds. */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';
import type { Tiles } from './passes/matrix-units.js';

/** Another one makes all that is remembered void. */
const VERSION = 2;

const tileSchema = z.strictObject({
  rows: z.int(),
  columns: z.int(),
  depth: z.int(),
  split: z.tuple([z.int(), z.int()]),
});
const extentsSchema = z.strictObject({ few: tileSchema, many: tileSchema });
const rememberedSchema = z.strictObject({
  version: z.literal(VERSION),
  device: z.string(),
  tiles: z.strictObject({
    plain: extentsSchema,
    'second-transposed': extentsSchema,
    'first-transposed': extentsSchema,
  }),
});

/** @returns What was chosen for the device before, or null. A file that cannot be read is as none. */
export function rememberedTiles(path: string, device: string): Tiles | null {
  try {
    const remembered = rememberedSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
    return remembered.device === device ? remembered.tiles : null;
  } catch {
    return null;
  }
}

/** Whoever cannot write there tries again next time. */
export function rememberTiles(path: string, device: string, tiles: Tiles): void {
  try {
    mkdirSync(dirname(path), { recursive: true });
    const whole = `${path}.${process.pid}`;
    writeFileSync(whole, JSON.stringify({ version: VERSION, device, tiles }, null, 2));
    renameSync(whole, path);
  } catch {
    // tried again next time
  }
}
