package http1

import "strconv"

// Room that a chunk needs besides its data.
const (
	BeforeChunk = len("ffff\r\n")
	BehindChunk = len("\r\n")
)

// Chunk makes a chunk (RFC 9112 §7.1) of n bytes, at most 65 535, that stand in page behind
// [BeforeChunk] bytes. The result is a part of page.
func Chunk(page []byte, n int) []byte {
	var size [BeforeChunk]byte
	line := append(strconv.AppendInt(size[:0], int64(n), 16), "\r\n"...)
	from := BeforeChunk - len(line)
	copy(page[from:], line)
	return append(page[from:BeforeChunk+n], "\r\n"...)
}
