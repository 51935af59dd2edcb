package suite

import (
	"net/http"
	"time"

	"coatcheck/bff/conformance/browser"
	"coatcheck/bff/conformance/world"
)

// Lives is how long sessions of a subject live. What is 0 has no such end there.
type Lives struct {
	// Idle ends a session that makes no call, Most one whatever it does.
	Idle, Most time.Duration
	// Slack is how much later an end may come.
	Slack time.Duration
}

// Short starts a product a second time, in a world of its own, with sessions that end
// within seconds. One of the ends is near, as ending says; the other is far.
type Short func(ending Ending) (*world.World, *Subject, error)

// Ending is which end of a session is near.
type Ending int

// Ends of sessions.
const (
	ByIdleness Ending = iota
	ByAge
)

// Brief is the case's view of a subject whose sessions end soon. It skips where they
// have no such end.
func Brief(t *T, ending Ending) *T {
	if t.S.Short == nil {
		t.Skip("its sessions cannot be made short in this configuration")
	}
	w, s, err := t.S.Short(ending)
	if err != nil {
		t.Stuck("with short sessions it does not start: %v", err)
	}
	if ending == ByIdleness && s.Idle == 0 || ending == ByAge && s.Most == 0 {
		t.Skip("its documentation names no such end")
	}
	brief := &T{W: w, S: s}
	t.After(func() { finish(brief) })
	return brief
}

// SignInWithin is [T.SignIn] while a session lives no longer than life: a machine that is
// busy may need more than one try.
func SignInWithin(t *T, b *browser.Browser, life time.Duration) *Tab {
	for range 9 {
		begun := time.Now()
		tab := t.Enter(b, t.S.Frontend, world.Ada)
		if tab.Works() {
			return tab
		}
		if time.Since(begun) < life && tab.SignIn.Status != http.StatusServiceUnavailable {
			break
		}
	}
	t.Stuck("sign-in did not lead to calls with her token")
	return nil
}

func finish(t *T) {
	for i := len(t.undo) - 1; i >= 0; i-- {
		t.undo[i]()
	}
}

// Renewals is whoever renews a subject's tokens in a case.
func Renewals(t *T) world.Renewals {
	if t.S.Form == nil {
		return t.W.IdP
	}
	return t.W.API
}
