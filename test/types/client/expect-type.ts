/** True when both types are the same, `any` and optional properties told apart. */
export type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** Compiles when its type argument is true. */
export function expectType<_Condition extends true>(): void {}
