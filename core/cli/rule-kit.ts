import { type Command, Option } from 'commander'
import type { Io } from './io.js'
import { buildCommand } from './rule-kit-build.js'
import { checkCommand } from './rule-kit-check.js'
import { languages, newCommand } from './rule-kit-new.js'
import { keygenCommand, signCommand } from './rule-kit-sign.js'
import { testCommand } from './rule-kit-test.js'

/** Commands for whoever writes rules. None of them needs a gateway. */
export function addRuleKitCommands(rules: Command, io: Io): void {
  rules
    .command('new <name>')
    .description('Make a folder with a rule that can be built and tested at once.')
    .addOption(new Option('--language <language>', 'what to write it in').choices(languages).default(languages[0]))
    .option('--dir <folder>', 'where; a folder of its name, unless told')
    .action((name: string, options: { readonly language: string; readonly dir?: string }) =>
      newCommand(io, name, options),
    )
  rules
    .command('build [folder]')
    .description('Compile a rule, write its manifest beside the module, and check both.')
    .action((folder = '.') => buildCommand(io, folder))
  rules
    .command('test [target]')
    .description(
      'Run the tests of a rule under the limits of the gateway. The target is its folder, or a built module.',
    )
    .option('--json', 'print the results as JSON')
    .action((target: string | undefined, options: { readonly json?: boolean }) =>
      testCommand(io, target ?? '.', options),
    )
  rules
    .command('check <module>')
    .description('Tell whether the gateway would take a module, and what it is.')
    .option('--json', 'print it as JSON')
    .action((module: string, options: { readonly json?: boolean }) => checkCommand(io, module, options))
  addSigning(rules, io)
}

function addSigning(rules: Command, io: Io): void {
  rules
    .command('sign <module>')
    .description('Sign a module with its manifest.')
    .requiredOption('--key <file>', 'the private key, PEM; to verify, the public one will do')
    .option('--key-id <name>', 'what the gateway calls the key; the name of its file, unless told')
    .option('--verify', 'only tell whether it was signed with this key')
    .action((module: string, options: { readonly key: string; readonly keyId?: string; readonly verify?: boolean }) =>
      signCommand(io, module, options),
    )
  rules
    .command('keygen')
    .description('Make a key to sign modules with, and print what the gateway must know of it.')
    .option('--out <file>', 'where to write the private key', 'rule-signing-key.pem')
    .action((options: { readonly out: string }) => keygenCommand(io, options))
}
