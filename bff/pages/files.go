package pages

import (
	"fmt"
	"io"
	"net/http"
	"slices"

	"coatcheck/bff/call"
	"coatcheck/bff/http1"
	"coatcheck/bff/problem"
)

// sendFile answers with a file, if there is one: the ready-made compression that the
// browser likes best, a part if it asks for one, nothing if it has it.
func (p *Pages) sendFile(c *call.Call, name string) (bool, error) {
	for _, e := range accepted(c.Request.Head) {
		f, err := p.openFile(name + e.suffix)
		if err != nil {
			return false, err
		}
		if f != nil {
			c.Reply.Header.Vary("Accept-Encoding")
			return true, p.sendOpen(c, f, name, e.name)
		}
	}
	f, err := p.openFile(name)
	if f == nil {
		return false, err
	}
	c.Reply.Header.Vary("Accept-Encoding") // of the plain file, too: others get another (RFC 9110 §12.5.5)
	return true, p.sendOpen(c, f, name, "")
}

// encodings are the ready-made compressions that are looked for, the best first.
var encodings = []encoding{{"br", ".br"}, {"gzip", ".gz"}}

// encoding is a content coding and what the names of files end in that have it.
type encoding struct{ name, suffix string }

// accepted are the encodings that the browser takes, the one that it likes best first
// (RFC 9110 §12.5.3). What it likes less than the plain file is left out.
func accepted(h *http1.Head) []encoding {
	identity := max(0, http1.Weight(h, "identity", false))
	likes := func(e encoding) int { return http1.Weight(h, e.name, true) }
	list := slices.DeleteFunc(slices.Clone(encodings), func(e encoding) bool { return likes(e) <= 0 || likes(e) < identity })
	slices.SortStableFunc(list, func(a, b encoding) int { return likes(b) - likes(a) })
	return list
}

// sendOpen answers with an open file, which it closes: what the conditions and the
// range of the request leave of it. coding is its Content-Encoding, or empty.
func (p *Pages) sendOpen(c *call.Call, f *file, name, coding string) error {
	v, err := f.validators(coding)
	if err != nil {
		_ = f.Close()
		return err
	}
	h := &c.Reply.Header
	if status := v.Failed(c.Request.Head); status != 0 {
		c.Reply.Empty(status)
		if status == http.StatusNotModified {
			p.fileHeaders(c, name, v) // they renew what the browser has (RFC 9110 §15.4.5)
		}
		return f.Close()
	}
	size := f.info.Size()
	part, partial, ok := wanted(&c.Request, size, v)
	if !ok {
		h.Set("Content-Range", fmt.Sprintf("bytes */%d", size))
		c.Reply.Empty(http.StatusRequestedRangeNotSatisfiable)
		return f.Close()
	}
	p.fileHeaders(c, name, v)
	describe(h, name, coding, v)
	c.Reply.Status = http.StatusOK
	if partial {
		c.Reply.Status = http.StatusPartialContent
		h.Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", part.first, part.end-1, size))
	}
	if c.Request.IsHead() {
		c.Reply.Bodiless, c.Reply.Length = true, part.length()
		return f.Close()
	}
	c.Reply.Stream, c.Reply.Length = &section{io.NewSectionReader(f, part.first, part.length()), f, &c.Record}, part.length()
	return nil
}

// section is a part of a file, which it closes.
type section struct {
	*io.SectionReader
	f      *file
	record *call.Record
}

// Read implements [io.Reader]. What breaks off is logged: the head of the answer is out.
func (s *section) Read(p []byte) (int, error) {
	n, err := s.SectionReader.Read(p)
	if err != nil && err != io.EOF {
		s.record.Code, s.record.Cause = problem.PagesUnreadable.Code, unreadable(err)
	}
	return n, err
}

func (s *section) Close() error { return s.f.Close() }

// fileHeaders say who may use the file, and how long it may be kept.
func (p *Pages) fileHeaders(c *call.Call, name string, v http1.Validators) {
	h := &c.Reply.Header
	if v.ETag != "" {
		h.Set("ETag", v.ETag)
	}
	h.Set("X-Content-Type-Options", "nosniff")
	c.IsolateOrigin()
	if isHashed(name) {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	} else {
		h.Set("Cache-Control", "no-cache")
	}
	if isDocument(mediaType(name)) {
		p.documentHeaders(c)
	}
}

// describe says what is sent. It stands on answers with content only.
func describe(h *call.Header, name, coding string, v http1.Validators) {
	h.Set("Content-Type", mediaType(name))
	h.Set("Accept-Ranges", "bytes")
	if coding != "" {
		h.Set("Content-Encoding", coding)
	}
	if v.HasTime() {
		h.Set("Last-Modified", v.Changed.UTC().Format(http.TimeFormat))
	}
}

// documentHeaders are those of everything that can be shown as a page.
func (p *Pages) documentHeaders(c *call.Call) {
	h := &c.Reply.Header
	if csp := p.CSP; csp != "" {
		h.Set("Content-Security-Policy", csp)
	}
	h.Set("Referrer-Policy", "strict-origin-when-cross-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
}
