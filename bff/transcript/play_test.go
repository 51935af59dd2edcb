package transcript_test

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// play is one run of a scenario: a process, its API, its store, and what was said.
type play struct {
	t       *testing.T
	program *program
	api     *api
	other   *api   // a second API
	store   *store // nil: in memory
	client  *browser
	open    []*browser
	awaited int // calls of the API's that the next flush waits for
	script

	lines    int          // of the log, shown so far
	apiCalls map[*api]int // shown so far
	exit     int          // expected exit code
	ended    bool
}

// script is what is written down of a play, and the words that requests of it may use.
type script struct {
	blocks []block
	words  map[string]string // {name} in requests and answers
	loose  []string
}

// block is a part of the transcript. A heading has no text.
type block struct {
	kind    kind
	heading string
	text    string
}

func run(t *testing.T, s scenario, storeKind string) string {
	p := &play{t: t, api: newAPI(t), other: newAPI(t), apiCalls: map[*api]int{}, script: script{words: map[string]string{}, loose: s.loose}}
	p.api.expand, p.other.expand = p.expand, p.expand
	p.words["{api}"], p.words["{other}"] = p.api.Addr().String(), p.other.Addr().String()
	url := "memory://"
	if storeKind == redis {
		p.store = newStore(t)
		url = p.store.url()
	}
	p.program = serve(t, s.config, "STORE="+url, "KEY="+newKey(), "API=http://"+p.words["{api}"],
		"OTHER=http://"+p.words["{other}"], "NOBODY=http://"+refusing(t), "PAGES="+pages(t))
	p.client = p.dial(p.program.public)
	s.play(p)
	p.flush(0)
	for _, c := range p.open {
		_ = c.Close() // or the end would wait for its last call
	}
	if !p.ended {
		if got := p.program.end(); got != p.exit {
			t.Errorf("exit code %d:\n%s", got, strings.Join(p.program.log(), "\n"))
		}
	}
	p.afterwards(s.events)
	return p.transcript(s.about)
}

func newKey() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails
	return base64.StdEncoding.EncodeToString(b)
}

// pages are the files of an application, as old as their validators in the golden
// files say.
func pages(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("testdata/pages")); err != nil {
		t.Fatal(err)
	}
	changed := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	err := filepath.WalkDir(dir, func(file string, _ os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Chtimes(file, changed, changed)
	})
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// call sends a request on the kept connection, reads the answer, and writes both, with
// all that happened between them, into the transcript.
func (p *play) call(title, text string) *message {
	p.t.Helper()
	return p.exchange(title, wire(text))
}

// exchange is call for requests whose bytes matter.
func (p *play) exchange(title, raw string) *message {
	p.t.Helper()
	p.begin(title)
	c := p.ready()
	c.send(raw)
	m := c.read()
	p.flush(1)
	return m
}

// repeat sends a request again and again until the answer has this status; only the
// last time is in the transcript.
func (p *play) repeat(title, text, status string) {
	p.t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		before := len(p.blocks)
		if p.call(title, text).status() == status {
			return
		}
		p.blocks = p.blocks[:before]
	}
	p.t.Fatalf("waited in vain for %s\n%s", status, p.transcriptSoFar())
}

// ready is the kept connection, or another where that one ended.
func (p *play) ready() *browser {
	p.t.Helper()
	if p.client.over {
		p.client = p.dial(p.program.public)
	}
	return p.client
}

// admin sends a request to the admin listener, which logs no calls.
func (p *play) admin(title, text string) *message {
	p.t.Helper()
	p.begin(title)
	c := p.dial(p.program.admin)
	c.send(wire(text))
	m := c.read()
	_ = c.Close()
	return m
}

func (s *script) begin(title string) { s.blocks = append(s.blocks, block{heading: title}) }

// add puts a block into the transcript, or onto the end of one of the same kind.
func (s *script) add(k kind, text string) {
	if n := len(s.blocks); n > 0 && s.blocks[n-1].kind == k && s.blocks[n-1].heading == "" {
		s.blocks[n-1].text += text
		return
	}
	s.blocks = append(s.blocks, block{kind: k, text: text})
}

// note is a remark of the test's.
func (s *script) note(format string, args ...any) {
	s.blocks = append(s.blocks, block{kind: said, text: fmt.Sprintf(format, args...)})
}

// flush writes down what the API received since the last flush, and lines of the
// access log, which it waits for.
func (p *play) flush(lines int) {
	p.t.Helper()
	if p.awaited > 0 {
		p.sees(p.api, p.awaited)
		p.awaited = 0
	}
	p.apis()
	if lines > 0 {
		p.logged(lines)
	}
}

// awaits makes the next flush wait for so many calls at the API: an answer to a
// sign-out does not wait without end until the API was told.
func (p *play) awaits(n int) { p.awaited = n }

// sees waits until the API received so many calls since the last flush.
func (p *play) sees(a *api, n int) {
	p.t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		a.mu.Lock()
		have := len(a.calls) - p.apiCalls[a]
		a.mu.Unlock()
		if have >= n {
			return
		}
		if time.Now().After(end) {
			p.t.Fatalf("the API received %d calls, not %d\n%s", have, n, p.transcriptSoFar())
		}
	}
}

// apis puts the APIs' blocks in front of the answer that came of them.
func (p *play) apis() {
	p.t.Helper()
	var blocks []block
	for _, a := range []*api{p.api, p.other} {
		a.mu.Lock()
		calls := a.calls[p.apiCalls[a]:]
		p.apiCalls[a] = len(a.calls)
		a.mu.Unlock()
		for _, c := range calls {
			select {
			case <-c.done:
			case <-time.After(patience):
				p.t.Fatalf("the API is still at work on %q", c.head)
			}
			if c.hidden {
				continue
			}
			blocks = append(blocks, block{kind: asked, text: c.String()})
			if c.cut != "" {
				blocks = append(blocks, block{kind: said, text: c.cut})
			}
			if c.answer != "" {
				blocks = append(blocks, block{kind: answered, text: c.answer})
			} else {
				blocks = append(blocks, block{kind: said, text: "the API does not answer"})
			}
		}
	}
	at := len(p.blocks)
	for at > 0 && p.blocks[at-1].heading == "" && (p.blocks[at-1].kind == received || p.blocks[at-1].kind == said) {
		at--
	}
	p.blocks = append(p.blocks[:at], append(blocks, p.blocks[at:]...)...)
}

// logged waits for access lines and puts them into the transcript.
func (p *play) logged(n int) {
	p.t.Helper()
	var found []string
	p.program.until(fmt.Sprintf("%d more access lines", n), func(lines []string) bool {
		found = withMessage(lines, "call", "refused")
		return len(found) >= p.lines+n
	})
	found = slices.Clone(found[p.lines : p.lines+n])
	slices.SortStableFunc(found, func(a, b string) int { return strings.Compare(called(a), called(b)) })
	for _, line := range found {
		p.add(logged, line+"\r\n")
	}
	p.lines += n
}

// called is what orders lines of calls that ran at once: method and path.
func called(line string) string {
	_, rest, _ := strings.Cut(line, `"method"`)
	rest, _, _ = strings.Cut(rest, `"status"`)
	return rest
}

func withMessage(lines []string, messages ...string) (found []string) {
	for _, line := range lines {
		var l struct{ Msg string }
		_ = json.Unmarshal([]byte(line), &l) // a line that is no JSON has no message
		for _, m := range messages {
			if l.Msg == m {
				found = append(found, line)
			}
		}
	}
	return found
}

// afterwards writes down what came later than anybody waited for, so that nothing is
// lost; and the events.
func (p *play) afterwards(events bool) {
	before := len(p.blocks)
	p.apis()
	for _, line := range withMessage(p.program.log(), "call", "refused")[p.lines:] {
		p.add(logged, line+"\r\n")
	}
	if late := len(p.blocks) - before; late > 0 {
		p.blocks = append(p.blocks[:before], append([]block{{heading: "afterwards"}}, p.blocks[before:]...)...)
	}
	if events {
		p.begin("security events")
		for _, line := range withMessage(p.program.log(), "security") {
			p.add(logged, line+"\r\n")
		}
	}
}

// learn keeps what later requests say: cookies by their name, and the session's id.
func (s *script) learn(m *message) {
	for line := range strings.SplitSeq(m.head, "\r\n") {
		if value, ok := strings.CutPrefix(line, "Set-Cookie: "); ok {
			pair, _, _ := strings.Cut(value, ";")
			if name, ticket, _ := strings.Cut(pair, "="); ticket != "" {
				s.words["{"+name+"}"] = pair
			}
		}
	}
	var doc struct{ ID string }
	if json.Unmarshal([]byte(m.body.String()), &doc) == nil && doc.ID != "" {
		s.words["{id}"] = doc.ID
	}
}

// keep gives a word a second name, before it changes its meaning.
func (s *script) keep(word, as string) { s.words["{"+as+"}"] = s.words["{"+word+"}"] }

func (s *script) expand(text string) string {
	for name, value := range s.words {
		text = strings.ReplaceAll(text, name, value)
	}
	return text
}

// addresses are sockets' addresses, by the names that stand for them.
func (p *play) addresses() *strings.Replacer {
	list := []string{p.words["{api}"], "<api>", p.words["{other}"], "<other-api>",
		p.program.public, "<public>", p.program.admin, "<admin>"}
	return strings.NewReplacer(list...)
}

var labels = map[kind]string{sent: "browser sends", received: "browser receives", asked: "API receives",
	answered: "API answers", logged: "log", said: "note"}

func (p *play) transcript(about string) string {
	var out strings.Builder
	out.WriteString("# " + about + "\n")
	names, addresses := newNames(p.loose), p.addresses()
	for _, b := range p.blocks {
		if b.heading != "" {
			fmt.Fprintf(&out, "\n=== %s\n", b.heading)
			continue
		}
		text := names.replace(b.kind, addresses.Replace(b.text))
		if b.kind == said {
			fmt.Fprintf(&out, "--- (%s)\n", text)
			continue
		}
		fmt.Fprintf(&out, "--- %s\n%s", labels[b.kind], show(text))
	}
	return out.String()
}

func (p *play) transcriptSoFar() string {
	return p.transcript("so far") + "\nlog:\n" + strings.Join(p.program.log(), "\n")
}
