package session_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"coatcheck/bff/credential"
	"coatcheck/bff/session"
	"coatcheck/bff/session/ticket"
)

// What went in at sign-in comes out at every replica.
func TestSessionComesBackWhole(t *testing.T) {
	eachStore(t, func(t *testing.T, p *place) {
		m, other := p.manager(), p.manager()
		in := ann("shop")
		expires := time.Now().Add(time.Hour).Truncate(time.Millisecond)
		in.Credential = credential.New(map[string]credential.Secret{
			credential.AccessToken: credential.NewSecret("eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"),
			"plain":                credential.NewSecret("not base64url: ü"),
			"odd":                  credential.NewSecret("a.b..c"),
		}, expires, expires.Add(time.Hour))
		ticket, made := start(t, m, in)
		for _, replica := range []*session.Manager{m, other} {
			s := find(t, replica, ticket)
			if s.ID != made.ID || s.Subject != in.Subject || !bytes.Equal(s.User, in.User) || s.Generation != 1 {
				t.Fatalf("got %+v of %q, generation %d", s.ID, s.Subject, s.Generation)
			}
			if !s.Credential.Expires.Equal(expires) || !s.Credential.RefreshExpires.Equal(expires.Add(time.Hour)) {
				t.Fatalf("ends: got %v and %v", s.Credential.Expires, s.Credential.RefreshExpires)
			}
			for name, value := range in.Credential.Values() {
				if got := s.Credential.Value(name); got.Reveal() != value.Reveal() {
					t.Errorf("value %s changed", name)
				}
			}
			if left := replica.Left(s); (left - 2*time.Hour).Abs() > time.Minute {
				t.Errorf("left: %v", left)
			}
			if left := replica.IdleLeft(s); left > 30*time.Minute || left < 29*time.Minute {
				t.Errorf("idle left: %v", left)
			}
		}
	})
}

func TestEndReturnsWhatItEnded(t *testing.T) {
	eachStore(t, func(t *testing.T, p *place) {
		m, other := p.manager(), p.manager()
		ticket, _ := start(t, m, ann("shop"))
		ended, err := m.End(context.Background(), "shop", ticket, session.SignedOut)
		if err != nil || ended == nil || ended.Credential.Value(credential.RefreshToken).Reveal() != "refresh-1" {
			t.Fatalf("end: %v, %v", ended, err)
		}
		dead(t, m, "shop", ticket, session.SignedOut)
		dead(t, other, "shop", ticket, session.SignedOut)
		again, err := other.End(context.Background(), "shop", ticket, session.SignedOut)
		if again != nil || err != nil {
			t.Fatalf("ending it twice: %v, %v", again, err)
		}
	})
}

func TestTicketForm(t *testing.T) {
	good := strings.Repeat("A", 42) + "A"
	cases := map[string]bool{
		good: true, good[:42] + "E": true, strings.Repeat("_", 42) + "w": true, strings.Repeat("-", 42) + "8": true,
		"": false, good[:42]: false, good + "A": false, good[:42] + "=": false,
		good[:42] + "B": false, // trailing bits: a second spelling of the same bytes
		good[:42] + "+": false, good[:42] + "/": false, good[:42] + "\n": false, good[:41] + "\r\n": false,
		`"` + good[:41] + `"`: false, good[:42] + "\x00": false,
	}
	for text, want := range cases {
		if _, ok := ticket.Parse([]byte(text)); ok != want {
			t.Errorf("%q: got %v", text, ok)
		}
	}
}

func TestTicketPrintsNothing(t *testing.T) {
	text := "LEAK" + strings.Repeat("A", 39)
	ticket, ok := ticket.Parse([]byte(text))
	if !ok {
		t.Fatal("ticket refused")
	}
	inside := struct{ t session.Ticket }{ticket}
	out := fmt.Sprintf("%v %+v %#v %s %q %x %d %v %+v %#v", ticket, ticket, ticket, ticket, ticket, ticket, ticket, inside, &inside, inside)
	b, err := json.Marshal(map[string]any{"t": ticket})
	if err != nil || strings.Contains(out+string(b), "LEAK") || strings.Contains(strings.ToUpper(out), "4C45414B") {
		t.Fatalf("printed: %s %s", out, b)
	}
	if ticket.Reveal() != text {
		t.Fatal("reveal")
	}
}

func FuzzParseTicket(f *testing.F) {
	f.Add([]byte(strings.Repeat("A", 43)))
	f.Add([]byte(strings.Repeat("A", 42) + "\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		ticket, ok := ticket.Parse(b)
		if ok != oneSpelling(b) {
			t.Fatalf("%q: got %v", b, ok)
		}
		if ok && ticket.Reveal() != string(b) {
			t.Fatalf("%q became %q", b, ticket.Reveal())
		}
	})
}

// oneSpelling says in another way what a ticket is: 43 letters of the alphabet, the
// last of which carries four bits, so its value is a multiple of four.
func oneSpelling(b []byte) bool {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	if len(b) != 43 {
		return false
	}
	for _, c := range b {
		if strings.IndexByte(alphabet, c) < 0 {
			return false
		}
	}
	return strings.IndexByte(alphabet, b[42])%4 == 0
}
