package session

import (
	"encoding/binary"
	"strings"
)

// How a value is written inside a record.
const (
	packPlain    = 0 // as it is
	packSegments = 1 // dot-separated base64url, each segment decoded
)

// appendPacked appends a value in its shorter form. Tokens are mostly JWTs:
// three segments of base64url, which take a quarter less room when decoded.
func appendPacked(b []byte, value []byte) []byte {
	if packed, ok := packedSegments(value); ok && len(packed) < len(value) {
		return append(append(b, packSegments), packed...)
	}
	return append(append(b, packPlain), value...)
}

func packedSegments(value []byte) ([]byte, bool) {
	var b []byte
	for segment := range strings.SplitSeq(string(value), ".") {
		if strings.ContainsAny(segment, "\r\n") { // the decoder would skip them
			return nil, false
		}
		raw, err := ticketForm.DecodeString(segment)
		if err != nil {
			return nil, false
		}
		b = append(binary.AppendUvarint(b, uint64(len(raw))), raw...)
	}
	return b, true
}

// unpacked returns the value that appendPacked wrote.
func unpacked(b []byte) (string, bool) {
	if len(b) == 0 {
		return "", false
	}
	switch b[0] {
	case packPlain:
		return string(b[1:]), true
	case packSegments:
		return unpackedSegments(b[1:])
	}
	return "", false
}

func unpackedSegments(b []byte) (string, bool) {
	var segments []string
	for len(b) > 0 {
		raw, rest, ok := cutBytes(b)
		if !ok {
			return "", false
		}
		segments = append(segments, ticketForm.EncodeToString(raw))
		b = rest
	}
	return strings.Join(segments, "."), true
}

// appendBytes appends value behind its length.
func appendBytes[T []byte | string](b []byte, value T) []byte {
	return append(binary.AppendUvarint(b, uint64(len(value))), value...)
}

// cutBytes is the reverse of appendBytes.
func cutBytes(b []byte) (value, rest []byte, ok bool) {
	n, size := binary.Uvarint(b)
	if size <= 0 || n > uint64(len(b)-size) {
		return nil, nil, false
	}
	return b[size : size+int(n)], b[size+int(n):], true
}
