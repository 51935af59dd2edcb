package main

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"

	"coatcheck/bff/rig"
)

// storeKey is where the record of p lies (package session, "What is in the store").
func (p *person) storeKey() string {
	sum := sha256.Sum256([]byte("coatcheck/v1/key" + p.ticket()))
	return "coatcheck:s:{" + hex.EncodeToString(sum[:]) + "}"
}

// TestRecords: what is in Redis is changed behind the replicas' backs, by anything
// that may write there. Nobody gets another person's data for it, and a record of a
// newer version is left for the program that can read it.
func TestRecords(t *testing.T) {
	t.Parallel()
	addr := rig.Redis(t)
	f := newFleet(t, addr, "")
	bob := f.signIn(f.replicas[0], "bob")
	bobs, _ := rig.RedisDo(t, addr, "GET", bob.storeKey()).(string)
	flip := func(at int) func(string) string {
		return func(v string) string {
			if at < 0 {
				at += len(v)
			}
			return v[:at] + string([]byte{v[at] ^ 1}) + v[at+1:]
		}
	}
	for _, row := range []struct {
		name   string
		change func(string) string
		status int
		kept   bool
	}{
		{"sealed part corrupted", flip(-20), 401, false},
		{"generation changed", flip(27), 401, false},
		{"stamp no number", func(v string) string { return "x" + v[1:] }, 401, false},
		{"truncated", func(v string) string { return v[:len(v)/2] }, 401, false},
		{"cut to the stamp", func(v string) string { return v[:13] }, 401, false},
		{"empty of sense", func(string) string { return "nonsense" }, 401, false},
		{"another person's, moved", func(string) string { return bobs }, 401, false},
		{"of a newer version", func(v string) string { return v[:15] + "\x02" + v[16:] }, 503, true},
		{"under an unknown key", flip(17), 401, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := f.signIn(f.replicas[0], "ada")
			key := p.storeKey()
			value, _ := rig.RedisDo(t, addr, "GET", key).(string)
			if len(value) < 40 {
				t.Fatal("no record")
			}
			changed := row.change(value)
			rig.RedisDo(t, addr, "SET", key, changed, "KEEPTTL")
			call := f.whoami
			if row.status == 503 {
				call = func(r *replica, p *person) reply { return f.get(r, "/api/whoami", p) }
			}
			a := call(f.replicas[1], p) // it has not seen p before
			if a.status != row.status {
				t.Errorf("%s", a)
			}
			if row.status == 503 && (a.header.Get("Retry-After") == "" || a.header.Get("Set-Cookie") != "") {
				t.Errorf("no Retry-After, or the cookie was touched: %v", a.header)
			}
			left, _ := rig.RedisDo(t, addr, "GET", key).(string)
			if row.kept != (left == changed) || !row.kept && left != "" {
				t.Errorf("of %d bytes %d are left", len(changed), len(left))
			}
			if !row.kept {
				return
			}
			rig.RedisDo(t, addr, "SET", key, value, "KEEPTTL")
			rig.Until(t, "the session as it was", func() bool { return f.get(f.replicas[1], "/api/whoami", p).body == "ada" })
		})
	}
	f.succeeds(f.replicas[1], bob)
	rig.Until(t, "a security event", func() bool { return strings.Contains(f.replicas[1].Log.String(), "record_corrupt") })
}

// TestRecordEvicted: Redis threw a record out. The session is over, at the latest
// when the near cache has forgotten it; the person can sign in again.
func TestRecordEvicted(t *testing.T) {
	t.Parallel()
	addr := rig.Redis(t)
	f := newFleet(t, addr, "")
	p := f.signIn(f.replicas[0], "ada")
	rig.RedisDo(t, addr, "DEL", p.storeKey())
	for _, r := range f.replicas {
		rig.Until(t, "the end", func() bool { return f.get(r, "/api/whoami", p).status == 401 })
	}
	p = f.signIn(f.replicas[0], "ada")
	if a := f.served(func() reply { return f.get(f.replicas[1], "/bff/sessions", p) }); a.status != 200 || strings.Count(a.body, `"id"`) != 1 {
		t.Errorf("the list has not healed: %s", a)
	}
}

// TestEveryKeyEnds: nothing that we put into Redis stays forever.
func TestEveryKeyEnds(t *testing.T) {
	t.Parallel()
	addr := rig.Redis(t)
	f := newFleet(t, addr, "")
	p := f.signIn(f.replicas[0], "ada")
	f.signOut(f.replicas[0], f.signIn(f.replicas[1], "bob"))
	f.succeeds(f.replicas[0], p)
	f.succeeds(f.replicas[0], f.expired(1)[0])
	keys, _ := rig.RedisDo(t, addr, "KEYS", "*").([]any)
	if len(keys) < 5 {
		t.Errorf("only %d keys", len(keys))
	}
	for _, key := range keys {
		name, _ := key.(string)
		const ended = -2 // meanwhile
		if ttl, _ := rig.RedisDo(t, addr, "PTTL", name).(int64); ttl <= 0 && ttl != ended || !strings.HasPrefix(name, "coatcheck:") {
			t.Errorf("%.14s… ends in %d ms", name, ttl)
		}
	}
}
