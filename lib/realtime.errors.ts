/** `RealtimeModule.forRoot` or `forRootAsync` has been called for one application more than once. Stops the start. @publicApi */
export class DuplicateModuleError extends Error {
  override name = 'DuplicateModuleError';

  constructor(
    /** How often it is there. */
    readonly count: number,
  ) {
    super(
      `RealtimeModule is imported more than once (${count} times), each time with options of its own. Call forRoot() or ` +
        'forRootAsync() in one module only, with isGlobal: true if others inject from it.',
    );
  }
}

/** The bare class `RealtimeModule` stands in `imports`, without `forRoot` or `forRootAsync`. Stops the start. @publicApi */
export class MissingOptionsError extends Error {
  override name = 'MissingOptionsError';

  constructor() {
    super(
      'A module imports RealtimeModule itself, which has no options. Import RealtimeModule.forRoot({ isGlobal: true }), or ' +
        'forRootAsync(), in one module; all others then inject HubService without importing anything.',
    );
  }
}
