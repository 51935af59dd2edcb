package proxy

import (
	"bytes"
	"compress/gzip"
	"io"
	"strconv"
	"time"

	"coatcheck/bff/http1"
	"coatcheck/upstream/mapping"
)

const (
	// lookPatience is how long the rest of a small JSON body is waited for, before it
	// passes unlooked at: a stream that is called JSON must not be held.
	lookPatience = time.Second
	// lookMost bounds a body behind its content coding, in bytes.
	lookMost = 256 << 10
)

// staleness is what in the answer calls the token dead; empty: nothing does.
func (x *roundTrip) staleness() string {
	a := &x.answer
	dead, more := x.target.stale.InHead(a.Status, x.lines)
	if !dead && more {
		document, ok := x.document()
		dead = ok && x.target.stale.InBody(a.Status, document)
	}
	switch {
	case !dead:
		return ""
	case a.Status == 401:
		return "401"
	}
	return "stale " + strconv.Itoa(a.Status)
}

// document reads the answer's body where it is small and JSON, and leaves it to be passed
// on. Other bodies are not touched: neither streams, nor what is larger than 64 KiB or
// does not end in time.
func (x *roundTrip) document() (any, bool) {
	a := &x.answer
	kind, kinds := field(a.Fields, "content-type")
	coding, codings := field(a.Fields, "content-encoding")
	if x.call.Request.IsHead() || a.Status == 101 || !mayBeJSON(kind, kinds, a.Length) || codings > 1 || !a.Gather(lookPatience) {
		return nil, false
	}
	body := a.Complete
	switch {
	case codings == 0 || http1.EqualFold(coding, "identity"):
	case http1.EqualFold(coding, "gzip"):
		body = unzip(body)
	default:
		return nil, false
	}
	return mapping.Decode(body)
}

// mayBeJSON reports whether a body is worth a look: JSON by its media type, or without
// any (RFC 9110 §8.3) where its length is known, so that it is no stream.
func mayBeJSON(kind []byte, kinds int, length int64) bool {
	return isJSON(kind) || kinds == 0 && length >= 0
}

// isJSON reports whether a media type is JSON (RFC 8259 §11, RFC 6839 §3.1), and one
// document of it.
func isJSON(contentType []byte) bool {
	kind, _, _ := bytes.Cut(contentType, []byte{';'})
	kind = http1.TrimOWS(kind)
	return http1.EqualFold(kind, "application/json") ||
		len(kind) > 5 && http1.EqualFold(kind[len(kind)-5:], "+json") && !http1.HasPrefixFold(kind, "application/stream")
}

// unzip returns what of a body can be read, lookMost bytes at most.
func unzip(body []byte) []byte {
	z, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return nil
	}
	plain, err := io.ReadAll(io.LimitReader(z, lookMost))
	if err != nil {
		return nil
	}
	return plain
}

// appendReadable writes Accept-Encoding where bodies are looked at: gzip, if the browser
// takes it, or nothing, so that the API's answer can be read.
func appendReadable(b []byte, h *http1.Head) []byte {
	if http1.Weight(h, "gzip", false) <= 0 {
		return b
	}
	return append(b, "Accept-Encoding: gzip\r\n"...)
}
