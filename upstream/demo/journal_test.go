package demo_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"coatcheck/upstream/demo"

	"github.com/coder/websocket"
)

type noted struct {
	N            int
	Kind, Path   string
	Token        string
	Good, Cookie bool
}

func (a running) journal(token, after string) []noted {
	a.t.Helper()
	var got struct{ Entries []noted }
	if answer := a.get("/api/journal?after="+after, token); json.Unmarshal(answer.body, &got) != nil || answer.status != http.StatusOK {
		a.t.Fatalf("%d %s", answer.status, answer.body)
	}
	return got.Entries
}

// TestJournal: what is drawn of a refresh is what happened here.
func TestJournal(t *testing.T) {
	api := start(t, demo.Options{})
	in, other := api.signIn("ada@shop.example"), api.signIn("hedy@admin.example")
	old := in.text("access_token")
	api.send("POST", "/api/expire", old, "", "")
	api.get("/api/me", old)
	next := api.renew(in.text("refresh_token"))
	token := next.text("access_token")
	api.send("GET", "/api/me", token, "", "", "Cookie", "a=b")
	api.get("/api/me", other.text("access_token"))
	want := []noted{
		{1, "sign-in", "/auth/login", "", true, false},
		{2, "call", "/api/expire", "", true, false},
		{3, "call", "/api/me", "", false, false},
		{4, "refresh", "/auth/refresh", "", true, false},
		{5, "call", "/api/me", "", true, true},
	}
	got := api.journal(token, "0")
	if len(got) != len(want) {
		t.Fatalf("%d entries: %+v", len(got), got)
	}
	if got[0].Token == got[4].Token || got[3].Token != got[4].Token || got[2].Token != got[0].Token {
		t.Errorf("fingerprints: %+v", got)
	}
	for i := range got {
		if strings.Contains(token, got[i].Token) {
			t.Errorf("the journal shows a part of the token: %s", got[i].Token)
		}
		if got[i].Token = ""; got[i] != want[i] {
			t.Errorf("%+v, want %+v", got[i], want[i])
		}
	}
	if later := api.journal(token, "4"); len(later) != 1 || later[0].N != 5 {
		t.Errorf("after 4: %+v", later)
	}
	if dead := api.get("/api/journal", old); dead.status != http.StatusUnauthorized {
		t.Errorf("with a dead token: %d", dead.status)
	}
}

func TestJournalIsBounded(t *testing.T) {
	api := start(t, demo.Options{})
	token := api.signIn("ada@shop.example").text("access_token")
	for range 150 {
		api.get("/api/me", token)
	}
	if got := api.journal(token, "0"); len(got) != 128 || got[127].N != 151 {
		t.Errorf("%d entries, the last %+v", len(got), got[len(got)-1])
	}
}

func TestSocketSaysItAgain(t *testing.T) {
	api := start(t, demo.Options{})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	address := strings.Replace(api.url, "http", "ws", 1) + "/api/socket"
	if _, answer, err := websocket.Dial(ctx, address, nil); err == nil || answer == nil || answer.StatusCode != http.StatusUnauthorized {
		t.Fatalf("without a token: %v %v", answer, err)
	}
	header := http.Header{"Authorization": {"Bearer " + api.signIn("ada@shop.example").text("access_token")}}
	c, _, err := websocket.Dial(ctx, address, &websocket.DialOptions{HTTPHeader: header})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.CloseNow() }()
	for _, said := range []string{"one", strings.Repeat("x", 4096)} {
		if err := c.Write(ctx, websocket.MessageText, []byte(said)); err != nil {
			t.Fatal(err)
		}
		if _, heard, err := c.Read(ctx); err != nil || string(heard) != said {
			t.Fatalf("heard %d bytes of %d: %v", len(heard), len(said), err)
		}
	}
	if err := c.Write(ctx, websocket.MessageText, make([]byte, 4097)); err != nil {
		t.Fatal(err)
	}
	if _, _, err := c.Read(ctx); websocket.CloseStatus(err) != websocket.StatusMessageTooBig {
		t.Errorf("after too long a message: %v", err)
	}
}

func TestRevoke(t *testing.T) {
	var told []string
	api := start(t, demo.Options{Revoke: func(_ context.Context, p demo.Person) error {
		told = append(told, p.ID)
		return nil
	}})
	if got := api.send("POST", "/api/revoke", api.signIn("ada@shop.example").text("access_token"), "", ""); got.status != http.StatusNoContent {
		t.Errorf("%d %s", got.status, got.body)
	}
	if len(told) != 1 || told[0] != "p-1001" {
		t.Errorf("told of %v", told)
	}
	none := start(t, demo.Options{})
	if got := none.send("POST", "/api/revoke", none.signIn("ada@shop.example").text("access_token"), "", ""); got.status != http.StatusNotFound {
		t.Errorf("nobody to tell: %d", got.status)
	}
}
