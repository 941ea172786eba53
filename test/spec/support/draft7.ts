/** A validator for the part of JSON Schema draft-07 that the sweep's schema uses; throws on any other keyword. */
type Json = Record<string, unknown>;

const isJson = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);
const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);

const ANNOTATIONS = ['$schema', 'title', 'description', 'default', 'definitions'];

/** The faults of `value` as `path: keyword`; none when it conforms. */
export function faults(root: unknown, value: unknown, schema: unknown = root, path = ''): string[] {
  if (schema === true) return [];
  if (!isJson(schema)) return [`${path}: false`];
  const fault = (keyword: string, holds: boolean): string[] => (holds ? [] : [`${path}: ${keyword}`]);
  const into = (inner: unknown, member: unknown, step: string | number): string[] =>
    faults(root, member, inner, `${path}/${step}`);

  return Object.entries(schema).flatMap(([keyword, rule]): string[] => {
    if (ANNOTATIONS.includes(keyword)) return [];
    switch (keyword) {
      case '$ref':
        return faults(root, value, resolve(root, String(rule)), path);
      case 'allOf':
        return list(rule).flatMap((inner) => faults(root, value, inner, path));
      case 'anyOf':
        return fault(
          keyword,
          list(rule).some((inner) => faults(root, value, inner, path).length === 0),
        );
      case 'type':
        return fault(keyword, rule === typeOf(value) || (rule === 'number' && typeOf(value) === 'integer'));
      case 'enum':
        return fault(
          keyword,
          list(rule).some((choice) => same(choice, value)),
        );
      case 'const':
        return fault(keyword, same(rule, value));
      case 'pattern':
        return fault(keyword, typeof value !== 'string' || new RegExp(String(rule), 'u').test(value));
      case 'minLength':
        return fault(keyword, typeof value !== 'string' || value.length >= Number(rule));
      case 'minimum':
        return fault(keyword, typeof value !== 'number' || value >= Number(rule));
      case 'maximum':
        return fault(keyword, typeof value !== 'number' || value <= Number(rule));
      case 'exclusiveMinimum':
        return fault(keyword, typeof value !== 'number' || value > Number(rule));
      case 'exclusiveMaximum':
        return fault(keyword, typeof value !== 'number' || value < Number(rule));
      case 'minItems':
        return fault(keyword, !Array.isArray(value) || value.length >= Number(rule));
      case 'maxItems':
        return fault(keyword, !Array.isArray(value) || value.length <= Number(rule));
      case 'items':
        return list(value).flatMap((item, index) =>
          into(Array.isArray(rule) ? (rule[index] ?? true) : rule, item, index),
        );
      case 'additionalItems':
        return fault(keyword, rule === true || list(value).length <= list(schema.items).length);
      case 'required':
        return fault(keyword, !isJson(value) || list(rule).every((key) => Object.hasOwn(value, String(key))));
      case 'properties':
        return isJson(value) && isJson(rule)
          ? Object.keys(value).flatMap((key) => (Object.hasOwn(rule, key) ? into(rule[key], value[key], key) : []))
          : [];
      case 'patternProperties':
        return isJson(value) && isJson(rule)
          ? Object.entries(rule).flatMap(([pattern, inner]) =>
              Object.keys(value).flatMap((key) =>
                new RegExp(pattern, 'u').test(key) ? into(inner, value[key], key) : [],
              ),
            )
          : [];
      case 'propertyNames':
        return isJson(value) ? Object.keys(value).flatMap((key) => faults(root, key, rule, `${path}/${key}`)) : [];
      case 'additionalProperties': {
        if (!isJson(value)) return [];
        const known = isJson(schema.properties) ? schema.properties : {};
        const patterns = isJson(schema.patternProperties) ? Object.keys(schema.patternProperties) : [];
        const others = Object.keys(value).filter(
          (key) => !Object.hasOwn(known, key) && !patterns.some((pattern) => new RegExp(pattern, 'u').test(key)),
        );
        if (rule === false) return fault(keyword, others.length === 0);
        return others.flatMap((key) => into(rule, value[key], key));
      }
      default:
        throw new Error(`no rule for the keyword ${keyword}`);
    }
  });
}

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return typeof value === 'number' && Number.isInteger(value) ? 'integer' : typeof value;
}

function resolve(root: unknown, reference: string): unknown {
  return reference
    .split('/')
    .slice(1)
    .reduce<unknown>((node, step) => (isJson(node) ? node[step] : undefined), root);
}
