package mapping

import (
	"bytes"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Response is an API's response, read whole.
type Response struct {
	// Status is the status code.
	Status int
	// Header holds the fields, by canonical name.
	Header http.Header
	// Body is the JSON document, numbers as [encoding/json.Number]; a body that is no
	// JSON is one string.
	Body any
	// At is when the response came.
	At time.Time
	// Odd are the names of ends that the response tells in a way that makes no sense. They
	// count as not given; filled in by [Places.Extract].
	Odd []string

	asked *Values // what the request was made of; nil: not known
}

// To says what the request was made of that r answers, for places with a name. It returns r.
func (r *Response) To(v *Values) *Response {
	r.asked = v
	return r
}

// note takes note of an end that makes no sense.
func (r *Response) note(name string) { r.Odd = append(r.Odd, name) }

// IsHTML reports whether the body is a page for people: a firewall's challenge, a server's
// error. By its media type, or by how it begins.
func (r *Response) IsHTML() bool {
	text, isText := r.Body.(string)
	if !isText {
		return false
	}
	kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	kind = strings.ToLower(strings.TrimSpace(kind))
	begin := strings.ToLower(text[:min(len(text), 16)])
	return kind == "text/html" || kind == "application/xhtml+xml" || strings.HasPrefix(begin, "<!doctype html") || strings.HasPrefix(begin, "<html")
}

// NewResponse reads a body whatever its Content-Type says, at the present time. A byte
// order mark in front of JSON, which RFC 8259 §8.1 lets a reader ignore, is ignored.
func NewResponse(status int, header http.Header, body []byte) *Response {
	r := &Response{Status: status, Header: header, At: time.Now()}
	doc, isJSON := Decode(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")))
	if !isJSON {
		doc = strings.TrimSpace(string(body))
	}
	r.Body = doc
	return r
}

// maxRetryAfter bounds what an API may ask people to wait.
const maxRetryAfter = 24 * time.Hour

// retryAfter reads Retry-After: seconds or a date (RFC 9110 §10.2.3); 0 where
// there is none that can be read.
func (r *Response) retryAfter() time.Duration {
	text := strings.TrimSpace(r.Header.Get("Retry-After"))
	if seconds, err := strconv.ParseUint(text, 10, 31); err == nil {
		return min(time.Duration(seconds)*time.Second, maxRetryAfter)
	}
	if at, err := http.ParseTime(text); err == nil {
		return min(max(at.Sub(r.At).Round(time.Second), 0), maxRetryAfter)
	}
	return 0
}
