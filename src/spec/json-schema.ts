/**
 * The JSON Schema (draft-07) of a sweep file, for editors. It is generated from the schema that checks the file at run
 * time.
 */
import { z } from 'zod';
import { sweepSchema } from './sweep-schema.js';

/** The content of `schema/sweep.schema.json`. */
export function sweepJsonSchema(): object {
  return z.toJSONSchema(sweepSchema, {
    target: 'draft-7',
    io: 'input',
    override({ jsonSchema }) {
      // zod states the range of exact integers as bounds, which do not help in an editor.
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
    },
  });
}
