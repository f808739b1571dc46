// What the program `authy2` does by its first argument: each command is the script of that name.

/** The script of each command, without its ending; that of the server and of the worker lie in src. */
export const commands: Readonly<Record<string, string>> = {
  start: '../src/cluster',
  worker: '../src/worker',
  migrate: 'db-migrate',
  doctor: 'doctor',
  health: 'health',
  'demo:remove': 'demo-remove',
  'user:create': 'user-create',
  'client:create': 'client-create',
  'resource:create': 'resource-create',
  'registration:token': 'registration-token',
  'keys:rotate': 'keys-rotate',
  'secrets:reseal': 'secrets-reseal',
  'audit:verify': 'audit-verify',
  backup: 'backup',
  restore: 'restore',
  move: 'move',
}
