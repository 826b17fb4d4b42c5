import { createHash } from 'node:crypto'

/**
 * Rules as an operator would upload them. The modules are those of the tests of the engine, where their text stands: a module that blocks
 * what holds a number sign, one that runs for longer than it may, one that blocks a connection from the third call on.
 */
const BYTES = {
  signs: [
    'AGFzbQEAAAABFARgAn9/AGADf39/AX9gAABgAAF/Aj8CEGV4dGlzbTpob3N0L3VzZXIMb3V0cHV0X3dyaXRlAAAQZXh0aXNtOmhvc3QvdXNlcg',
    'ppbnB1dF9yZWFkAAEDBAMCAgMFAwEAEAYGAX8AQQELBywDBm1lbW9yeQIAFGdhdGVob3VzZV9ydWxlX2FiaV8xAwAIZXZhbHVhdGUABAwBAgpY',
    'AwkAQcAAQToQAAsJAEH6AEEeEAALQgEDf0GAgAJBAEGAgBAQASEAAkADQCABIABODQFBgIACIAFqLQAAQSNGBEAQAkEADwsgAUEBaiEBDAALAA',
    'sQA0EACwtlAgBBwAALOnsidmVyc2lvbiI6MSwidmVyZGljdCI6ImJsb2NrIiwicmVhc29uIjoibm8gbnVtYmVyIHNpZ25zIn0AQfoACx57InZl',
    'cnNpb24iOjEsInZlcmRpY3QiOiJwYXNzIn0=',
  ],
  hog: [
    'AGFzbQEAAAABFARgAn9/AGADf39/AX9gAABgAAF/Aj8CEGV4dGlzbTpob3N0L3VzZXIMb3V0cHV0X3dyaXRlAAAQZXh0aXNtOmhvc3QvdXNlcg',
    'ppbnB1dF9yZWFkAAEDAwICAwUEAQCABAYGAX8AQQELBywDBm1lbW9yeQIAFGdhdGVob3VzZV9ydWxlX2FiaV8xAwAIZXZhbHVhdGUAAwwBAQpK',
    'AgkAQcAAQR4QAAs+AQN/A0AgAUH8//8PcSECIAIgATYCACABIAJBte/J5AJsQfz//w9xKAIAakHtnJmOBGxBueAAaiEBDAALAAsLJQEAQcAACx',
    '57InZlcnNpb24iOjEsInZlcmRpY3QiOiJwYXNzIn0=',
  ],
  counting: [
    'AGFzbQEAAAABJQZgAn9/AGADf39/AX9gBH9/f38Bf2AFf39/f38Bf2AAAGAAAX8CcwQQZXh0aXNtOmhvc3QvdXNlcgxvdXRwdXRfd3JpdGUAAB',
    'BleHRpc206aG9zdC91c2VyCmlucHV0X3JlYWQAARBleHRpc206aG9zdC91c2VyBmt2X2dldAACEGV4dGlzbTpob3N0L3VzZXIGa3Zfc2V0AAMD',
    'BAMEBAUFAwEACAYSA38AQZIBC38AQZcBC38AQQELBywDBm1lbW9yeQIAFGdhdGVob3VzZV9ydWxlX2FiaV8xAwIIZXZhbHVhdGUABgwBBApWAw',
    'kAQcAAQR4QAAsJAEHeAEE0EAALQAEDfyMAQQVBgIACQcAAEAIhACAAQQBIBEBBACEACyAAQQJOBEAQBUEADwsjAEEFIwEgAEEBakE8EAMaEARB',
    'AAsLeAQAQcAACx57InZlcnNpb24iOjEsInZlcmRpY3QiOiJwYXNzIn0AQd4ACzR7InZlcnNpb24iOjEsInZlcmRpY3QiOiJibG9jayIsInJlYX',
    'NvbiI6InRvbyBvZnRlbiJ9AEGSAQsFdGltZXMAQZcBCwhhYWFhYWFhYQ==',
  ],
}

/** The body of an upload. */
export function moduleOf(name: keyof typeof BYTES, manifest: object = {}) {
  const module = BYTES[name].join('')
  const sha256 = createHash('sha256').update(Buffer.from(module, 'base64')).digest('hex')
  return { module, manifest: { name, version: '1.0.0', abi: 'gatehouse.rule/1', sha256, ...manifest } }
}
