package server

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
)

// asset is a file in memory, with its validator.
type asset struct {
	body        []byte
	contentType string
	etag        string
}

func newAsset(body []byte, contentType string) *asset {
	return &asset{body, contentType, contentTag(body)}
}

// contentTag is a strong validator made of the content (RFC 9110 §8.8.3).
func contentTag(body []byte) string {
	sum := sha256.Sum256(body)
	return `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`
}

// has reports whether the browser says that it has this very content (RFC 9110
// §13.1.2). Weak validators count: GET compares weakly.
func (x *exchange) has(etag string) bool {
	have, n := x.head.Get("if-none-match")
	return n == 1 && (bytes.Contains(have, []byte(etag)) || string(have) == "*")
}

// sendClient answers with the browser client.
func (s *Server) sendClient(x *exchange) error {
	x.set("ETag", s.client.etag)
	x.set("Cache-Control", "max-age=3600")
	x.set("X-Content-Type-Options", "nosniff")
	x.isolateOrigin()
	if x.has(s.client.etag) {
		x.empty(304)
		return nil
	}
	x.body(200, s.client.contentType, s.client.body)
	return nil
}
