/** A token, or how to get one; empty or absent: anonymous. @publicApi */
export type TokenSource = string | (() => string | null | undefined | Promise<string | null | undefined>);
