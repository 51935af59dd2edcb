package server_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// openAPI checks answers against configs/openapi.yaml.
type openAPI struct {
	t       *testing.T
	doc     map[string]any
	schemas *jsonschema.Compiler
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
	d := &openAPI{t: t, schemas: jsonschema.NewCompiler()}
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
// document says, and the headers that it names are there.
func (d *openAPI) holds(method, path string, got answer) {
	d.t.Helper()
	name := fmt.Sprint(method, " ", path, ", ", got.StatusCode)
	operation := "#/paths/" + pointer(path) + "/" + strings.ToLower(method) + "/responses/"
	response, at := d.at(operation + fmt.Sprint(got.StatusCode))
	if response == nil {
		if response, at = d.at(operation + "default"); response == nil || got.code() == "" {
			d.t.Errorf("%s: no such response in the document", name)
			return
		}
	}
	if headers, _ := d.at(at + "/headers"); headers != nil {
		for header := range headers.(map[string]any) {
			if got.Header.Get(header) == "" && header != "Set-Cookie" {
				d.t.Errorf("%s: %s is missing", name, header)
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
	compiled, err := d.schemas.Compile("openapi.json" + at)
	if err != nil {
		d.t.Fatal(err)
	}
	body, err := jsonschema.UnmarshalJSON(strings.NewReader(got.body))
	if err == nil {
		err = compiled.Validate(body)
	}
	if err != nil {
		d.t.Errorf("%s: %v\n%s", name, err, got.body)
	}
}

// TestOpenAPIAnswers: what the server answers is what configs/openapi.yaml says, for
// every status that a page can bring about.
func TestOpenAPIAnswers(t *testing.T) {
	d := readOpenAPI(t)
	h := open(t, settings{edit: func(s string) string {
		return strings.Replace(s, "      rejected: [401]\n      credential:", "      rejected: [401]\n      answers: [{status: 423, means: invalid_fields}]\n      credential:", 1)
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

	call(200, "GET", "/bff/session", "")
	call(401, "POST", "/bff/session", "", shop, xcsrf)
	call(401, "GET", "/bff/sessions", "")
	call(401, "POST", "/bff/login", login("wrong"), shop, xcsrf, json_)
	call(400, "POST", "/bff/login", `{"email":"a"}`, shop, xcsrf, json_)
	call(403, "POST", "/bff/login", login(passwordMark), shop, json_)
	call(413, "POST", "/bff/login", strings.Repeat(" ", 9000), shop, xcsrf, json_)
	call(415, "POST", "/bff/login", login(passwordMark), shop, xcsrf)
	cookie := "Cookie: " + cookieOf(t, call(200, "POST", "/bff/login", login(passwordMark), shop, xcsrf, json_))
	h.signIn("ada@x.test")
	call(200, "GET", "/bff/session", "", cookie)
	call(200, "POST", "/bff/session", "", cookie, shop, xcsrf)
	call(200, "GET", "/bff/sessions", "", cookie)
	call(404, "DELETE", "/bff/sessions/nothing", "", cookie, shop, xcsrf)
	call(204, "DELETE", "/bff/sessions", "", cookie, shop, xcsrf)
	call(200, "GET", "/bff/client.js", "")
	call(421, "GET", "/bff/client.js", "", "Host: evil.example.com")
	call(204, "POST", "/bff/logout", "", cookie, shop, xcsrf)
	if got := call(200, "GET", "/bff/session", "", cookie); !strings.Contains(got.body, `"reason":"signed_out"`) {
		t.Error(got.body)
	}
	for status, api := range map[int]int{422: 423, 429: 429, 502: 500} {
		h.api.say(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "7")
			w.WriteHeader(api)
		})
		call(status, "POST", "/bff/login", login(passwordMark), shop, xcsrf, json_)
	}
}

// TestOpenAPIStep: so is the answer that asks for a further step.
func TestOpenAPIStep(t *testing.T) {
	d := readOpenAPI(t)
	h, _ := openStepped(t, settings{})
	got := h.post(loginBody("ada@x.test", passwordMark))
	d.holds("POST", "/bff/login", got)
	d.holds("GET", "/bff/session", h.call("GET /bff/session", h.begin()))
	if !strings.Contains(got.body, `"step":"otp"`) {
		t.Error(got.body)
	}
}
