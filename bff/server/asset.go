package server

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
)

// asset is a file in memory, as it is and compressed.
type asset struct {
	contentType   string
	plain, zipped variant
}

// variant is one form of an asset. Each has a validator of its own, because they are
// not the same bytes (RFC 9110 §8.8.3.3).
type variant struct {
	body []byte
	etag string
}

func newAsset(body []byte, contentType string) *asset {
	zipped := compressed(body)
	return &asset{contentType, variant{body, contentTag(body)}, variant{zipped, contentTag(zipped)}}
}

// compressed is done once, at the start: what is compressed here holds nobody's secrets.
func compressed(body []byte) []byte {
	var b bytes.Buffer
	z, _ := gzip.NewWriterLevel(&b, gzip.BestCompression) // fails for unknown levels only
	_, _ = z.Write(body)                                  // and a buffer takes everything
	_ = z.Close()
	return b.Bytes()
}

// contentTag is a strong validator made of the content (RFC 9110 §8.8.3).
func contentTag(body []byte) string {
	sum := sha256.Sum256(body)
	return `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`
}

// sendClient answers with the browser client.
func (s *Server) sendClient(x *exchange) error {
	v, zipped := s.client.plain, x.accepts("gzip")
	if zipped {
		v = s.client.zipped
	}
	x.set("Vary", "Accept-Encoding")
	x.set("ETag", v.etag)
	x.set("Cache-Control", "max-age=3600")
	x.set("X-Content-Type-Options", "nosniff")
	x.isolateOrigin()
	if (validators{etag: v.etag}).failed(x.head) == http.StatusNotModified {
		x.empty(http.StatusNotModified)
		return nil
	}
	if zipped {
		x.set("Content-Encoding", "gzip")
	}
	x.body(200, s.client.contentType, v.body)
	return nil
}
