import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const library = join(root, 'rules-wasm/assemblyscript')

/** A module as core keeps it. */
function artifact(name, bytes, manifest = {}, grants = {}) {
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  const whole = { name, version: '1', abi: 'gatehouse.rule/1', sha256, ...manifest }
  return { name, version: 1, sha256, bytes, manifest: whole, grants, signedBy: null }
}

/** Looks for its phrase in every text; in AssemblyScript, compiled as authors compile theirs. */
export function phrase() {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-bench-'))
  const out = join(folder, 'phrase.wasm')
  const compiler = createRequire(join(library, 'package.json')).resolve('assemblyscript/bin/asc.js')
  const config = join(library, 'asconfig.json')
  const args = ['assembly/index.ts', '--config', config, '--path', join(root, 'node_modules'), '--outFile', out]
  try {
    execFileSync(process.execPath, [compiler, ...args], { cwd: fileURLToPath(new URL('phrase/', import.meta.url)) })
    const manifest = { input: ['texts'], capabilities: ['config'], config: { phrase: {} } }
    return artifact('phrase', readFileSync(out), manifest)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Writes and reads where no cache has it, for longer than it may. */
export const hog = (killMs) =>
  artifact('hog', wat(HOG), { limits: { killMs, deadlineMs: 10, memoryPages: 512 } }, { memoryPages: 512 })

const HOG = `(module
  (import "extism:host/user" "output_write" (func $output_write (param i32 i32)))
  (memory (export "memory") 512)
  (global (export "gatehouse_rule_abi_1") i32 (i32.const 1))
  (func (export "evaluate") (result i32) (local $i i32) (local $x i32)
    (loop $next
      (local.set $x (i32.and (local.get $i) (i32.const 33554428)))
      (i32.store (local.get $x) (local.get $i))
      (local.set $i (i32.add (i32.mul (i32.add (local.get $i)
        (i32.load (i32.and (i32.mul (local.get $x) (i32.const 747796405)) (i32.const 33554428))))
        (i32.const 1103515245)) (i32.const 12345)))
      (br $next))
    (i32.const 0)))`

/** The phrase of the bench, looked for through Extism's own input and output alone, as its worker mode has it. */
export const foreign = (words) => wat(FOREIGN.replaceAll('$PHRASE', words).replaceAll('$LENGTH', String(words.length)))

const FOREIGN = `(module
  (import "extism:host/env" "input_length" (func $length (result i64)))
  (import "extism:host/env" "input_load_u64" (func $load64 (param i64) (result i64)))
  (import "extism:host/env" "input_load_u8" (func $load8 (param i64) (result i32)))
  (memory (export "memory") 8)
  (data (i32.const 16) "$PHRASE")
  (func $lower (param $c i32) (result i32)
    (select (i32.or (local.get $c) (i32.const 32)) (local.get $c)
      (i32.lt_u (i32.sub (local.get $c) (i32.const 65)) (i32.const 26))))
  (func (export "evaluate") (result i32) (local $n i32) (local $i i32) (local $k i32)
    (local.set $n (i32.wrap_i64 (call $length)))
    (block $read (loop $eight
      (br_if $read (i32.gt_s (i32.add (local.get $i) (i32.const 8)) (local.get $n)))
      (i64.store (i32.add (local.get $i) (i32.const 1024)) (call $load64 (i64.extend_i32_u (local.get $i))))
      (local.set $i (i32.add (local.get $i) (i32.const 8)))
      (br $eight)))
    (block $rest (loop $one
      (br_if $rest (i32.ge_s (local.get $i) (local.get $n)))
      (i32.store8 (i32.add (local.get $i) (i32.const 1024)) (call $load8 (i64.extend_i32_u (local.get $i))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br $one)))
    (local.set $i (i32.const 0))
    (block $out (loop $at
      (br_if $out (i32.gt_s (i32.add (local.get $i) (i32.const $LENGTH)) (local.get $n)))
      (local.set $k (i32.const 0))
      (block $no (loop $sign
        (br_if $no (i32.ne
          (call $lower (i32.load8_u (i32.add (i32.add (local.get $i) (local.get $k)) (i32.const 1024))))
          (i32.load8_u (i32.add (local.get $k) (i32.const 16)))))
        (local.set $k (i32.add (local.get $k) (i32.const 1)))
        (br_if $sign (i32.lt_s (local.get $k) (i32.const $LENGTH)))
        (return (i32.const 1))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br $at)))
    (i32.const 0)))`

/** In a process of its own: what translates is large, and would be compiled beside what is measured for seconds. */
const wat = (text) =>
  execFileSync(process.execPath, [fileURLToPath(new URL('assemble.mjs', import.meta.url))], { input: text })
