package account

import (
	"io"
	"net/url"
	"strings"

	"coatcheck/bff/call"
	"coatcheck/bff/gate"
	"coatcheck/bff/pending"
	"coatcheck/bff/problem"
)

// Bounds of what a provider sends along with the browser, in bytes.
const (
	maxForm = 32 << 10
	maxCode = 8 << 10
	maxIss  = 1 << 10
)

// readCallback reads what a provider sends along with the browser: each parameter once
// (RFC 6749 §3.1), and none that is longer than any provider makes it.
func readCallback(raw string) (parameters, error) {
	p, err := readParameters(raw, false, "code", "state", "iss", "error", "error_description")
	if err != nil {
		return nil, err
	}
	if len(p["state"]) > pending.MaxState || len(p["code"]) > maxCode || len(p["iss"]) > maxIss || len(p["error"]) > maxIss {
		return nil, badRequest("a parameter is too long")
	}
	return p, nil
}

// callbackForm turns a form_post into a GET, so that the browser's Lax cookie comes
// along. Of the form only what the callback reads goes on.
func (a atProvider) callbackForm(c *call.Call) error {
	kind, n := c.Request.Head.Get("content-type")
	media, _, _ := strings.Cut(string(kind), ";")
	if n != 1 || !strings.EqualFold(strings.TrimSpace(media), "application/x-www-form-urlencoded") {
		return a.failedPage(c, nil, problem.UnsupportedMediaType.Because("the form is not application/x-www-form-urlencoded"))
	}
	raw, err := readForm(c)
	if err != nil {
		return a.failedPage(c, nil, err)
	}
	p, err := readCallback(raw)
	if err != nil {
		return a.failedPage(c, nil, err)
	}
	query := url.Values{}
	for name, value := range p {
		if name != "error_description" { // free text; the code says enough
			query.Set(name, value)
		}
	}
	redirect(c, string(c.Decision.Target.Path)+"?"+query.Encode())
	return nil
}

// readForm reads a whole form of at most maxForm bytes.
func readForm(c *call.Call) (string, error) {
	if c.In.BodyLength() > maxForm {
		return "", problem.BodyTooLarge.Because("the form is over 32 KiB")
	}
	c.In.LimitBody(maxForm)
	body, err := io.ReadAll(c.In)
	if err != nil {
		return "", gate.BodyError(err)
	}
	return string(body), nil
}
