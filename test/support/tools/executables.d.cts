/** What the tests run beside Node. */
export type ToolName = 'redis' | 'chromium';

export interface Tool {
  /** The names that it is known by, the preferred one first. */
  readonly names: readonly string[];
  readonly debianPackage: string;
}

export const TOOLS: Readonly<Record<ToolName, Tool>>;

/** @returns the absolute path of the tool, or undefined when none of its names is on `path` (default: PATH) */
export function findTool(tool: ToolName, path?: string): string | undefined;

/**
 * @returns the absolute path of the tool
 * @throws Error that says how to get it, when it is not on PATH
 */
export function requireTool(tool: ToolName): string;
