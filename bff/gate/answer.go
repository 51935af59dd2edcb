package gate

import (
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
	notAllowed     = fix(http.StatusMethodNotAllowed, "method_not_allowed", "The method is not known here.", "Allow: "+strings.Join(methods[:], ", ")+"\r\n")
	requestTimeout = fix(http.StatusRequestTimeout, "request_timeout", "The request's head did not arrive in time.", "")
	expectation    = fix(http.StatusExpectationFailed, "expectation_failed", "The only known expectation is 100-continue.", "")
	tooLarge       = fix(http.StatusRequestHeaderFieldsTooLarge, "headers_too_large", "The request's head is too long.", "")
)

func fix(status int, code, detail, field string) *fixed {
	body := fmt.Sprintf(`{"type":"about:blank","title":%q,"status":%d,"code":%q,"detail":%q}`,
		http.StatusText(status), status, code, detail)
	head := fmt.Sprintf("HTTP/1.1 %d %s\r\nContent-Type: application/problem+json\r\nContent-Length: %d\r\n"+
		"Coatcheck-Error: %s\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n%sConnection: close\r\n\r\n",
		status, http.StatusText(status), len(body), code, field)
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
