// Package http1 is HTTP/1.1 (RFC 9112) as both sides of Coatcheck read it:
// strictly, and once.
//
// Request smuggling needs two parsers that disagree. The browser's side (package
// gate) and the API's side (package forward) therefore read heads and chunks with
// this one, which refuses what is malformed or merely unusual instead of repairing
// it: bare line feeds, folded lines, spaces in or behind names, control bytes, two
// lengths, a length beside a coding, any coding but chunked. A caller treats every
// error as the end of that connection.
//
// Errors name the rule that was broken and never a byte of what was read.
package http1

import "errors"

// What can be wrong with a message. All but [ErrTooLarge] wrap [ErrMalformed].
var (
	// ErrMalformed is the parent of every violation of the grammar.
	ErrMalformed = errors.New("http1: malformed message")
	// ErrTooLarge says that a head, or its number of fields, is over its bound.
	ErrTooLarge = errors.New("http1: head too large")
)

// violation is an [ErrMalformed] with the rule that was broken.
type violation string

func (v violation) Error() string { return "http1: " + string(v) }

func (violation) Unwrap() error { return ErrMalformed }

const (
	errLine        = violation("line does not end in CRLF")
	errStart       = violation("start line is not well-formed")
	errVersion     = violation("version is not HTTP/1.0 or HTTP/1.1")
	errTarget      = violation("target has bytes outside 0x21-0x7e")
	errStatus      = violation("status is not 100-599")
	errFold        = violation("folded line")
	errName        = violation("field name is not a token")
	errValue       = violation("control byte in a field value")
	errHost        = violation("not exactly one well-formed Host")
	errLength      = violation("not one decimal Content-Length")
	errCoding      = violation("Transfer-Encoding is not exactly chunked")
	errTwoFramings = violation("Content-Length and Transfer-Encoding together")
	errChunk       = violation("chunk is not well-formed")
	errTrailer     = violation("trailer section too long")
)
