// The public API as a file under review: what the built types of both entries export, without
// comments and private parts. `npm run api:check` compares it, `npm run api:update` writes it anew.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const root = new URL('../..', import.meta.url);
const file = fileURLToPath(new URL('test/package/public-api.txt', root));
const ENTRIES = { 'nestjs-bulwark': 'index.d.ts', 'nestjs-bulwark/testing': 'testing/index.d.ts' };

const dist = fileURLToPath(new URL('dist/', root));
const paths = Object.values(ENTRIES).map((entry) => fileURLToPath(new URL(`dist/${entry}`, root)));
const program = ts.createProgram(paths, {
  module: ts.ModuleKind.NodeNext,
  target: ts.ScriptTarget.ES2023,
  skipLibCheck: true,
});
const checker = program.getTypeChecker();
const printer = ts.createPrinter({ removeComments: true });

const isPrivate = (node) =>
  ts.isClassElement(node) &&
  ((ts.getCombinedModifierFlags(node) & ts.ModifierFlags.Private) !== 0 ||
    (node.name !== undefined && ts.isPrivateIdentifier(node.name)));
const behindAlias = (symbol) =>
  (symbol.flags & ts.SymbolFlags.Alias) === 0 ? symbol : checker.getAliasedSymbol(symbol);
const isOurs = (symbol) =>
  symbol.declarations?.some((one) => one.getSourceFile().fileName.startsWith(dist)) === true;
const isTopLevel = (symbol) =>
  symbol.declarations.some((one) => ts.isSourceFile(wholeOf(one).parent));
const wholeOf = (declaration) =>
  ts.isVariableDeclaration(declaration) ? declaration.parent.parent : declaration;

function exportsOf(path) {
  const source = program.getSourceFile(path);
  if (source === undefined) throw new Error(`${path} is not there; \`npm run build\` makes it`);
  return checker
    .getExportsOfModule(checker.getSymbolAtLocation(source))
    .map((exported) => [exported.name, behindAlias(exported)]);
}

/**
 * What a user of the declaration meets behind it, of the library's own: base classes, and types by
 * their names. Not what it is made of, as constructors and fields of injected classes tell.
 */
function namedIn(symbol) {
  const found = new Set();
  const visit = (node) => {
    if (isPrivate(node) || ts.isConstructorDeclaration(node)) return;
    if (ts.isIdentifier(node)) {
      const named = checker.getSymbolAtLocation(node);
      if (named !== undefined) found.add(behindAlias(named));
    }
    ts.forEachChild(node, visit);
  };
  symbol.declarations.forEach(visit);
  return [...found].filter((named) => isOurs(named) && isTopLevel(named) && isMet(named, symbol));
}

function isMet(named, from) {
  if ((named.flags & ts.SymbolFlags.Class) === 0) return (named.flags & ts.SymbolFlags.Type) !== 0;
  return from.declarations.some((one) =>
    one.heritageClauses?.some(({ types }) =>
      types.some((base) => behindAlias(checker.getSymbolAtLocation(base.expression)) === named),
    ),
  );
}

/** All that the exports name, and what that names, without the exports themselves and the insides of base classes. */
function behind(symbols) {
  const known = new Set(symbols);
  const isBase = (symbol) =>
    (symbol.flags & ts.SymbolFlags.Class) !== 0 && !symbols.includes(symbol);
  for (const symbol of known)
    if (!isBase(symbol)) for (const named of namedIn(symbol)) known.add(named);
  for (const symbol of symbols) known.delete(symbol);
  return [...known].map((symbol) => [symbol.name, symbol]);
}

function section(title, named) {
  const texts = named
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, symbol]) => {
      const renamed = symbol.name === name ? [] : [`// exported as ${name}`];
      return [...renamed, ...symbol.declarations.map(textOf)].join('\n');
    });
  return [`# ${title}`, ...texts].join('\n\n');
}

function textOf(declaration) {
  const whole = wholeOf(declaration);
  const { transformed } = ts.transform(whole, [withoutPrivates]);
  return printer
    .printNode(ts.EmitHint.Unspecified, transformed[0], whole.getSourceFile())
    .replace(/^(?:export )?(?:declare )?/, '');
}

function withoutPrivates(context) {
  const visit = (node) => (isPrivate(node) ? undefined : ts.visitEachChild(node, visit, context));
  return visit;
}

const exported = paths.map(exportsOf);
const now = `${[
  ...Object.keys(ENTRIES).map((name, i) => section(name, exported[i])),
  section('named by these, and exported by none', behind(exported.flat().map(([, s]) => s))),
].join('\n\n')}\n`;
if (process.argv.includes('--update')) {
  writeFileSync(file, now);
} else if (readFileSync(file, 'utf8') !== now) {
  const before = new Set(readFileSync(file, 'utf8').split('\n'));
  const after = new Set(now.split('\n'));
  for (const line of before) if (!after.has(line)) console.error(`- ${line}`);
  for (const line of after) if (!before.has(line)) console.error(`+ ${line}`);
  console.error('\nThe public API is not what test/package/public-api.txt says.');
  console.error('Where that is meant: `npm run api:update`, and a line in CHANGELOG.md.');
  process.exitCode = 1;
} else {
  console.log(`the public API is that of the report: ${exported.flat().length} names`);
}
