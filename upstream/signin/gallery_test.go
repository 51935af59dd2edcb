package signin_test

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"coatcheck/configs"
	"coatcheck/upstream/mapping"
)

var update = flag.Bool("update", false, "write docs/apis.md instead of comparing with it")

// exchanges are all recorded exchanges.
func exchanges(t *testing.T) []fixture {
	t.Helper()
	var all []fixture
	for _, file := range []string{"testdata/fixtures.yaml", "testdata/more.yaml", "testdata/gallery.yaml"} {
		all = append(all, readFixtures(t, file)...)
	}
	return all
}

// gallery are the names of all ready-made configurations.
func gallery(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("../../configs/apis/*.yaml")
	if err != nil || len(files) < 20 {
		t.Fatalf("%d files in configs/apis (%v)", len(files), err)
	}
	for i, file := range files {
		files[i] = strings.TrimSuffix(filepath.Base(file), ".yaml")
	}
	return files
}

// TestGalleryIsTried: no ready-made configuration says more than was tried.
func TestGalleryIsTried(t *testing.T) {
	all := exchanges(t)
	for _, name := range gallery(t) {
		c := readAPI(t, name)[name]
		if c == nil {
			t.Errorf("%s.yaml has no upstream of its name", name)
			continue
		}
		done := tried(all, name)
		for _, need := range needs(t, name, c) {
			if done[need] == 0 {
				t.Errorf("%s: not tried: %s", name, need)
			}
		}
	}
}

// needs are the kinds of exchanges that a mapping must be tried with.
func needs(t *testing.T, name string, c *configs.Upstream) []string {
	t.Helper()
	list := []string{"sign-in", "wrong password", "API at fault", "throttled"}
	answers := c.Login.Answers
	for step, s := range c.Login.Steps {
		list = append(list, "step "+step)
		if len(s.Fields) > 0 {
			list = append(list, "step "+step+" taken", "step "+step+" refused")
		}
		answers = append(answers[:len(answers):len(answers)], *s.Answers...)
	}
	for _, a := range answers {
		if strings.HasPrefix(a.Means, "account_") || a.Means == "mfa_required" || a.Means == "password_expired" {
			list = append(list, a.Means)
		}
	}
	if text, _ := os.ReadFile("../../configs/apis/" + name + ".yaml"); strings.Contains(string(text), "{API_CLIENT_ID}") {
		list = append(list, "wrong client")
	}
	if c.Refresh != nil {
		list = append(list, "refresh", "refresh refused", "refresh throttled", "refresh, API at fault")
	}
	if c.Verify != nil {
		list = append(list, "verify: lives", "verify: dead", "verify: unknown")
	}
	if c.Logout != nil {
		list = append(list, "sign-out")
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// tried counts an API's exchanges by kind.
func tried(all []fixture, api string) map[string]int {
	done := map[string]int{}
	for _, f := range all {
		if f.text("api") == api {
			for _, kind := range kinds(f) {
				done[kind]++
			}
		}
	}
	return done
}

// kinds says what an exchange shows.
func kinds(f fixture) []string {
	then := f.text("then")
	switch f.text("do") {
	case "login":
		return loginKinds(f, then)
	case "continue":
		switch then {
		case "step":
			return []string{"step " + f.text("step") + " taken", "step " + f.text("next")}
		case "signed_in":
			return []string{"step " + f.text("step") + " taken"}
		case "mfa_required", "invalid_credentials":
			return []string{"step " + f.text("step") + " refused", then}
		}
		return []string{then}
	case "refresh":
		switch {
		case then == "refreshed":
			return []string{"refresh"}
		case then == "ended":
			return []string{"refresh refused"}
		case f.text("get") == "429":
			return []string{"refresh throttled"}
		}
		return []string{"refresh, API at fault"}
	case "verify":
		return []string{map[string]string{"alive": "verify: lives", "dead": "verify: dead", "unknown": "verify: unknown"}[then]}
	}
	return []string{"sign-out"}
}

func loginKinds(f fixture, then string) []string {
	switch then {
	case "signed_in":
		if f.has("more") && f.has("then_ask") {
			return []string{"sign-in", "step " + f.text("runs")}
		}
		return []string{"sign-in"}
	case "invalid_credentials":
		return []string{"wrong password"}
	case "too_many_attempts":
		return []string{"throttled"}
	case "step":
		return []string{"step " + f.text("step")}
	case "upstream_invalid":
		if f.has("wrong_client") || strings.HasSuffix(fmt.Sprint(f.table("body")["error"]), "_client") {
			return []string{"wrong client", "API at fault"}
		}
		return []string{"API at fault"}
	}
	return []string{then}
}

// page is docs/apis.md in the making.
type page struct {
	strings.Builder
	t *testing.T
}

func (p *page) line(format string, args ...any) { fmt.Fprintf(p, format+"\n", args...) }

// TestGalleryPage compares docs/apis.md with what the gallery says of itself.
func TestGalleryPage(t *testing.T) {
	p, all := &page{t: t}, exchanges(t)
	p.line("# APIs that are ready\n")
	p.line("Made from the files in [configs/apis](../configs/apis) by `go test ./upstream/signin -run TestGalleryPage -update`; a test holds it to them.")
	p.line("Copy the file of your API, set its variables, run `coatcheck check --config FILE`, then")
	p.line("`coatcheck try --config FILE --upstream NAME --refresh --logout` to see it at work against the real server. Your API is not here? [The language](mapping.md) is a page long; take the file of the nearest one: where an answer does not fit, `try` shows which places in it look right, and the lines it would write.\n")
	p.line("| API | second factor | renewal | sign-out | tried by |\n|---|---|---|---|---|")
	for _, name := range gallery(t) {
		p.row(name, readAPI(t, name)[name], tried(all, name))
	}
	p.line("\n*Exchanges* are requests and answers written after the API's documentation and source, which the tests play through the mapping, comparing each request and each outcome.")
	p.line("*Real* means that the tests start that server and sign in at it (`.ci/realapis`).")
	for _, name := range gallery(t) {
		p.chapter(name, readAPI(t, name)[name], tried(all, name))
	}
	file := "../../docs/apis.md"
	if *update {
		if err := os.WriteFile(file, []byte(p.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	written, err := os.ReadFile(file)
	if err != nil || string(written) != p.String() {
		t.Errorf("docs/apis.md is not what the gallery says (%v); run this test with -update", err)
	}
}

// real are the APIs that tests run as servers.
var real = map[string]string{
	"directus":         "real: Directus 11.3",
	"drf_token":        "real: Django 3.2 with REST framework 3.14 (its own sign-in view)",
	"fastapi":          "real: FastAPI 0.92",
	"feathers":         "real: Feathers 5.0",
	"json_server_auth": "real: json-server-auth 2.1",
	"parse":            "real: Parse Server 9.10",
	"pocketbase":       "real: PocketBase 0.39",
	"simplejwt":        "real: Django 3.2 with Simple JWT 5.2",
	"strapi":           "real: Strapi 5.53",
	"oauth2":           "real: Ory Fosite 0.49 (without the exchange)",
}

// secondFactor says how a mapping takes one.
func secondFactor(c *configs.Upstream) string {
	var steps []string
	for _, name := range slices.Sorted(maps.Keys(c.Login.Steps)) {
		if len(c.Login.Steps[name].Fields) > 0 {
			steps = append(steps, "`"+name+"`")
		}
	}
	if len(steps) > 0 {
		return "step " + strings.Join(steps, ", ")
	}
	for _, a := range c.Login.Answers {
		if a.Means == "mfa_required" {
			return "a further field"
		}
	}
	return "–"
}

func renewal(c *configs.Upstream) string {
	switch {
	case c.Refresh != nil && c.Refresh.Credential["refresh_token"] == (mapping.Place{}):
		return "by its own token"
	case c.Refresh != nil:
		return "refresh token"
	}
	for _, p := range c.Login.Credential {
		if p.Follow {
			return "on any answer"
		}
	}
	if c.Verify != nil {
		return "none; asked after a refusal"
	}
	return "none; the session ends with the token"
}

func (p *page) row(name string, c *configs.Upstream, done map[string]int) {
	out := "–"
	if c.Logout != nil {
		out = "the API is notified"
	}
	n := 0
	for _, count := range done {
		n += count
	}
	how := fmt.Sprintf("%d exchanges", n)
	if real[name] != "" {
		how += "; " + real[name]
	}
	p.line("| [%s](#%s) | %s | %s | %s | %s |", name, name, secondFactor(c), renewal(c), out, how)
}

// chapter is what a file says of itself.
func (p *page) chapter(name string, c *configs.Upstream, done map[string]int) {
	title, paragraphs := p.header(name)
	p.line("\n## %s\n\n%s\n", name, title)
	for _, text := range paragraphs {
		p.line("- %s", text)
	}
	p.line("- Signs in by `%s`; tried: %s.", asked(c.Login.Request), strings.Join(slices.Sorted(maps.Keys(done)), ", "))
	p.line("- [configs/apis/%s.yaml](../configs/apis/%s.yaml)", name, name)
}

func asked(r *mapping.Request) string {
	method := r.Method
	if method == "" {
		method = "POST"
	}
	return method + " " + r.Path
}

// header reads the comment that every file begins with: what it is, what to set, what
// a sign-out reaches, traps.
func (p *page) header(name string) (title string, paragraphs []string) {
	text, err := os.ReadFile("../../configs/apis/" + name + ".yaml")
	if err != nil {
		p.t.Fatal(err)
	}
	lines := strings.Split(string(text), "\n")
	for _, line := range lines[1:] {
		if !strings.HasPrefix(line, "#") {
			break
		}
		line = strings.TrimPrefix(line, "#")
		switch {
		case line == "":
		case title == "":
			title = strings.TrimSpace(line)
		case strings.HasPrefix(line, "  "):
			paragraphs[len(paragraphs)-1] += " " + strings.TrimSpace(line)
		default:
			paragraphs = append(paragraphs, strings.TrimSpace(line))
		}
	}
	for _, begin := range []string{"Set: ", "Sign-out ", "Beware: "} {
		if !slices.ContainsFunc(paragraphs, func(s string) bool { return strings.HasPrefix(s, begin) }) {
			p.t.Errorf("%s.yaml does not say %q", name, begin)
		}
	}
	return title, paragraphs
}
