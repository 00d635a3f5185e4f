import ts from 'typescript';

/**
 * Names of properties and methods that a minifier may shorten: those that stand for nothing but members of the
 * library's own classes which its API does not show.
 *
 * A name is out as soon as it occurs anywhere as something else: in an exported type, in an object literal, on the wire,
 * or as a member of what the platform provides. The type checker says what each occurrence stands for.
 *
 * @param {string[]} entries the files that make up the API
 * @param {string} folder the library; its members are looked at
 * @param {import('typescript').CompilerOptions} options
 * @returns {string[]}
 */
export function internalNames(entries, folder, options) {
  const program = ts.createProgram(entries, { ...options, noEmit: true });
  const checker = program.getTypeChecker();
  const files = program.getSourceFiles().filter(({ fileName }) => fileName.startsWith(folder));
  const shown = shownDeclarations(program, checker, entries);
  const isOurs = (declaration) => declaration.getSourceFile().fileName.startsWith(folder);

  const candidates = new Set();
  const taken = new Set();
  const visit = (node) => {
    for (const name of foreignMembers(node, checker, isOurs)) taken.add(name);
    const name = propertyName(node);
    if (name !== undefined) {
      const declarations = symbolOf(node, checker)?.declarations ?? [];
      const isHidden = declarations.every((declaration) => isOurs(declaration) && isHiddenMember(declaration, shown));
      (declarations.length > 0 && isHidden ? candidates : taken).add(name);
    }
    ts.forEachChild(node, visit);
  };
  files.forEach(visit);
  return [...candidates].filter((name) => !taken.has(name));
}

/** What the entries export, and the classes that exported classes extend. */
function shownDeclarations(program, checker, entries) {
  const symbols = entries.flatMap((entry) => {
    return checker.getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile(entry)));
  });
  const declarations = symbols.flatMap((symbol) => resolve(symbol, checker).declarations ?? []);
  for (const declaration of declarations) {
    if (!ts.isClassDeclaration(declaration)) continue;
    for (const type of checker.getTypeAtLocation(declaration).getBaseTypes() ?? []) {
      declarations.push(...(type.symbol?.declarations ?? []));
    }
  }
  return new Set(declarations);
}

function resolve(symbol, checker) {
  return (symbol.flags & ts.SymbolFlags.Alias) === 0 ? symbol : checker.getAliasedSymbol(symbol);
}

/** A member of a class of ours, or of an interface between such classes, that the API does not show. */
function isHiddenMember(declaration, shown) {
  const owner = ts.isParameter(declaration) ? declaration.parent.parent : declaration.parent;
  const isPrivate = (ts.getCombinedModifierFlags(declaration) & ts.ModifierFlags.Private) !== 0;
  const isInternal = ts.getJSDocTags(declaration).some(({ tagName }) => tagName.text === 'internal');
  if (ts.isClassDeclaration(owner)) return isPrivate || isInternal || !shown.has(owner);
  // Any other interface may describe what comes from the wire or from the application.
  return ts.isInterfaceDeclaration(owner) && owner.name.text.endsWith('Host') && !shown.has(owner);
}

/** Members that a class has because an interface or class of the platform has them. */
function foreignMembers(node, checker, isOurs) {
  if (!ts.isClassDeclaration(node)) return [];
  const types = (node.heritageClauses ?? []).flatMap(({ types: clause }) => [...clause]);
  const properties = types.flatMap((type) => checker.getTypeAtLocation(type).getProperties());
  return properties.filter(({ declarations = [] }) => !declarations.every(isOurs)).map(({ name }) => name);
}

/** The name that a node declares or uses as a property; undefined when it is no such node. */
function propertyName(node) {
  if (ts.isPropertyAccessExpression(node)) return node.name.text;
  if (ts.isBindingElement(node)) {
    return ts.isObjectBindingPattern(node.parent) ? textOf(node.propertyName ?? node.name) : undefined;
  }
  if (ts.isParameter(node)) return ts.isParameterPropertyDeclaration(node, node.parent) ? textOf(node.name) : undefined;
  const isMember = ts.isClassElement(node) || ts.isTypeElement(node) || ts.isObjectLiteralElement(node);
  return isMember && node.name ? textOf(node.name) : undefined;
}

function textOf(name) {
  return ts.isIdentifier(name) || ts.isStringLiteral(name) ? name.text : undefined;
}

function symbolOf(node, checker) {
  if (ts.isBindingElement(node)) {
    return checker.getTypeAtLocation(node.parent).getProperty(textOf(node.propertyName ?? node.name));
  }
  if (!ts.isParameter(node)) return checker.getSymbolAtLocation(node.name);
  return checker.getSymbolsOfParameterPropertyDeclaration(node, node.name.text)[1];
}
