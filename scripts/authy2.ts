#!/usr/bin/env node
// authy2 [command] [options]     the program of the package: starts the server, or does what another script does.
import { misused } from '../src/arguments.ts'
import { commands } from './commands.ts'

const usage = `Usage: authy2 [command] [options]
  start                   the server (when no command is given)
  worker                  the jobs, beside servers with RUN_JOBS=false
  migrate                 brings the database to the newest schema
  doctor                  finds what is wrong with the settings and with what they lead to
  health                  whether the server on this machine is alive
  backup                  writes all that the database holds into one encrypted file, while servers run
  restore                 puts a backup into an empty database, while no server runs
  move                    copies the embedded database into PostgreSQL
  demo:remove, user:create, client:create, resource:create, registration:token, keys:rotate, secrets:reseal, audit:verify
Every command reads the settings from the environment and from .env; authy2 <command> --help tells its options.`

// The commands read their own arguments, as when they are run by themselves.
const [command = 'start'] = process.argv.splice(2, 1)
const script = Object.hasOwn(commands, command) ? commands[command] : undefined

if (command === '--help' || command === '-h' || command === 'help') console.log(usage)
else if (script === undefined) misused(usage, `There is no command ${command}.`)
else await import(new URL(`${script}${import.meta.url.slice(-3)}`, import.meta.url).href)
