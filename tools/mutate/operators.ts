/** The changes of a mutant: for one node of the syntax tree, the texts that can replace it. */
import ts from 'typescript';

export type Operator =
  | 'arithmetic'
  | 'assignment'
  | 'boolean'
  | 'comparison'
  | 'condition'
  | 'fallback'
  | 'key'
  | 'literal'
  | 'math'
  | 'method'
  | 'named'
  | 'return'
  | 'sign'
  | 'spread'
  | 'statement'
  | 'tensor';

/** A text that replaces a node. */
export interface Change {
  operator: Operator;
  node: ts.Node;
  text: string;
}

const { SyntaxKind } = ts;

/** Each operator with its replacements. */
const BINARY: Partial<Record<ts.SyntaxKind, { operator: Operator; others: readonly string[] }>> = {
  [SyntaxKind.PlusToken]: { operator: 'arithmetic', others: ['-'] },
  [SyntaxKind.MinusToken]: { operator: 'arithmetic', others: ['+'] },
  [SyntaxKind.AsteriskToken]: { operator: 'arithmetic', others: ['/'] },
  [SyntaxKind.SlashToken]: { operator: 'arithmetic', others: ['*'] },
  [SyntaxKind.PercentToken]: { operator: 'arithmetic', others: ['*'] },
  [SyntaxKind.AsteriskAsteriskToken]: { operator: 'arithmetic', others: ['*'] },
  [SyntaxKind.AmpersandToken]: { operator: 'arithmetic', others: ['|'] },
  [SyntaxKind.BarToken]: { operator: 'arithmetic', others: ['&'] },
  [SyntaxKind.CaretToken]: { operator: 'arithmetic', others: ['&'] },
  [SyntaxKind.LessThanLessThanToken]: { operator: 'arithmetic', others: ['>>'] },
  [SyntaxKind.GreaterThanGreaterThanToken]: { operator: 'arithmetic', others: ['<<'] },
  [SyntaxKind.GreaterThanGreaterThanGreaterThanToken]: { operator: 'arithmetic', others: ['<<'] },
  [SyntaxKind.LessThanToken]: { operator: 'comparison', others: ['<=', '>='] },
  [SyntaxKind.LessThanEqualsToken]: { operator: 'comparison', others: ['<', '>'] },
  [SyntaxKind.GreaterThanToken]: { operator: 'comparison', others: ['>=', '<='] },
  [SyntaxKind.GreaterThanEqualsToken]: { operator: 'comparison', others: ['>', '<'] },
  [SyntaxKind.EqualsEqualsEqualsToken]: { operator: 'comparison', others: ['!=='] },
  [SyntaxKind.ExclamationEqualsEqualsToken]: { operator: 'comparison', others: ['==='] },
  [SyntaxKind.AmpersandAmpersandToken]: { operator: 'boolean', others: ['||'] },
  [SyntaxKind.BarBarToken]: { operator: 'boolean', others: ['&&'] },
  [SyntaxKind.PlusEqualsToken]: { operator: 'assignment', others: ['-='] },
  [SyntaxKind.MinusEqualsToken]: { operator: 'assignment', others: ['+='] },
  [SyntaxKind.AsteriskEqualsToken]: { operator: 'assignment', others: ['/='] },
  [SyntaxKind.SlashEqualsToken]: { operator: 'assignment', others: ['*='] },
  [SyntaxKind.QuestionQuestionEqualsToken]: { operator: 'assignment', others: ['='] },
};

/** Operators whose expression may be replaced by one of its sides. */
const EITHER_SIDE: Partial<Record<ts.SyntaxKind, Operator>> = {
  [SyntaxKind.AmpersandAmpersandToken]: 'boolean',
  [SyntaxKind.BarBarToken]: 'boolean',
  [SyntaxKind.QuestionQuestionToken]: 'fallback',
};

/** Functions of `Math` with their replacements; null: replaced by the first argument. */
const MATH: Readonly<Record<string, string | null>> = {
  max: 'min',
  min: 'max',
  floor: 'ceil',
  ceil: 'floor',
  round: 'floor',
  trunc: 'ceil',
  sqrt: null,
  abs: null,
  exp: null,
  log: null,
  log2: null,
  log10: null,
};

/** Methods with their replacements; null: the call is replaced by its receiver. */
const METHODS: Readonly<Record<string, string | null>> = {
  every: 'some',
  some: 'every',
  find: 'findLast',
  findLast: 'find',
  findIndex: 'findLastIndex',
  indexOf: 'lastIndexOf',
  lastIndexOf: 'indexOf',
  startsWith: 'endsWith',
  endsWith: 'startsWith',
  push: 'unshift',
  filter: null,
  slice: null,
  subarray: null,
  sort: null,
  toSorted: null,
  reverse: null,
  toReversed: null,
  trim: null,
  toLowerCase: null,
  toUpperCase: null,
};

/** Functions and methods of tfjs with their replacements; null: replaced by the first operand. */
const TENSORS: Readonly<Record<string, string | null>> = {
  add: 'sub',
  sub: 'add',
  mul: 'div',
  div: 'mul',
  sum: 'mean',
  mean: 'sum',
  max: 'min',
  min: 'max',
  maximum: 'minimum',
  minimum: 'maximum',
  greater: 'less',
  less: 'greater',
  sqrt: null,
  rsqrt: 'sqrt',
  square: null,
  exp: null,
  log: null,
  neg: null,
  abs: null,
  reverse: null,
  floor: 'ceil',
  round: 'floor',
};

/** Calls that return a list, which may be replaced by an empty one. */
const LISTS = new Set(['map', 'flatMap', 'filter', 'toSorted', 'sort', 'slice', 'concat', 'flat', 'from', 'entries']);

/** All replacements of one node. */
export function changesOf(node: ts.Node, source: ts.SourceFile): Change[] {
  const text = (part: ts.Node): string => part.getText(source);
  const changes: Change[] = [];
  const change = (operator: Operator, replacement: string, at: ts.Node = node): void => {
    changes.push({ operator, node: at, text: replacement });
  };

  const condition = conditionOf(node);
  if (condition !== undefined) {
    change('condition', 'false', condition);
    // An endless loop is not a fault that a test has to detect.
    if (ts.isIfStatement(node) || ts.isConditionalExpression(node)) change('condition', 'true', condition);
  }

  if (ts.isBinaryExpression(node)) {
    const { left, right, operatorToken } = node;
    const binary = BINARY[operatorToken.kind];
    const joinsText = operatorToken.kind === SyntaxKind.PlusToken && (isText(left) || isText(right));
    if (binary !== undefined && !joinsText) {
      for (const other of binary.others) change(binary.operator, `${text(left)} ${other} ${text(right)}`);
    }
    const either = EITHER_SIDE[operatorToken.kind];
    if (either !== undefined) for (const side of [left, right]) change(either, text(side));
  } else if (ts.isPrefixUnaryExpression(node)) {
    if (node.operator === SyntaxKind.ExclamationToken) change('boolean', text(node.operand));
    if (node.operator === SyntaxKind.MinusToken) change('sign', text(node.operand));
  } else if (ts.isNumericLiteral(node)) {
    if (!isName(node)) change('literal', otherNumber(node));
  } else if (node.kind === SyntaxKind.TrueKeyword) {
    change('literal', 'false');
  } else if (node.kind === SyntaxKind.FalseKeyword) {
    change('literal', 'true');
  } else if (ts.isStringLiteral(node)) {
    if (isKey(node)) change('key', `'no ${node.text}'`);
  } else if (ts.isCallExpression(node)) {
    changes.push(...changesOfCall(node, source));
  } else if (ts.isSpreadAssignment(node)) {
    change('spread', '{}', node.expression);
  } else if (ts.isSpreadElement(node)) {
    change('spread', '[]', node.expression);
  } else if (ts.isReturnStatement(node) && node.expression !== undefined && isList(node.expression)) {
    change('return', '[]', node.expression);
  } else if (ts.isArrowFunction(node) && !ts.isBlock(node.body) && isList(node.body)) {
    change('return', '[]', node.body);
  } else if (ts.isExpressionStatement(node) && hasEffect(node.expression)) {
    change('statement', '');
  }
  return changes;
}

function changesOfCall(node: ts.CallExpression, source: ts.SourceFile): Change[] {
  const { expression: callee, arguments: values } = node;
  if (!ts.isPropertyAccessExpression(callee) || inOptionalChain(node)) return [];
  const receiver = callee.expression.getText(source);
  const name = callee.name.text;
  const list = values.map((value) => value.getText(source)).join(', ');
  const swapped = (other: string): string => `${receiver}.${other}(${list})`;
  const table = receiver === 'Math' ? MATH : receiver === 'tf' ? TENSORS : METHODS;
  const operator = receiver === 'Math' ? 'math' : receiver === 'tf' ? 'tensor' : 'method';
  const other = Object.hasOwn(table, name) ? table[name] : undefined;
  if (other === undefined) return [];
  if (other !== null) return [{ operator, node, text: swapped(other) }];
  const kept = operator === 'method' ? receiver : values[0]?.getText(source);
  // Removing the effect of an expression statement is the same mutant as removing the statement.
  if (kept === undefined || ts.isExpressionStatement(node.parent)) return [];
  return [{ operator, node, text: kept }];
}

function conditionOf(node: ts.Node): ts.Expression | undefined {
  if (ts.isIfStatement(node) || ts.isWhileStatement(node)) {
    return node.expression.kind === SyntaxKind.TrueKeyword ? undefined : node.expression;
  }
  if (ts.isConditionalExpression(node) || ts.isForStatement(node)) return node.condition;
  return undefined;
}

function isText(node: ts.Expression): boolean {
  if (ts.isStringLiteralLike(node) || ts.isTemplateExpression(node)) return true;
  return ts.isBinaryExpression(node) && (isText(node.left) || isText(node.right));
}

/** Whether a literal is the name of a property, which no expression can replace. */
function isName(node: ts.NumericLiteral): boolean {
  const { parent } = node;
  return ('name' in parent && parent.name === node) || (ts.isBindingElement(parent) && parent.propertyName === node);
}

/**
 * For an integer its successor, for another number twice its value; for a tiny one, such as Adam's epsilon, a hundred
 * times.
 */
function otherNumber({ text }: ts.NumericLiteral): string {
  const value = Number(text);
  if (Number.isInteger(value)) return String(value + 1);
  return String(Math.abs(value) < 1e-3 ? value * 100 : value * 2);
}

/** `map['key']`, `map.get('key')`, `map.has('key')`. */
function isKey(node: ts.StringLiteral): boolean {
  const { parent } = node;
  if (ts.isElementAccessExpression(parent)) return parent.argumentExpression === node;
  if (!ts.isCallExpression(parent) || parent.arguments[0] !== node) return false;
  return ts.isPropertyAccessExpression(parent.expression) && ['get', 'has'].includes(parent.expression.name.text);
}

function isList(node: ts.Expression): boolean {
  if (ts.isArrayLiteralExpression(node)) return node.elements.length > 0;
  if (!ts.isCallExpression(node) || !ts.isPropertyAccessExpression(node.expression)) return false;
  return LISTS.has(node.expression.name.text) && node.expression.expression.getText() !== 'tf';
}

function hasEffect(node: ts.Expression): boolean {
  if (ts.isAwaitExpression(node) || ts.isVoidExpression(node)) return hasEffect(node.expression);
  if (ts.isCallExpression(node)) return node.expression.kind !== SyntaxKind.SuperKeyword;
  if (ts.isPostfixUnaryExpression(node) || ts.isPrefixUnaryExpression(node)) return true;
  return (
    ts.isBinaryExpression(node) &&
    node.operatorToken.kind >= SyntaxKind.FirstAssignment &&
    node.operatorToken.kind <= SyntaxKind.LastAssignment
  );
}

/** In `a?.b().c()` no part can be wrapped separately: the chain would not end if `a` is undefined. */
function inOptionalChain(node: ts.Node): boolean {
  return (node.flags & ts.NodeFlags.OptionalChain) !== 0;
}
