package demo_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"coatcheck/upstream/demo"
)

func TestEchoShowsWhatArrived(t *testing.T) {
	api := start(t, demo.Options{})
	token := api.signIn("ada@shop.example").text("access_token")
	got := api.send("PATCH", "/api/echo/?a=1&a=2", token, "text/plain", "hello", "X-Twice", "1", "X-Twice", "2")
	if got.status != http.StatusNotFound {
		t.Errorf("a path below echo: %d", got.status)
	}
	got = api.send("PATCH", "/api/echo?a=1&a=%20", token, "text/plain", "hello", "X-Twice", "1", "X-Twice", "2", "X-Copy", "my "+token)
	sum := sha256.Sum256([]byte(token))
	mark := hex.EncodeToString(sum[:])[:8]
	want := map[string]any{"method": "PATCH", "path": "/api/echo", "query": "a=1&a=%20", "cookie_arrived": false, "body_bytes": 5.0}
	for name, value := range want {
		if got.value(name) != value {
			t.Errorf("%s = %v, want %v", name, got.value(name), value)
		}
	}
	headers, _ := got.value("headers").(map[string]any)
	for name, value := range map[string]string{"X-Twice": "[1 2]", "Authorization": "[Bearer [token " + mark + "]]", "X-Copy": "[my [token " + mark + "]]"} {
		if fmt.Sprint(headers[name]) != value {
			t.Errorf("header %s = %v, want %v", name, headers[name], value)
		}
	}
	if fmt.Sprint(headers["Host"]) == "[]" || headers["Host"] == nil {
		t.Error("no Host shown")
	}
	if cookie := api.send("GET", "/api/echo", token, "", "", "Cookie", "a=b"); cookie.value("cookie_arrived") != true {
		t.Error("a cookie that arrived is not told")
	}
}

func TestNoAnswerShowsTheToken(t *testing.T) {
	api := start(t, demo.Options{})
	in := api.signIn("ada@shop.example")
	token := in.text("access_token")
	calls := []struct{ method, path string }{
		{"GET", "/api/me"}, {"GET", "/api/notes"}, {"POST", "/api/echo"}, {"GET", "/api/echo?token=" + token}, {"GET", "/api/slow?ms=0"},
		{"GET", "/api/error/500"}, {"GET", "/api/events?count=1"}, {"POST", "/api/upload"}, {"GET", "/api/document"}, {"GET", "/nothing"},
	}
	for _, c := range calls {
		got := api.send(c.method, c.path, token, "", "")
		shown := fmt.Sprint(string(got.body), got.header)
		if strings.Contains(shown, token) && !strings.Contains(c.path, token) {
			t.Errorf("%s %s answers with the token", c.method, c.path)
		}
		if strings.Contains(shown, in.text("refresh_token")) {
			t.Errorf("%s %s answers with the refresh token", c.method, c.path)
		}
	}
}

func TestNotesArePersonal(t *testing.T) {
	api := start(t, demo.Options{})
	ada, hedy := api.signIn("ada@shop.example").text("access_token"), api.signIn("hedy@admin.example").text("access_token")
	added := api.post("/api/notes", ada, map[string]string{"text": "  weave algebraic patterns "})
	if added.status != http.StatusCreated || added.text("text") != "weave algebraic patterns" {
		t.Fatalf("%d %s", added.status, added.body)
	}
	count := func(token string) int {
		notes, _ := api.get("/api/notes", token).value("notes").([]any)
		return len(notes)
	}
	if count(ada) != 1 || count(hedy) != 0 {
		t.Errorf("Ada has %d notes, Hedy %d", count(ada), count(hedy))
	}
	path := "/api/notes/" + added.text("id")
	if got := api.send("DELETE", path, hedy, "", ""); got.status != http.StatusNotFound {
		t.Errorf("somebody else's note: %d", got.status)
	}
	if got := api.send("DELETE", path, ada, "", ""); got.status != http.StatusNoContent || count(ada) != 0 {
		t.Errorf("one's own note: %d, %d left", got.status, count(ada))
	}
}

func TestNotesAreBounded(t *testing.T) {
	api := start(t, demo.Options{})
	token := api.signIn("ada@shop.example").text("access_token")
	for _, text := range []string{"", "   ", strings.Repeat("ö", 501)} {
		if got := api.post("/api/notes", token, map[string]string{"text": text}); got.status != http.StatusUnprocessableEntity {
			t.Errorf("a note of %d bytes: %d", len(text), got.status)
		}
	}
	for i := range 60 {
		api.post("/api/notes", token, map[string]string{"text": fmt.Sprintf("note %d", i)})
	}
	notes, _ := api.get("/api/notes", token).value("notes").([]any)
	if len(notes) != 50 {
		t.Fatalf("%d notes", len(notes))
	}
	newest, _ := notes[49].(map[string]any)
	if newest["text"] != "note 59" {
		t.Errorf("the last note is %v", newest)
	}
}

func TestErrorOnDemand(t *testing.T) {
	api := start(t, demo.Options{})
	token := api.signIn("ada@shop.example").text("access_token")
	for asked, want := range map[string]int{"400": 400, "401": 401, "418": 418, "503": 503, "599": 599, "200": 404, "101": 404, "600": 404, "x": 404, "-1": 404} {
		if got := api.get("/api/error/"+asked, token); got.status != want {
			t.Errorf("%s: %d, want %d", asked, got.status, want)
		}
	}
}

func TestUploadCounts(t *testing.T) {
	api := start(t, demo.Options{})
	token := api.signIn("ada@shop.example").text("access_token")
	body := strings.Repeat("coat", 300_000)
	got := api.send("POST", "/api/upload", token, "application/octet-stream", body)
	sum := sha256.Sum256([]byte(body))
	if got.value("bytes") != 1_200_000.0 || got.text("sha256") != hex.EncodeToString(sum[:]) {
		t.Errorf("%d %s", got.status, got.body)
	}
}

func TestDocumentIsHTML(t *testing.T) {
	api := start(t, demo.Options{})
	got := api.get("/api/document", api.signIn("ada@shop.example").text("access_token"))
	if !strings.HasPrefix(got.header.Get("Content-Type"), "text/html") || !strings.Contains(string(got.body), "<script>") {
		t.Errorf("%v %s", got.header, got.body)
	}
}

func TestSlowAnswers(t *testing.T) {
	api := start(t, demo.Options{})
	token := api.signIn("ada@shop.example").text("access_token")
	for query, want := range map[string]float64{"?ms=0": 0, "?ms=15": 15, "?ms=-4": 0} {
		if got := api.get("/api/slow"+query, token); got.value("waited_ms") != want {
			t.Errorf("%s: %d %s", query, got.status, got.body)
		}
	}
}

func TestUnknownPathsAndMethods(t *testing.T) {
	api := start(t, demo.Options{})
	for _, call := range []string{"GET /", "GET /auth/login", "GET /api/", "GET /auth/refresh", "PUT /api/notes", "POST /auth/login/"} {
		method, path, _ := strings.Cut(call, " ")
		if got := api.send(method, path, "", "", ""); got.status != http.StatusNotFound || got.text("error") != "not_found" {
			t.Errorf("%s: %d %s", call, got.status, got.body)
		}
	}
}
