/** What can be run. The commands are ours: nothing of a request becomes part of one. */
export const JOBS = {
  build: { script: 'build.mjs', title: 'Build', description: 'Compiles a project that is not there' },
  test: { script: 'test.mjs', title: 'Test', description: 'Runs its tests, one of which fails' },
  backup: { script: 'backup.mjs', title: 'Backup', description: 'Takes its time; stop it if you like' },
} as const;

export type JobName = keyof typeof JOBS;

export const JOB_NAMES = Object.keys(JOBS) as JobName[];
