package gate

import (
	"bytes"

	"coatcheck/bff/http1"
)

// mostSkimmed is how much of a head that is too long is read to find out why: more
// than all the cookies that a browser keeps for one site (Chromium: 180 of 4 KiB).
const mostSkimmed = 1 << 20

// overlong is a head that is over its bound, as far as it decides which of the fixed
// answers a browser gets. It holds no byte of the head.
//
// Any sibling subdomain can set cookies for the whole domain, and so many that no
// request of the browser fits any more. The person would be locked out until the
// cookies are gone, with no page that says so. So a navigation gets a page, and in
// Chromium the page has a button. The button's request is as long as all others, which
// is why the gate answers it, from here. "Clear-Site-Data" makes Chromium forget the
// cookies of all siblings too, so that nobody else may press: see presses. Firefox
// (153 was tried) forgets those of this host only, which would sign the person out and
// leave the others where they are, so that its page has no button.
type overlong struct {
	get, post       bool
	clears          bool // the target is the button's
	total, cookies  int  // bytes
	html            bool // the browser would take HTML
	chromium        bool
	site, mode      text
	dest, activated text
}

// text is a field's value where it came once and is short.
type text struct {
	value string
	count int
}

func (t text) is(value string) bool { return t.count == 1 && t.value == value }

// clearing is the query of the button's request. The path is that of the page which
// holds the button: the gate knows no base paths, and a reverse proxy may lead only some here.
const clearing = "coatcheck-delete-cookies"

// explainTooLarge chooses the answer to a head of more than most bytes.
func explainTooLarge(in *http1.Reader, most int) *fixed {
	var o overlong
	// Where the head is whole but has too many lines, it was taken out of the buffer.
	if in.Len() < most || !o.skim(in, most) {
		return tooLarge
	}
	switch {
	case o.total-o.cookies > most: // it would be too long without them
		return tooLarge
	case o.presses():
		return cookiesDeleted
	case o.navigates() && o.chromium:
		return tooManyCookies
	case o.navigates():
		return cookiesByHand
	}
	return tooLarge
}

// navigates reports whether a person opens a page, in a tab of its own.
func (o *overlong) navigates() bool {
	if !o.get && !o.post {
		return false
	}
	if o.mode.count > 0 {
		return o.mode.is("navigate") && o.dest.is("document")
	}
	return o.html
}

// presses reports whether a person pressed the button on our page. The browser vouches
// for it with fields that no script can set: a navigation of a tab, begun by a page of
// this very origin, by a click. Browsers that do not send all of them cannot press.
// Another site's page is "cross-site" or "same-site", also behind a redirect.
func (o *overlong) presses() bool {
	return o.post && o.clears && o.chromium && o.site.is("same-origin") && o.mode.is("navigate") && o.dest.is("document") && o.activated.is("?1")
}

// skim reads a head to its end in the memory that the buffer has. It reports whether
// it found one.
func (o *overlong) skim(in *http1.Reader, limit int) bool {
	for lines := 0; o.total <= mostSkimmed; lines++ {
		line, length, ok := skimLine(in, limit)
		if !ok {
			return false
		}
		o.total += length
		switch {
		case length == 2:
			return true
		case lines == 0:
			ok = o.requestLine(line)
		default:
			ok = o.field(line, length)
		}
		if !ok {
			return false
		}
	}
	return false
}

// firstPart is what is kept of a line that is longer than the buffer: enough for a name.
const firstPart = 64

// skimLine takes one line, and returns it without its end and how long it was with it.
// Of one that is longer than the buffer it returns the first part.
func skimLine(in *http1.Reader, limit int) (line []byte, length int, ok bool) {
	var kept []byte
	for length <= mostSkimmed {
		b := in.Buffered()
		if i := bytes.IndexByte(b, '\n'); i >= 0 {
			in.Discard(i + 1)
			if kept != nil {
				return kept, length + i + 1, true
			}
			line, ok = bytes.CutSuffix(b[:i], []byte("\r"))
			return line, i + 1, ok
		}
		if len(b) >= limit {
			if kept == nil {
				kept = bytes.Clone(b[:min(len(b), firstPart)])
			}
			length += len(b)
			in.Discard(len(b))
		}
		if in.Fill(limit+2) != nil {
			return nil, 0, false
		}
	}
	return nil, 0, false
}

func (o *overlong) requestLine(line []byte) bool {
	method, rest, ok := bytes.Cut(line, []byte(" "))
	target, _, more := bytes.Cut(rest, []byte(" "))
	_, query, _ := bytes.Cut(target, []byte("?"))
	o.get, o.post = string(method) == "GET", string(method) == "POST"
	o.clears = string(query) == clearing
	return ok && more
}

func (o *overlong) field(line []byte, length int) bool {
	name, value, ok := bytes.Cut(line, []byte(":"))
	if !ok || !http1.IsToken(name) {
		return false
	}
	value = http1.TrimOWS(value)
	switch {
	case http1.EqualFold(name, "cookie"):
		o.cookies += length
	case http1.EqualFold(name, "accept"):
		o.html = o.html || bytes.Contains(value, []byte("text/html"))
	case http1.EqualFold(name, "sec-ch-ua"):
		o.chromium = bytes.Contains(value, []byte(`"Chromium"`))
	case http1.EqualFold(name, "sec-fetch-site"):
		o.site.take(value)
	case http1.EqualFold(name, "sec-fetch-mode"):
		o.mode.take(value)
	case http1.EqualFold(name, "sec-fetch-dest"):
		o.dest.take(value)
	case http1.EqualFold(name, "sec-fetch-user"):
		o.activated.take(value)
	}
	return true
}

func (t *text) take(value []byte) {
	t.count++
	t.value = string(value[:min(len(value), firstPart)])
}
