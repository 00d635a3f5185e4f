import { posix } from 'node:path';
import ts from 'typescript';

/** Source text by path, such as `lib/hub/connection.ts`. */
export type SourceFiles = ReadonlyMap<string, string>;

/** What one file says about the outside: the modules that it names and the platform globals that it uses. */
export interface ModuleFacts {
  /** Files of this project that it imports, as paths. */
  readonly files: readonly string[];
  /** Relative imports that lead to no file. */
  readonly unresolved: readonly string[];
  /** Packages and `node:` builtins, as they are written. */
  readonly packages: readonly string[];
  /** Free identifiers, such as `Buffer` or `console`: neither members of something else nor names of properties. */
  readonly identifiers: ReadonlySet<string>;
}

/** Reads what every file imports, types included: a direction that only types disobey is disobeyed all the same. */
export function readModules(sources: SourceFiles): Map<string, ModuleFacts> {
  return new Map([...sources].map(([path, text]) => [path, readModule(path, text, sources)]));
}

function readModule(path: string, text: string, sources: SourceFiles): ModuleFacts {
  const specifiers = new Set<string>();
  const identifiers = new Set<string>();
  const visit = (node: ts.Node): void => {
    const specifier = specifierOf(node);
    if (specifier !== undefined) specifiers.add(specifier);
    if (ts.isIdentifier(node) && isFree(node)) identifiers.add(node.text);
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(path, text, ts.ScriptTarget.ES2022, true));

  const files: string[] = [];
  const unresolved: string[] = [];
  const packages: string[] = [];
  for (const specifier of specifiers) {
    if (!specifier.startsWith('.')) {
      packages.push(specifier);
      continue;
    }
    const file = resolve(path, specifier, sources);
    if (file === undefined) unresolved.push(specifier);
    else files.push(file);
  }
  return { files, unresolved, packages, identifiers };
}

/** The module named by an import, an export from, `import()`, `require()`, `import x = require()` or an import type. */
function specifierOf(node: ts.Node): string | undefined {
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return textOf(node.moduleSpecifier);
  if (ts.isExternalModuleReference(node)) return textOf(node.expression);
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) return textOf(node.argument.literal);
  if (!ts.isCallExpression(node)) return undefined;
  const { expression } = node;
  const loads =
    expression.kind === ts.SyntaxKind.ImportKeyword || (ts.isIdentifier(expression) && expression.text === 'require');
  return loads ? textOf(node.arguments[0]) : undefined;
}

function textOf(node: ts.Node | undefined): string | undefined {
  return node && ts.isStringLiteralLike(node) ? node.text : undefined;
}

function isFree(node: ts.Identifier): boolean {
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent)) return parent.name !== node;
  if (ts.isQualifiedName(parent)) return parent.right !== node;
  const named =
    ts.isPropertyAssignment(parent) ||
    ts.isPropertyDeclaration(parent) ||
    ts.isPropertySignature(parent) ||
    ts.isMethodDeclaration(parent) ||
    ts.isMethodSignature(parent) ||
    ts.isAccessor(parent);
  return !(named && parent.name === node);
}

function resolve(from: string, specifier: string, sources: SourceFiles): string | undefined {
  const base = posix.join(posix.dirname(from), specifier);
  const withoutExtension = base.replace(/\.js$/, '');
  return [`${withoutExtension}.ts`, posix.join(base, 'index.ts'), base].find((candidate) => sources.has(candidate));
}
