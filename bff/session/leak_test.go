package session_test

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"coatcheck/bff/credential"
	"coatcheck/bff/session"
	"coatcheck/bff/session/store/open"
)

// The fear: what must stay secret stands in the store, in a log line or in an
// error. Everything goes through here once with marked secrets.
func TestNothingLeaks(t *testing.T) {
	s := startServer(t)
	p := redisPlace(t, s)
	ctx := context.Background()
	var out logged
	m := p.manager(func(o *session.Options) { o.Log, o.NearCache = out.Logger(), time.Second })
	stranger := p.manager(keys(keyC), func(o *session.Options) { o.Log = out.Logger() })
	raw := s.raw()
	defer raw.Close()
	messages := raw.PSubscribe(ctx, "*")
	defer messages.Close()
	if _, err := messages.Receive(ctx); err != nil {
		t.Fatal(err)
	}

	marks := []string{"LEAKaccess", "LEAKrefresh", "LEAKagain", "leak@example.com", "LEAKuser", "LEAKagent"}
	in := session.Start{
		Frontend: "shop", Subject: "leak@example.com", User: []byte(`{"name":"LEAKuser"}`), RefreshAble: true,
		Credential: tokens("LEAKaccess", "LEAKrefresh"), UserAgent: "LEAKagent", Address: "198.51.100.77",
	}
	ticket, made := start(t, m, in)
	second, _ := start(t, m, in)
	marks = append(marks, ticket.Reveal(), second.Reveal(), keyA.Reveal(), "198.51.100.77")
	say := func(what string, values ...any) { fmt.Fprintf(&out, "%s %v %+v\n", what, values, values) }

	stop := m.Watch(second, func(session.Reason) {})
	defer stop()
	_, err := m.Find(ctx, "admin", ticket)
	say("another frontend", err)
	_, err = stranger.Find(ctx, "shop", ticket)
	say("unknown key", err)
	renewed, err := m.Refresh(ctx, made, ticket, time.Minute, func(context.Context, *credential.Credential) (*credential.Credential, error) {
		return tokens("LEAKagain", "LEAKrefresh"), nil
	})
	say("refresh", err, renewed, *renewed, made.Credential, made.LogID)
	_, err = m.Refresh(ctx, renewed, ticket, time.Minute, func(context.Context, *credential.Credential) (*credential.Credential, error) {
		return nil, errors.New("unreachable")
	})
	say("failed refresh", err)
	attempt, err := throttleOf(m).Attempt(ctx, "shop", "leak@example.com", netip.MustParseAddr("198.51.100.77"), tenOf5m)
	say("attempt", err)
	say("succeeded", attempt.Succeeded(ctx))
	_, err = throttleOf(m).Attempt(ctx, "shop", "leak@example.com", netip.MustParseAddr("198.51.100.77"), tenOf5m)
	say("attempt", err)
	say("dump before", dump(t, raw))

	corrupt, _ := start(t, m, in)
	marks = append(marks, corrupt.Reveal())
	raw.Set(ctx, storeKey(corrupt), "LEAK", time.Hour)
	_, err = stranger.Find(ctx, "shop", corrupt)
	say("corrupt", err)
	say("end one", m.EndOne(ctx, "shop", in.Subject, "no such id"))
	_, err = m.EndOthers(ctx, made)
	say("end others", err)
	ended, err := m.End(ctx, "shop", ticket, session.SignedOut)
	say("end", err, ended)
	say("dump after", dump(t, raw))
	say("messages", heardSoFar(t, raw, messages))

	s.Kill()
	_, err = m.Find(ctx, "shop", second)
	say("away", err, m.Ping(ctx))
	for _, url := range []string{"redis://u:LEAKaccess@h:x/", "redis://u:LEAKaccess@h/?LEAKaccess=1", "bad://LEAKaccess", "redis://u:LEAKaccess%zz@h"} {
		say("url", open.Check(credential.NewSecret(url)))
	}
	searchMarks(t, out.String(), marks)
}

// searchMarks looks for each mark as it is, in base64 and in hex.
func searchMarks(t *testing.T, out string, marks []string) {
	t.Helper()
	if !strings.Contains(out, "dump after") || !strings.Contains(out, "messages") {
		t.Fatal("the text to search is incomplete")
	}
	for _, mark := range marks {
		// Inside a longer text base64 of the mark depends on where it begins.
		forms := []string{mark, hex.EncodeToString([]byte(mark))}
		for shift := range 3 {
			encoded := base64.RawStdEncoding.EncodeToString([]byte(strings.Repeat("x", shift) + mark))
			forms = append(forms, encoded[min(4, len(encoded)):len(encoded)-2])
		}
		for _, form := range forms {
			if strings.Contains(strings.ToLower(out), strings.ToLower(form)) && len(form) > 6 {
				t.Errorf("%q stands in the output as %q", mark, form)
			}
		}
	}
}

// dump is everything in Redis, keys and values; each key has a time to live.
func dump(t *testing.T, raw *redis.Client) string {
	t.Helper()
	ctx := context.Background()
	var b strings.Builder
	names := raw.Keys(ctx, "*").Val()
	if len(names) == 0 {
		t.Fatal("redis is empty")
	}
	for _, name := range names {
		if raw.PTTL(ctx, name).Val() <= 0 {
			t.Errorf("no time to live: %s", name)
		}
		fmt.Fprintf(&b, "%s %s %s %s %s %s\n", name, raw.Get(ctx, name).Val(), raw.HGetAll(ctx, name).Val(),
			raw.ZRange(ctx, name, 0, -1).Val(), raw.Dump(ctx, name).Val(), raw.Type(ctx, name).Val())
	}
	return b.String()
}

// heardSoFar is all that was published until now: messages keep their order, so the
// one that is sent here is the last.
func heardSoFar(t *testing.T, raw *redis.Client, sub *redis.PubSub) string {
	t.Helper()
	ctx := context.Background()
	if err := raw.Publish(ctx, "the end", "").Err(); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for {
		message, err := sub.ReceiveMessage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if message.Channel == "the end" {
			return b.String()
		}
		fmt.Fprintln(&b, message)
	}
}
