package store

import (
	"encoding/binary"
	"strconv"
	"time"
)

// The places of what a store reads of a record.
const (
	StampLen     = 13 // decimal milliseconds since 1970
	GenerationAt = 20
	generationTo = GenerationAt + 8
)

// AppendStamp writes t as the 13 digits in front of a record.
func AppendStamp(b []byte, t time.Time) []byte {
	digits := strconv.FormatInt(max(t.UnixMilli(), 0), 10)
	for range StampLen - len(digits) {
		b = append(b, '0')
	}
	return append(b, digits...)
}

// StampOf reads the time of the last extension; false where there is none.
func StampOf(value []byte) (time.Time, bool) {
	if len(value) < StampLen {
		return time.Time{}, false
	}
	ms, err := strconv.ParseUint(string(value[:StampLen]), 10, 63)
	if err != nil {
		return time.Time{}, false
	}
	return time.UnixMilli(int64(ms)), true
}

// GenerationOf reads the generation of a stored value; 0 if it has none.
func GenerationOf(value []byte) uint64 {
	if len(value) < generationTo {
		return 0
	}
	return binary.BigEndian.Uint64(value[GenerationAt:])
}
