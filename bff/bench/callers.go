//go:build linux

package main

import (
	"context"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// What programs prove themselves by in this run; it opens nothing elsewhere.
const (
	callerKey    = "bench-key-of-a-program-that-reads"
	callerSecret = "bench-secret-of-a-program-that-posts"
)

// callerSeed makes the pair of keys by which a program signs.
var callerSeed = ed25519.NewKeyFromSeed([]byte("bench-seed-of-a-program-of-bytes"))

// caller is somebody who calls: a person, or a program with its proof. All call one
// Coatcheck, in interleaved rounds, so that their ratios say what a proof costs.
type caller struct {
	name, title, beside string
	most                float64 // of the ratio; 0: no goal
	path                string
	prove               func(b *bench, r row) (script string, err error)
}

var callers = []caller{
	{name: "session", title: "a session, GET", path: "/api/items", prove: inSession("")},
	{name: "key", title: "an API key, GET", beside: "session", most: 1.05, path: "/keys/items", prove: key},
	{name: "session-post", title: "a session, POST, 2 KiB", path: "/api/items", prove: inSession(posted)},
	{name: "hmac", title: "HMAC-SHA256, POST, 2 KiB", beside: "session-post", path: "/hmac/items", prove: signed(sumOf)},
	{name: "ed25519", title: "Ed25519, POST, 2 KiB", beside: "session-post", path: "/ed25519/items", prove: signed(signatureOf)},
}

// posted is the part of wrk's script that makes the call a POST.
var posted = "wrk.method = \"POST\"\nwrk.headers[\"Content-Type\"] = \"application/json\"\nwrk.headers[\"X-CSRF\"] = \"1\"\nwrk.body = \"" + event + "\"\n"

// event is what programs post: 2 KiB.
var event = strings.Repeat("x", 2048)

func header(name, value string) string { return fmt.Sprintf("wrk.headers[%q] = %q\n", name, value) }

func inSession(more string) func(*bench, row) (string, error) {
	return func(_ *bench, r row) (string, error) {
		return header("Host", r.host()) + header("Cookie", r.cookie) + more, nil
	}
}

func programsHost(r row) string { return "programs." + r.host() }

func key(_ *bench, r row) (string, error) {
	return header("Host", programsHost(r)) + header("X-Api-Key", callerKey), nil
}

func signed(sign func(text []byte) []byte) func(*bench, row) (string, error) {
	return func(_ *bench, r row) (string, error) {
		at := strconv.FormatInt(time.Now().Unix(), 10)
		return posted + header("Host", programsHost(r)) + header("X-At", at) + header("X-Signature", hex.EncodeToString(sign([]byte(at+"."+event)))), nil
	}
}

func sumOf(text []byte) []byte {
	mac := hmac.New(sha256.New, []byte(callerSecret))
	mac.Write(text)
	return mac.Sum(nil)
}

func signatureOf(text []byte) []byte { return ed25519.Sign(callerSeed, text) }

// callersConfig is what the programs need of the configuration, beside the people.
func callersConfig(text string) string {
	scheme := func(by, key string) string {
		return fmt.Sprintf(`{take: {at: {header: X-At}}, over: "{at}.{body}", by: %s, keys: [%q], proof: {header: X-Signature}, fresh: {at: 12h}}`, by, key)
	}
	hash := sha256.Sum256([]byte(callerKey))
	public := hex.EncodeToString(callerSeed.Public().(ed25519.PublicKey))
	text = strings.Replace(text, "    login:", "    accounts: {robot: {credential: {access_token: "+token+"}}}\n    login:", 1)
	return strings.Replace(text, "frontends:\n", fmt.Sprintf(`callers:
  key: {keys: ["sha256:%x"], account: robot}
  hmac: {account: robot, signature: %s}
  ed25519: {account: robot, signature: %s}
frontends:
  programs:
    host: programs.localhost
    routes:
      - {path: /keys/, upstream: api, rewrite: /api/, session: none, callers: [key]}
      - {path: /hmac/, upstream: api, rewrite: /api/, session: none, callers: [hmac]}
      - {path: /ed25519/, upstream: api, rewrite: /api/, session: none, callers: [ed25519]}
`, hash, scheme("hmac-sha256", callerSecret), strings.Replace(scheme("ed25519", public), "proof:", "key: {encoding: hex}, proof:", 1)), 1)
}

// doCallers is the table of what proofs cost.
func (b *bench) doCallers(ctx context.Context, t *report) error {
	running := len(b.processes)
	defer func() { b.stopLast(len(b.processes) - running) }()
	r, err := b.row("near", house{callers: true})
	if err != nil {
		return fmt.Errorf("callers: %w", err)
	}
	var all []variant
	for _, c := range callers {
		all = append(all, variant{c.name, r, c.call})
	}
	res, err := b.compare(ctx, all, b.rounds, b.length)
	if err != nil {
		return fmt.Errorf("callers: %w", err)
	}
	t.callers(b, res)
	return nil
}

// call lets wrk call with a fresh proof.
func (c *caller) call(ctx context.Context, b *bench, r row, length time.Duration) (measure, error) {
	script, err := c.prove(b, r)
	if err != nil {
		return measure{}, err
	}
	file := filepath.Join(b.dir, "caller.lua")
	if err := os.WriteFile(file, []byte(script), 0o600); err != nil {
		return measure{}, err
	}
	return r.spend(ctx, readWrk, "wrk", "-t1", "-c", strconv.Itoa(b.connections), "-d", seconds(length), "--latency", "-s", file, r.scheme+"://"+r.address+c.path)
}

func (t *report) callers(b *bench, res *result) {
	fmt.Fprintf(t, "%d rounds of %s, %d connections.\n\n", b.rounds, b.length, b.connections)
	fmt.Fprintf(t, "| who calls | CPU µs/call | calls/s | p50 | beside | ratio | rounds | goal |\n|---|---|---|---|---|---|---|---|\n")
	for _, c := range callers {
		seen := res.seen[c.name]
		last := seen[len(seen)-1]
		fmt.Fprintf(t, "| %s | %.1f | %.0f | %s |", c.title, res.median(c.name), median(seen, func(m measure) float64 { return m.rate }), last.p50)
		if middle, least, most, ok := res.ratio(c.name, c.beside); ok {
			fmt.Fprintf(t, " %s | %.2f | %.2f to %.2f | %s |\n", c.beside, middle, least, most, t.judge(middle, c.most))
			continue
		}
		fmt.Fprintln(t, " | | | |")
	}
	fmt.Fprintln(t)
}
