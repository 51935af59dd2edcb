package gate_test

import (
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"coatcheck/bff/gate"
	"coatcheck/bff/socket"
)

// secure serves TLS with httptest's certificate.
func secure(t *testing.T) (s *server, client *http.Client) {
	t.Helper()
	its := httptest.NewTLSServer(nil)
	t.Cleanup(its.Close)
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s = servingAt(t, tls.NewListener(socket.Listener{Listener: inner}, &tls.Config{Certificates: its.TLS.Certificates}), patient, func(r *gate.Request) bool {
		_, _ = io.WriteString(r.Conn(), "HTTP/1.1 204 No Content\r\n\r\n")
		return !r.IsLast()
	})
	return s, its.Client()
}

// TestPlainAtTLS: whoever speaks plain HTTP where TLS is spoken is told, and so is the
// operator. Nobody else gets a byte that is not TLS, and nothing of the request comes back.
func TestPlainAtTLS(t *testing.T) {
	const mark = "MARKED"
	long := strings.Repeat("x", 512<<10) // more than what is read before the answer
	for request, told := range map[string]bool{
		"GET /" + mark + " HTTP/1.1\r\nHost: x\r\n\r\n":                              true,
		"HEAD / HTTP/1.1\r\n\r\n":                                                    true,
		"OPTIONS * HTTP/1.1\r\nX: " + mark + "\r\n\r\n":                              true,
		"DELETE / HTTP/1.1\r\n\r\n":                                                  true,
		"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 524294\r\n\r\n" + mark + long: true,
		"GET":                            false,
		"SSH-2.0-" + mark + "\r\n":       false,
		"PROXY TCP4 1.1.1.1 1.1.1.2 1 2": false,
		"\x16\x03\x01\x00\x05hello":      false, // TLS, but for what it says
		"":                               false,
	} {
		s, _ := secure(t)
		got := talk(t, s, request)
		is := strings.HasPrefix(got, "HTTP/1.1 400 ") && strings.Contains(got, "\r\nCoatcheck-Error: bad_request\r\n") && strings.HasSuffix(got, `speaks HTTPS."}`)
		if is != told || strings.Contains(got, mark) || !told && strings.Contains(got, "HTTP") {
			t.Errorf("%.20q got %q", request, got)
		}
		s.mu.Lock()
		if len(s.refusals) > 0 != told || told && s.refusals[0].Cause.Error() != "plain HTTP to a listener that speaks TLS" || len(s.seen) > 0 {
			t.Errorf("%.20q: %v, %v", request, s.refusals, s.seen)
		}
		s.mu.Unlock()
	}
}

// TestTLSStillServes: a request over TLS is as it was.
func TestTLSStillServes(t *testing.T) {
	s, client := secure(t)
	for range 2 {
		answer, err := client.Get("https://" + s.address + "/a")
		if err != nil || answer.StatusCode != 204 {
			t.Fatal(answer, err)
		}
		_ = answer.Body.Close()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.refusals) > 0 || !slices.Equal(s.seen, []string{"GET /a HTTP/1.1 " + s.address, "GET /a HTTP/1.1 " + s.address}) {
		t.Errorf("%v %v", s.refusals, s.seen)
	}
}
