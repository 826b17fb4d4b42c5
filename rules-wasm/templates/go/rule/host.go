package rule

import "unsafe"

//go:wasmimport extism:host/user input_read
func inputRead(out unsafe.Pointer, offset, length uint32) int32

//go:wasmimport extism:host/user output_write
func outputWrite(from unsafe.Pointer, length uint32)

//go:wasmimport extism:host/user config_read
func configRead(key unsafe.Pointer, keyLength uint32, out unsafe.Pointer, room uint32) int32

const chunk = 16_384

// readInput reads as much as there is, whatever its size.
func readInput() []byte {
	input := make([]byte, chunk)
	for length := 0; ; {
		room := uint32(len(input) - length)
		got := inputRead(unsafe.Pointer(&input[length]), uint32(length), room)
		length += int(got)
		if got < int32(room) {
			return input[:length]
		}
		input = append(input, make([]byte, len(input))...)
	}
}

func writeOutput(answer []byte) {
	outputWrite(unsafe.Pointer(&answer[0]), uint32(len(answer)))
}

// Config is a text of the rule's configuration. The manifest must name the capability "config".
func Config(key string) (string, bool) {
	if key == "" {
		return "", false
	}
	room := make([]byte, 8_192)
	length := configRead(unsafe.Pointer(unsafe.StringData(key)), uint32(len(key)), unsafe.Pointer(&room[0]), uint32(len(room)))
	if length < 0 || int(length) > len(room) {
		return "", false
	}
	return string(room[:length]), true
}
