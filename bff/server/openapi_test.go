package server_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"coatcheck/bff/freeport"
	"coatcheck/bff/rig"
	"coatcheck/upstream/demo/provider"
)

// openAPI checks answers against configs/openapi.yaml, and remembers which it saw.
type openAPI struct {
	t       *testing.T
	doc     map[string]any
	schemas *jsonschema.Compiler
	seen    map[string]bool // "GET /bff/session 200"
}

func readOpenAPI(t *testing.T) *openAPI {
	t.Helper()
	text, err := os.ReadFile("../../configs/openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	asJSON, err := yaml.YAMLToJSON(text)
	if err != nil {
		t.Fatal(err)
	}
	d := &openAPI{t: t, schemas: jsonschema.NewCompiler(), seen: map[string]bool{}}
	if err := json.Unmarshal(asJSON, &d.doc); err != nil {
		t.Fatal(err)
	}
	d.schemas.AssertFormat()
	if err := d.schemas.AddResource("openapi.json", d.doc); err != nil {
		t.Fatal(err)
	}
	return d
}

// at follows a path into the document, and references on the way. It returns what is
// there, and its own address.
func (d *openAPI) at(address string) (any, string) {
	var found any = d.doc
	at := "#"
	for _, part := range strings.Split(strings.TrimPrefix(address, "#/"), "/") {
		m, _ := found.(map[string]any)
		if found = m[strings.NewReplacer("~1", "/", "~0", "~").Replace(part)]; found == nil {
			return nil, ""
		}
		at += "/" + part
		if m, ok := found.(map[string]any); ok {
			if ref, ok := m["$ref"].(string); ok {
				found, at = d.at(ref)
			}
		}
	}
	return found, at
}

func pointer(s string) string { return strings.NewReplacer("~", "~0", "/", "~1").Replace(s) }

// holds checks one answer: its status is told, its media type and its body are as the
// document says, and so are the headers that it names. Only a sign-in and a sign-out
// set a cookie.
func (d *openAPI) holds(method, path string, got answer) {
	d.t.Helper()
	name := fmt.Sprint(method, " ", path, " ", got.StatusCode)
	d.seen[name] = true
	operation := "#/paths/" + pointer(path) + "/" + strings.ToLower(method) + "/responses/"
	response, at := d.at(operation + fmt.Sprint(got.StatusCode))
	if response == nil {
		if response, at = d.at(operation + "default"); response == nil || got.code() == "" {
			d.t.Errorf("%s: no such response in the document", name)
			return
		}
	}
	headers, _ := d.at(at + "/headers")
	told, _ := headers.(map[string]any)
	if _, sets := told["Set-Cookie"]; !sets && got.Header.Get("Set-Cookie") != "" {
		d.t.Errorf("%s: sets a cookie", name)
	}
	if headers != nil {
		for header := range told {
			if required, _ := d.at(at + "/headers/" + header + "/required"); required == false && got.Header.Get(header) == "" {
				continue
			}
			if _, schema := d.at(at + "/headers/" + header + "/schema"); !d.fits(schema, got.Header.Get(header)) {
				d.t.Errorf("%s: %s is %q", name, header, got.Header.Get(header))
			}
		}
	}
	media := strings.TrimSuffix(got.Header.Get("Content-Type"), "; charset=utf-8")
	content, _ := d.at(at + "/content")
	if content == nil {
		if got.body != "" {
			d.t.Errorf("%s: has a body", name)
		}
		return
	}
	schema, at := d.at(at + "/content/" + pointer(media) + "/schema")
	if schema == nil {
		d.t.Errorf("%s: %q is not told", name, media)
		return
	}
	if !strings.HasSuffix(media, "json") {
		return
	}
	compiled := d.compile(at)
	body, err := jsonschema.UnmarshalJSON(strings.NewReader(got.body))
	if err == nil {
		err = compiled.Validate(body)
	}
	if err != nil {
		d.t.Errorf("%s: %v\n%s", name, err, got.body)
	}
}

func (d *openAPI) compile(at string) *jsonschema.Schema {
	d.t.Helper()
	compiled, err := d.schemas.Compile("openapi.json" + at)
	if err != nil {
		d.t.Fatal(err)
	}
	return compiled
}

// fits reports whether a header is there and is as its schema says.
func (d *openAPI) fits(schema, value string) bool {
	d.t.Helper()
	return value != "" && d.compile(schema).Validate(value) == nil
}

// unseen are the statuses that the document tells and no answer had.
func (d *openAPI) unseen() (missing []string) {
	paths, _ := d.at("#/paths")
	for path, operations := range paths.(map[string]any) {
		for method, operation := range operations.(map[string]any) {
			for status := range operation.(map[string]any)["responses"].(map[string]any) {
				if name := strings.ToUpper(method) + " " + path + " " + status; status != "default" && !d.seen[name] {
					missing = append(missing, name)
				}
			}
		}
	}
	slices.Sort(missing)
	return missing
}

// TestOpenAPIAnswers: what the server answers is what configs/openapi.yaml says, for
// every status that it tells.
func TestOpenAPIAnswers(t *testing.T) {
	d := readOpenAPI(t)
	h := open(t, settings{edit: func(s string) string {
		return replaced(s, "      rejected: [401]\n      credential:", "      rejected: [401]\n      answers: [{status: 423, means: invalid_fields}]\n      credential:")
	}})
	call := func(status int, method, path, body string, headers ...string) answer {
		t.Helper()
		request := method + " " + path
		if body != "" {
			request += "\n\n" + body
		}
		got := h.call(request, headers...)
		if got.StatusCode != status {
			t.Errorf("%s %s: %d, want %d\n%s", method, path, got.StatusCode, status, got.body)
		}
		if rest, ok := strings.CutPrefix(path, "/bff/sessions/"); ok && rest != "" {
			path = "/bff/sessions/{id}"
		}
		d.holds(method, path, got)
		return got
	}
	login := func(password string) string { return loginBody("ada@x.test", password) }
	// each makes the calls that any page can make, and expects the same of all.
	each := func(status int, headers ...string) {
		t.Helper()
		for _, c := range [][2]string{{"GET", "/bff/session"}, {"POST", "/bff/session"}, {"GET", "/bff/sessions"}, {"DELETE", "/bff/sessions"},
			{"DELETE", "/bff/sessions/x"}, {"POST", "/bff/logout"}} {
			call(status, c[0], c[1], "", headers...)
		}
	}

	each(400, "Host: both.example.com", xcsrf)
	each(403, "Origin: https://evil.example.com", xcsrf)
	call(403, "GET", "/bff/client.js", "", "Origin: https://evil.example.com")
	call(200, "GET", "/bff/session", "")
	call(204, "POST", "/bff/logout", "", shop, xcsrf)
	call(401, "POST", "/bff/session", "", shop, xcsrf)
	call(401, "DELETE", "/bff/sessions", "", shop, xcsrf)
	call(401, "DELETE", "/bff/sessions/x", "", shop, xcsrf)
	call(401, "GET", "/bff/sessions", "")
	call(401, "POST", "/bff/login", login("wrong"), shop, xcsrf, json_)
	call(400, "POST", "/bff/login", `{"email":"a"}`, shop, xcsrf, json_)
	call(403, "POST", "/bff/login", login(rig.PasswordMark), shop, json_)
	call(413, "POST", "/bff/login", strings.Repeat(" ", 9000), shop, xcsrf, json_)
	call(415, "POST", "/bff/login", login(rig.PasswordMark), shop, xcsrf)
	hasty := open(t, settings{edit: func(s string) string { return replaced(s, "body_idle: 60s", "body_idle: 300ms") }})
	d.holds("POST", "/bff/login", hasty.raw("POST /bff/login HTTP/1.1\r\nHost: shop.example.com\r\n"+shop+"\r\n"+xcsrf+"\r\n"+json_+"\r\nContent-Length: 9\r\n\r\n{", false)) // 408
	cookie := "Cookie: " + cookieOf(t, call(200, "POST", "/bff/login", login(rig.PasswordMark), shop, xcsrf, json_))
	h.signIn("ada@x.test")
	call(200, "GET", "/bff/session", "", cookie)
	call(200, "POST", "/bff/session", "", cookie, shop, xcsrf)
	call(200, "GET", "/bff/sessions", "", cookie)
	call(404, "DELETE", "/bff/sessions/nothing", "", cookie, shop, xcsrf)
	var others []struct {
		ID      string
		Current bool
	}
	if err := json.Unmarshal([]byte(h.call("GET /bff/sessions", cookie).body), &others); err != nil {
		t.Fatal(err)
	}
	current := ""
	for _, other := range others {
		if other.Current {
			current = other.ID
		} else {
			call(204, "DELETE", "/bff/sessions/"+other.ID, "", cookie, shop, xcsrf)
		}
	}
	for _, path := range []string{"/bff/session", "/bff/sessions", "/bff/client.js"} {
		call(200, "HEAD", path, "", cookie)
	}
	call(204, "DELETE", "/bff/sessions", "", cookie, shop, xcsrf)
	call(304, "GET", "/bff/client.js", "", "If-None-Match: "+call(200, "GET", "/bff/client.js", "").Header.Get("ETag"))
	call(421, "GET", "/bff/client.js", "", "Host: evil.example.com")
	if got := call(204, "DELETE", "/bff/sessions/"+current, "", cookie, shop, xcsrf); got.Header.Get("Set-Cookie") == "" {
		t.Error("the current session ended, and its cookie stayed")
	}
	cookie = h.signIn("ada@x.test")
	call(204, "POST", "/bff/logout", "", cookie, shop, xcsrf)
	if got := call(200, "GET", "/bff/session", "", cookie); !strings.Contains(got.body, `"reason":"signed_out"`) {
		t.Error(got.body)
	}
	for status, api := range map[int]int{422: 423, 429: 429, 502: 500} {
		h.api.Say(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "7")
			w.WriteHeader(api)
		})
		call(status, "POST", "/bff/login", login(rig.PasswordMark), shop, xcsrf, json_)
	}
	h = open(t, settings{edit: func(s string) string {
		return replaced(s, "      rejected: [401]\n      credential:", "      timeout: 500ms\n      rejected: [401]\n      credential:")
	}})
	h.api.Say(silent)
	call(504, "POST", "/bff/login", login(rig.PasswordMark), shop, xcsrf, json_)

	address := "127.0.0.1:" + freeport.Text(t)
	h = open(t, settings{store: "redis://" + address + "/0"}) // where no Redis is
	each(503, "Cookie: "+shopCookie+"="+strings.Repeat("A", 43), shop, xcsrf)
	call(503, "POST", "/bff/login", login(rig.PasswordMark), shop, xcsrf, json_)
	d.exchanges("redis://" + address + "/0")
	d.reloads()
	d.atProvider()
	if missing := d.unseen(); len(missing) > 0 {
		t.Errorf("told, and never seen: %q", missing)
	}
}

// silent is an API that answers nothing.
func silent(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

// atProvider makes the calls of a sign-in at a provider.
func (d *openAPI) atProvider() {
	a := openAtProvider(d.t, nil)
	form := "Content-Type: application/x-www-form-urlencoded"
	call := func(method, path, address string, headers ...string) answer {
		got := a.call(method+" "+address, headers...)
		d.holds(method, path, got)
		return got
	}
	const login, callback, end, logout = "/bff/login", "/bff/callback/{id}", "/bff/backchannel-logout/{id}", "/bff/logout/{id}"
	opened := call("GET", login, "/bff/login", navigate, document, html_)
	browser := "Cookie: " + strings.SplitN(opened.Header.Get("Set-Cookie"), ";", 2)[0]
	call("GET", login, "/bff/login?x=1", navigate, document, html_)
	call("GET", login, "/bff/login?x=1", navigate)
	call("GET", login, "/bff/login", "Sec-Fetch-Mode: cors")
	back := a.browse(opened.Header.Get("Location"), "ada@id.test")
	call("GET", callback, back.RequestURI(), navigate, document, html_)
	call("GET", callback, back.RequestURI()+"&code=x", navigate, document, html_)
	call("GET", callback, "/bff/callback/none", navigate, document, html_)
	call("POST", callback, "/bff/callback/id\n\n"+back.RawQuery, form, navigate, document, html_)
	call("POST", callback, "/bff/callback/id\n\ncode=1&code=2", form, navigate, document, html_)
	call("POST", callback, "/bff/callback/id\n\ncode=1", navigate, document, html_)
	call("POST", callback, "/bff/callback/id\n\ncode="+strings.Repeat("1", 33<<10), form, navigate, document, html_)
	cookie := "Cookie: " + strings.SplitN(call("GET", callback, back.RequestURI(), navigate, document, html_, browser).Header.Get("Set-Cookie"), ";", 2)[0]
	for _, sin := range []provider.Sin{provider.ResponseDenied, provider.ResponseServerError, provider.PushedRefused} {
		a.provider.Commit()
		address, browser := a.begin("")
		a.provider.Commit(sin)
		if sin == provider.PushedRefused {
			call("GET", login, "/bff/login", navigate, document, html_)
			continue
		}
		call("GET", callback, a.browse(address, "bob@id.test").RequestURI(), navigate, document, html_, browser)
	}
	a.provider.Commit()
	d.holds("GET", "/bff/session", a.call("GET /bff/session", shop))
	var on struct{ Continue string }
	if err := json.Unmarshal([]byte(call("POST", "/bff/logout", "/bff/logout", cookie, shop, xcsrf).body), &on); err != nil {
		d.t.Fatal(err)
	}
	call("GET", logout, on.Continue, "Sec-Fetch-Mode: cors")
	call("GET", logout, on.Continue, navigate, document)
	call("GET", logout, on.Continue, navigate, document)
	token := a.provider.LogoutToken("coatcheck", "p-ada", "", "logout+jwt", nil)
	for range 2 {
		call("POST", end, "/bff/backchannel-logout/id\n\nlogout_token="+token, form)
	}
	call("POST", end, "/bff/backchannel-logout/none\n\nlogout_token="+token, form)
}

// TestOpenAPIStep: so is the answer that asks for a further step.
func TestOpenAPIStep(t *testing.T) {
	d := readOpenAPI(t)
	h, _ := openStepped(t, settings{})
	got := h.post(loginBody("ada@x.test", rig.PasswordMark))
	d.holds("POST", "/bff/login", got)
	d.holds("GET", "/bff/session", h.call("GET /bff/session", h.begin()))
	if !strings.Contains(got.body, `"step":"otp"`) {
		t.Error(got.body)
	}
}
