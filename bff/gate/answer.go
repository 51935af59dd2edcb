package gate

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"coatcheck/bff/http1"
)

// fixed is an answer made before any request came: it cannot repeat one.
type fixed struct {
	status int
	code   string
	bytes  []byte
}

var (
	badRequest     = fix(http.StatusBadRequest, "bad_request", "The request is not well-formed HTTP/1.1.", "")
	notAllowed     = fix(http.StatusMethodNotAllowed, "method_not_allowed", "The method is not supported.", "Allow: "+strings.Join(methods[:], ", ")+"\r\n")
	requestTimeout = fix(http.StatusRequestTimeout, "request_timeout", "The request's head did not arrive in time.", "")
	expectation    = fix(http.StatusExpectationFailed, "expectation_failed", "The only known expectation is 100-continue.", "")
	tooLarge       = fix(http.StatusRequestHeaderFieldsTooLarge, "headers_too_large", "The request's head is too long.", "")
)

// report tells whoever asked for it that a is c's answer.
func (a *fixed) report(c *Conn, cause error) {
	if refused := c.options().Refused; refused != nil {
		refused(Refusal{Peer: c.peer, Status: a.status, Code: a.code, Cause: cause})
	}
}

// Answers to a head that is too long because of its cookies: see [overlong].
var (
	//go:embed cookies.html
	cookiesPage string
	// tooManyCookies is for browsers whose "Clear-Site-Data" deletes the cookies that a
	// sibling set for the whole domain.
	tooManyCookies = cookiesHelp(`<p>Deleting the cookies helps. It also signs you out here and in all other applications on the same domain.</p>
<form method="post" action="?coatcheck-delete-cookies"><button type="submit">Delete the cookies</button></form>
<small>If this page comes back, delete them in the settings of your browser. (431 headers_too_large)</small>`)
	cookiesByHand = cookiesHelp(`<p>Delete the cookies of this site and of its whole domain in the settings of your browser, then open the page again. This also signs you out.</p>
<small>431 headers_too_large</small>`)
	// cookiesDeleted leads back to the page, whose path stays: "?" is its own address
	// with an empty query.
	cookiesDeleted = fixText(http.StatusSeeOther, "cookies_deleted", "text/plain; charset=utf-8", "", "Location: ?\r\nClear-Site-Data: \"cookies\"\r\n")
)

func cookiesHelp(help string) *fixed {
	return fixText(http.StatusRequestHeaderFieldsTooLarge, "headers_too_large", "text/html; charset=utf-8", strings.Replace(cookiesPage, "{{help}}", help, 1),
		"Content-Security-Policy: default-src 'none'; style-src 'sha256-"+styleHash(cookiesPage)+"'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'\r\n"+
			"Coatcheck-Error: headers_too_large\r\nX-Frame-Options: DENY\r\nCross-Origin-Opener-Policy: same-origin\r\nCross-Origin-Resource-Policy: same-origin\r\n")
}

// styleHash names the style of a page in its Content-Security-Policy.
func styleHash(page string) string {
	_, rest, _ := strings.Cut(page, "<style>")
	style, _, _ := strings.Cut(rest, "</style>")
	sum := sha256.Sum256([]byte(style))
	return base64.StdEncoding.EncodeToString(sum[:])
}

func fix(status int, code, detail, field string) *fixed {
	body := fmt.Sprintf(`{"type":"about:blank","title":%q,"status":%d,"code":%q,"detail":%q}`,
		http.StatusText(status), status, code, detail)
	return fixText(status, code, "application/problem+json", body, "Coatcheck-Error: "+code+"\r\n"+field)
}

func fixText(status int, code, contentType, body, fields string) *fixed {
	head := fmt.Sprintf("HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n"+
		"%sCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n",
		status, http.StatusText(status), contentType, len(body), fields)
	return &fixed{status, code, []byte(head + body)}
}

// Answer is how the gate answers a request that [http1.Head.ReadRequest] or [Check]
// refused; false where it answers nothing.
func Answer(cause error) (status int, code string, ok bool) {
	a := answerTo(cause)
	if a == nil {
		return 0, "", false
	}
	return a.status, a.code, true
}

// answerTo chooses the answer; nil where nobody is there to read one.
func answerTo(cause error) *fixed {
	switch {
	case isTimeout(cause):
		return requestTimeout
	case errors.Is(cause, http1.ErrTooLarge):
		return tooLarge
	case errors.Is(cause, http1.ErrMalformed), errors.Is(cause, io.ErrUnexpectedEOF):
		return badRequest
	case errors.Is(cause, errMethod):
		return notAllowed
	case errors.Is(cause, errExpect):
		return expectation
	}
	return nil
}
