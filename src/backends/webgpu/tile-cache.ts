/** Stores the fastest tiles in a file, since measuring them takes some seconds. */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';
import type { Tiles } from './passes/matrix-units.js';

/** A file of another version is ignored. */
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

/** @returns The tiles that were chosen for the device before; null if there are none, or the file cannot be read. */
export function rememberedTiles(path: string, device: string): Tiles | null {
  try {
    const remembered = rememberedSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
    return remembered.device === device ? remembered.tiles : null;
  } catch {
    return null;
  }
}

/** If the file cannot be written, the tiles are measured again next time. */
export function rememberTiles(path: string, device: string, tiles: Tiles): void {
  try {
    mkdirSync(dirname(path), { recursive: true });
    const whole = `${path}.${process.pid}`;
    writeFileSync(whole, JSON.stringify({ version: VERSION, device, tiles }, null, 2));
    renameSync(whole, path);
  } catch {
    // see above
  }
}
