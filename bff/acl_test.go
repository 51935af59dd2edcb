package main

import (
	"os"
	"strings"
	"testing"

	"coatcheck/bff/rig"
)

// TestLeastPrivilege runs a life of a session as the Redis user that docs/redis.md
// tells operators to make, with exactly the rules that stand there.
func TestLeastPrivilege(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../docs/redis.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rules, ok := strings.Cut(string(text), "<!-- test:acl -->\n```\n")
	rules, _, closed := strings.Cut(rules, "\n```")
	if !ok || !closed {
		t.Fatal("docs/redis.md has no rules")
	}
	addr := rig.Redis(t)
	rig.RedisDo(t, addr, strings.Fields(rules)...)
	f := &fleet{T: t, api: newFleetAPI(t), replicas: []*replica{{}, {}}, text: programsText()}
	f.launch(func(*replica) string { return "redis://coatcheck:PASSWORD@" + addr + "/0" })
	f.life()
	provoked{f}.programs(seen{}, f.replicas[0])
	if log, _ := rig.RedisDo(t, addr, "ACL", "LOG").([]any); len(log) != 0 {
		t.Errorf("refused by Redis: %v", log)
	}
	if _, err := rig.TryRedis(addr, "PING"); err != nil {
		t.Error(err)
	}
}

// life is what people do: sign in, call, renew, list, end others, sign out, mistype.
func (f *fleet) life() {
	f.Helper()
	for _, p := range f.expired(2) {
		for _, r := range f.replicas {
			f.succeeds(r, p)
		}
	}
	p, other := f.signIn(f.replicas[0], "ada"), f.signIn(f.replicas[1], "ada")
	if a := f.served(func() reply { return f.get(f.replicas[1], "/bff/sessions", p) }); a.status != 200 || strings.Count(a.body, `"id"`) != 2 {
		f.Errorf("list: %s", a)
	}
	if a := f.served(func() reply { return f.ask(f.replicas[0], "POST", "/bff/session", "", p) }); a.status != 200 {
		f.Errorf("extend: %s", a)
	}
	if a := f.served(func() reply { return f.ask(f.replicas[0], "DELETE", "/bff/sessions", "", p) }); a.status/100 != 2 {
		f.Errorf("end others: %s", a)
	}
	rig.Until(f.T, "the other's end", func() bool { return f.get(f.replicas[1], "/api/whoami", other).status == 401 })
	f.signOut(f.replicas[0], p)
	if a := f.whoami(f.replicas[0], p); a.status != 401 {
		f.Errorf("afterwards: %s", a)
	}
}
