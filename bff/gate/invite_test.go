package gate_test

import (
	"testing"
	"time"

	"coatcheck/bff/gate"
)

// TestNoInvitationInsideAnswer: once the answer has begun, a "100 Continue" would stand in the
// middle of it. An API may answer before anybody has read of a body that streams.
func TestNoInvitationInsideAnswer(t *testing.T) {
	const answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	s := serving(t, patient, func(r *gate.Request) bool {
		_ = gate.Send(r.Conn(), time.Now(), []byte(answer), nil)
		_, _ = r.Read(make([]byte, 1)) // the browser has closed its sending half
		_, _ = r.Conn().Write([]byte("0\r\n\r\n"))
		return false
	})
	for name, framing := range map[string]string{"length": "Content-Length: 3", "chunks": "Transfer-Encoding: chunked"} {
		got := talk(t, s, "POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"+framing+"\r\n\r\n")
		if want := answer + "0\r\n\r\n"; got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

// TestNoInvitationBehindInterrupt: whoever wants no more of a body invites nobody to send it.
func TestNoInvitationBehindInterrupt(t *testing.T) {
	s := serving(t, patient, func(r *gate.Request) bool {
		r.Interrupt()
		_, err := r.Read(make([]byte, 1))
		if err == nil {
			t.Error("a body that nobody wants was read")
		}
		_ = gate.Send(r.Conn(), time.Now(), []byte("refused"), nil)
		return false
	})
	if got := talk(t, s, "POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n"); got != "refused" {
		t.Errorf("%q", got)
	}
}
