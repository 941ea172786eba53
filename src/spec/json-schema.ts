/**
 * The JSON Schema (draft-07) of a sweep file, for editors. It is generated from the schema that checks the file at run
 * time.
 */
import { z } from 'zod';
import { AXIS_NAME_PATTERN, sweepSchema } from './sweep-schema.js';

/** The content of `schema/sweep.schema.json`. */
export function sweepJsonSchema(): object {
  return z.toJSONSchema(sweepSchema(), {
    target: 'draft-7',
    io: 'input',
    override({ jsonSchema }) {
      // zod states the range of exact integers as bounds, which do not help in an editor.
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
      const { allOf, ...rest } = jsonSchema;
      // A single reference needs no list around it.
      if (allOf?.length === 1 && typeof allOf[0] === 'object' && Object.keys(rest).length === 0) {
        delete jsonSchema.allOf;
        Object.assign(jsonSchema, allOf[0]);
      }
      const { properties } = jsonSchema;
      if (properties !== undefined && AXES_HAVE in properties) jsonSchema.patternProperties = variantAxes(properties);
    },
  });
}

/** A key that only a mapping of axes has. */
const AXES_HAVE = 'pretrain.epochs';

/** Axes of variants: a file chooses their names, so for editors every name that is no key of a job is one. */
function variantAxes(properties: object): Record<string, z.core.JSONSchema.BaseSchema> {
  const plain = ['zip', ...Object.keys(properties).filter((key) => !key.includes('.') && key !== 'zip')];
  const name = `^(?!(?:${plain.join('|')})$)${AXIS_NAME_PATTERN.slice(1)}`;
  const text: z.core.JSONSchema.BaseSchema = { type: 'string' };
  return { [name]: { anyOf: [{ type: 'array', items: text }, text], description: 'Names of variants.' } };
}
