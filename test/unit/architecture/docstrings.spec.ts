import { join, relative } from 'node:path';
import ts from 'typescript';

const ROOT = join(__dirname, '../../..');
const ENTRIES = ['lib/index.ts', 'lib/client/index.ts', 'lib/client/core.ts', 'lib/health/index.ts'];

const { config } = ts.readConfigFile(join(ROOT, 'tsconfig.build.json'), (file) => ts.sys.readFile(file)) as { config: unknown };
const { options } = ts.parseJsonConfigFileContent(config, ts.sys, ROOT);
const program = ts.createProgram(ENTRIES.map((entry) => join(ROOT, entry)), options);
const checker = program.getTypeChecker();

/** What users can import: the declarations behind the entries' exports. */
function publicSymbols(): ts.Symbol[] {
  const symbols = ENTRIES.flatMap((entry) => {
    const module = checker.getSymbolAtLocation(program.getSourceFile(join(ROOT, entry))!)!;
    return checker.getExportsOfModule(module);
  });
  const behind = symbols.map((symbol) => (symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol));
  return [...new Set(behind)];
}

/** Methods of a class that users may call; its hooks are Nest's to call. */
function publicMethods(symbol: ts.Symbol): ts.Symbol[] {
  if (!(symbol.flags & ts.SymbolFlags.Class)) return [];
  const members = [...(symbol.members?.values() ?? []), ...(symbol.exports?.values() ?? [])];
  return members.filter(({ valueDeclaration: declaration }) => {
    if (!declaration || !ts.isMethodDeclaration(declaration)) return false;
    const hidden = ts.ModifierFlags.Private | ts.ModifierFlags.Protected | ts.ModifierFlags.Override;
    return !(ts.getCombinedModifierFlags(declaration) & hidden) && !/^(?:on|before)(?:Module|Application)/.test(declaration.name.getText());
  });
}

const textOf = (symbol: ts.Symbol): string => ts.displayPartsToString(symbol.getDocumentationComment(checker)).trim();

function placeOf(symbol: ts.Symbol): string {
  const file = symbol.declarations?.[0]?.getSourceFile().fileName ?? '';
  return `${relative(ROOT, file)}: ${symbol.name}`;
}

describe('what the package exports', () => {
  it('is documented, and marked as public', () => {
    const symbols = publicSymbols();
    const marked = (symbol: ts.Symbol): boolean => symbol.getJsDocTags(checker).some(({ name }) => name === 'publicApi');
    expect(symbols.length).toBeGreaterThan(100);
    expect(symbols.filter((symbol) => textOf(symbol) === '' || !marked(symbol)).map(placeOf)).toEqual([]);
  });

  it('has methods that are documented', () => {
    const methods = publicSymbols().flatMap((symbol) => publicMethods(symbol).map((method) => [symbol, method] as const));
    expect(methods.length).toBeGreaterThan(50);
    const silent = methods.filter(([, method]) => textOf(method) === '' && method.getJsDocTags(checker).length === 0);
    expect(silent.map(([symbol, method]) => `${placeOf(symbol)}.${method.name}`)).toEqual([]);
  });
});
