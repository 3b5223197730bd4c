// The documents of the repository as a test sees them: their code, their tables, their links.
import { existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

export const root = join(dirname(fileURLToPath(import.meta.url)), '../..');

const read = (path: string): string => readFileSync(join(root, path), 'utf8');

/** Markdown with code that is ours to compile, by path. */
export const documents = new Map(
  ['README.md', ...readdirSync(join(root, 'docs'), { recursive: true }).map((at) => `docs/${at}`)]
    .filter((path) => path.endsWith('.md'))
    .map((path) => [path, read(path)]),
);

export interface Block {
  readonly document: string;
  readonly code: string;
}

/** Every block of TypeScript, those of the README first. */
export const blocks: readonly Block[] = [...documents].flatMap(([document, text]) =>
  [...text.matchAll(/```ts\n(.*?)```/gs)].map(([, code]) => ({ document, code: code! })),
);

/** Writes the blocks into a folder inside the repository, so that `nestjs-bulwark` is this very package. */
export function writeBlocks(): { readonly place: string; readonly files: readonly string[] } {
  const place = mkdtempSync(join(root, 'test/e2e/.readme-'));
  const files = blocks.map(({ code }, i) => {
    const file = join(place, `block-${i}.ts`);
    writeFileSync(file, code);
    return file;
  });
  return { place, files };
}

/** What stands under a heading, up to the next one of its level or above. */
export function section(document: string, heading: string): string {
  const text = documents.get(document)!;
  const start = text.search(new RegExp(`^#+ ${heading}$`, 'm'));
  if (start < 0) throw new Error(`${document} has no heading ${heading}`);
  const level = text.slice(start).indexOf(' ');
  const rest = text.slice(start + level);
  const end = rest.search(new RegExp(`^#{1,${level}} `, 'm'));
  return end < 0 ? rest : rest.slice(0, end);
}

/** The rows of the table whose first column has this title, by the titles of the columns; without its back-ticks. */
export function table(text: string, title: string): Record<string, string>[] {
  const lines = text.split('\n');
  const start = lines.findIndex((line) => cellsOf(line)[0] === title);
  if (start < 0) throw new Error(`no table of ${title}`);
  const titles = cellsOf(lines[start]!);
  const length = lines.slice(start).findIndex((line) => !line.startsWith('|'));
  return lines
    .slice(start + 2, start + length)
    .map((line) => Object.fromEntries(cellsOf(line).map((cell, i) => [titles[i], cell])));
}

function cellsOf(line: string): string[] {
  return line
    .split(/(?<!\\)\|/)
    .slice(1, -1)
    .map((cell) => cell.trim().replaceAll('`', ''));
}

/** Links to files and headings of the repository that lead nowhere. */
export function deadLinks(path: string): string[] {
  const text = read(path);
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, link]) => link!)
    .filter((link) => !/^https?:/.test(link) && !leadsSomewhere(path, link));
}

function leadsSomewhere(from: string, link: string): boolean {
  const [file, anchor] = link.split('#') as [string, string | undefined];
  const target = file === '' ? join(root, from) : resolve(root, dirname(from), file);
  if (!existsSync(target)) return false;
  if (anchor === undefined) return true;
  const headings = [...readFileSync(target, 'utf8').matchAll(/^#+ (.*)$/gm)];
  return headings.some(([, heading]) => slug(heading!) === anchor);
}

/** As GitHub makes it. */
function slug(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');
}

/** The compiler's view of these files and of the package. */
export class Types {
  readonly program: ts.Program;
  private readonly checker: ts.TypeChecker;
  private readonly exports: ReadonlyMap<string, ts.Symbol>;

  constructor(files: readonly string[]) {
    const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), (path) =>
      readFileSync(path, 'utf8'),
    ) as { config: { compilerOptions: Record<string, unknown> } };
    const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, root);
    const index = join(root, 'lib/index.ts');
    this.program = ts.createProgram([...files, index], options);
    this.checker = this.program.getTypeChecker();
    const module = this.checker.getSymbolAtLocation(this.program.getSourceFile(index)!)!;
    this.exports = new Map(
      this.checker.getExportsOfModule(module).map((symbol) => [symbol.name, symbol]),
    );
  }

  /** What is wrong with the files. */
  problems(): string[] {
    return ts
      .getPreEmitDiagnostics(this.program)
      .map(
        (d) => `${d.file?.fileName ?? ''}: ${ts.flattenDiagnosticMessageText(d.messageText, '\n')}`,
      );
  }

  /** The properties of an exported type with their documentation; of a union, those of its members. */
  properties(name: string): Map<string, string> {
    return this.ofType(this.typeOf(name));
  }

  /** The properties of what a property of an exported type may be, functions and lists aside. */
  nested(name: string, property: string): Map<string, string> {
    const symbols = this.members(this.typeOf(name)).flatMap(
      (type) => type.getProperty(property) ?? [],
    );
    const types = symbols.map((symbol) => this.checker.getTypeOfSymbol(symbol));
    return new Map(types.flatMap((type) => [...this.ofType(type)]));
  }

  /** The members of an exported union, by the value of one literal property. */
  variants(name: string, by: string): Map<string, string[]> {
    const found = this.members(this.typeOf(name)).map((type) => {
      const tag = this.checker.getTypeOfSymbol(type.getProperty(by)!) as ts.StringLiteralType;
      return [tag.value, this.checker.getPropertiesOfType(type).map((p) => p.name)] as const;
    });
    return new Map(found);
  }

  private typeOf(name: string): ts.Type {
    const symbol = this.exports.get(name);
    if (symbol === undefined) throw new Error(`${name} is not exported`);
    const declared =
      (symbol.flags & ts.SymbolFlags.Alias) === 0 ? symbol : this.checker.getAliasedSymbol(symbol);
    return this.checker.getDeclaredTypeOfSymbol(declared);
  }

  private members(type: ts.Type): ts.Type[] {
    return (type.isUnion() ? type.types : [type]).filter(
      (member) =>
        (member.flags & (ts.TypeFlags.Object | ts.TypeFlags.Intersection)) !== 0 &&
        member.getCallSignatures().length === 0 &&
        !this.checker.isArrayType(member),
    );
  }

  private ofType(type: ts.Type): Map<string, string> {
    const symbols = this.members(type).flatMap((member) =>
      this.checker.getPropertiesOfType(member),
    );
    return new Map(
      symbols.map((symbol) => [
        symbol.name,
        ts
          .displayPartsToString(symbol.getDocumentationComment(this.checker))
          .replaceAll(/\s+/g, ' '),
      ]),
    );
  }
}
