/** Keeps the choices of {@link chooseBfloat16} in a file, since the fastest product is measured only once. */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';
import type { MeasuredChoice } from './bfloat16-choice.js';
import { BFLOAT16_PRODUCTS } from './gemm.js';

/** A file of another version is ignored. */
const VERSION = 1;

const fileSchema = z.strictObject({
  version: z.literal(VERSION),
  choices: z.record(z.string(), z.strictObject({ product: z.enum(BFLOAT16_PRODUCTS), speed: z.number().positive() })),
});
type Choices = z.output<typeof fileSchema>['choices'];

/** Empty if there is no file, or it cannot be read. */
function read(path: string): Choices {
  try {
    return fileSchema.parse(JSON.parse(readFileSync(path, 'utf8'))).choices;
  } catch {
    return {};
  }
}

/** @returns The choice that was made before for a machine and library; null if there is none. */
export function rememberedChoice(path: string, key: string): MeasuredChoice | null {
  const choices = read(path);
  return Object.hasOwn(choices, key) ? choices[key]! : null;
}

/** If the file cannot be written, the products are measured again next time. */
export function rememberChoice(path: string, key: string, choice: MeasuredChoice): void {
  try {
    mkdirSync(dirname(path), { recursive: true });
    const whole = `${path}.${process.pid}`;
    writeFileSync(whole, JSON.stringify({ version: VERSION, choices: { ...read(path), [key]: choice } }, null, 2));
    renameSync(whole, path);
  } catch {
    // see above
  }
}
