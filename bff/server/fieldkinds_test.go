package server_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

// TestFieldKinds: a field that is declared as a boolean or a number goes to the API with
// its type, as the page sent it; another kind is refused, and the log says which field.
func TestFieldKinds(t *testing.T) {
	for _, encoding := range []string{"json", "form"} {
		h := open(t, settings{edit: func(yaml string) string {
			yaml = replaced(yaml, `body: {email: "{email}", password: "{password}"}}`, `encoding: `+encoding+`, body: {email: "{email}", password: "{password}", remember: "{remember}", pin: "{pin}"}}`)
			return strings.ReplaceAll(yaml, "fields: [email, password]", `fields: [email, password, "remember?: bool", "pin?: number"]`)
		}})
		h.api.Say(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"access_token":"t","expires_in":3600,"user":{"id":"1","email":"ada@x.test"}}`)
		})
		for _, row := range []struct {
			fields     string // behind email and password
			json, form string // what arrives
			status     int
		}{
			{`,"remember":true,"pin":1.50`, `"remember":true`, "remember=true", 200},
			{`,"remember":false,"pin":1.50`, `"pin":1.50`, "pin=1.50", 200},
			{`,"pin":12345678901234567890`, `"pin":12345678901234567890`, "pin=12345678901234567890", 200},
			{``, `"password"`, "password=", 200},
			{`,"remember":"true"`, "", "", 400}, {`,"remember":1`, "", "", 400}, {`,"pin":"1"`, "", "", 400}, {`,"pin":null`, "", "", 400}, {`,"pin":[1]`, "", "", 400},
		} {
			got := h.post(`{"email":"ada@x.test","password":"pw"` + row.fields + `}`)
			if got.StatusCode != row.status {
				t.Errorf("%s %s: %d %s", encoding, row.fields, got.StatusCode, got.body)
			}
			if row.status != 200 {
				continue
			}
			want := map[string]string{"json": row.json, "form": row.form}[encoding]
			if body := h.api.Last(t).Body; !strings.Contains(body, want) || strings.Contains(body, "remember") != strings.Contains(row.fields, "remember") {
				t.Errorf("%s %s: the API got %s", encoding, row.fields, body)
			}
		}
		if !strings.Contains(h.logs.String(), "field remember is declared as bool, and the page sent text") {
			t.Error("the log does not say which field")
		}
	}
}
