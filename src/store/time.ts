/** Times in the files of a results folder. */
import { z } from 'zod';

/** A time as ISO 8601 has it. */
export const timeSchema = z
  .string()
  .max(40)
  .refine((text) => Number.isFinite(Date.parse(text)), 'it is no time');
