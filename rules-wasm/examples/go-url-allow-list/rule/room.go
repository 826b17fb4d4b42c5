package rule

import "runtime"

// room is what a message of 16 KiB needs. It is taken at the start and given back, so that memory seldom grows within a call: an
// instance whose memory has grown is made anew for the next call, which takes some milliseconds.
const room = 917_504

var taken []byte

func init() {
	taken = make([]byte, room)
	taken = nil
	runtime.GC()
}
