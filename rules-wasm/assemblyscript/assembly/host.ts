// What the gateway offers a rule. A function that is not used is not imported; all but the first two need a capability of the
// manifest. Pointers and lengths are bytes. This file is not formatted: a decorator of a function is AssemblyScript alone.

@external("extism:host/user", "input_read")
export declare function inputRead(out: usize, offset: i32, length: i32): i32

@external("extism:host/user", "output_write")
export declare function outputWrite(at: usize, length: i32): void

@external("extism:host/user", "log")
export declare function logWrite(level: i32, at: usize, length: i32): void

@external("extism:host/user", "config_read")
export declare function configRead(key: usize, keyLength: i32, out: usize, room: i32): i32

@external("extism:host/user", "kv_get")
export declare function kvGet(key: usize, keyLength: i32, out: usize, room: i32): i32

@external("extism:host/user", "kv_set")
export declare function kvSet(key: usize, keyLength: i32, value: usize, valueLength: i32, ttlSeconds: i32): i32

@external("extism:host/user", "kv_delete")
export declare function kvDelete(key: usize, keyLength: i32): void

@external("extism:host/user", "regex_match")
export declare function regexMatch(id: usize, idLength: i32, at: usize, length: i32, from: i32, out: usize): i32

@external("extism:host/user", "counter_add")
export declare function counterAdd(name: usize, nameLength: i32, n: i32): void
