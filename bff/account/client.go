package account

import (
	"bytes"
	"compress/gzip"
	"net/http"

	"coatcheck/bff/call"
	"coatcheck/bff/http1"
)

// Asset is a file in memory, as it is and compressed.
type Asset struct {
	contentType   string
	plain, zipped variant
}

// variant is one form of an asset. Each has a validator of its own, because they are
// not the same bytes (RFC 9110 §8.8.3.3).
type variant struct {
	body []byte
	etag string
}

// NewAsset makes an asset. It is compressed once, at the start: what is compressed
// here holds nobody's secrets.
func NewAsset(body []byte, contentType string) *Asset {
	zipped := compressed(body)
	return &Asset{contentType, variant{body, http1.ContentTag(body)}, variant{zipped, http1.ContentTag(zipped)}}
}

func compressed(body []byte) []byte {
	var b bytes.Buffer
	z, _ := gzip.NewWriterLevel(&b, gzip.BestCompression) // fails for unknown levels only
	_, _ = z.Write(body)                                  // and a buffer takes everything
	_ = z.Close()
	return b.Bytes()
}

// sendClient answers with the browser client.
func (a *Account) sendClient(c *call.Call) error {
	v, zipped := a.client.plain, http1.Accepts(c.Request.Head, "gzip")
	if zipped {
		v = a.client.zipped
	}
	h := &c.Reply.Header
	h.Set("Vary", "Accept-Encoding")
	h.Set("ETag", v.etag)
	h.Set("Cache-Control", "max-age=3600")
	h.Set("X-Content-Type-Options", "nosniff")
	c.IsolateOrigin()
	if (http1.Validators{ETag: v.etag}).Failed(c.Request.Head) == http.StatusNotModified {
		c.Reply.Empty(http.StatusNotModified)
		return nil
	}
	if zipped {
		h.Set("Content-Encoding", "gzip")
	}
	c.Reply.Bytes(200, a.client.contentType, v.body)
	return nil
}
